/**
 * One block of native memory, cut into the pieces that a fast host needs.
 *
 * The thread that serves HTTP owns the block and gives it back; the shard's thread borrows it. So it is freed on every
 * path, also when a shard's thread dies without a last word. A fresh thread cuts the same block again: every piece is
 * written anew by whoever takes it.
 */
import type { Native } from "../../io-crypto/native.ts";

/** A piece of native memory under both of its names. */
export interface Piece {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
}

/** A block that is being cut; make one with {@link openBlock}. */
export interface Block {
  readonly address: number;
  readonly bytes: Uint8Array;
  used: number;
}

/** The block of `length` bytes at an address, uncut. */
export function openBlock(native: Native, address: number, length: number): Block {
  return { address, bytes: native.view(address, length), used: 0 };
}

/** The next `length` bytes, all zero, on a boundary of 64 bytes. Throws when the block is too small. */
export function takePiece(block: Block, length: number): Piece {
  const offset = pieceBytes(block.used);
  if (offset + length > block.bytes.length) throw new Error("assertion failed: a piece fits its block");
  block.used = offset + length;
  const { buffer, byteOffset } = block.bytes;
  const bytes = new Uint8Array(buffer, byteOffset + offset, length);
  bytes.fill(0);
  return { address: block.address + offset, bytes, words: new Uint32Array(buffer, byteOffset + offset, length >>> 2) };
}

/** What a piece of this length takes of a block. */
export function pieceBytes(length: number): number {
  return (length + 63) & ~63;
}
