/**
 * Memory for packets, cut from large pieces.
 *
 * An array of its own for each packet costs half a microsecond, most of it in the allocator behind the engine's heap and in
 * giving it back; a view of a piece of 64 KiB costs a tenth of one. Whoever makes packets owns a slab. A piece is used from
 * front to back, once, so views never meet, and it is let go when nobody holds any of them. Keep a copy of what is kept
 * for long. Views begin at whole words, so that whoever copies word by word can.
 */

/** Bytes of one piece; what is longer gets an array of its own. */
const PIECE_BYTES = 65_536;

/** What is left of the present piece; make it with {@link createSlab}. */
export interface Slab {
  bytes: Uint8Array;
  /** The same piece in words of the machine, and as views are cut from it: what `subarray` does takes half as long again. */
  words: Int32Array;
  buffer: ArrayBuffer;
  used: number;
}

/** A slab of which nothing is used. */
export function createSlab(): Slab {
  const buffer = new ArrayBuffer(PIECE_BYTES);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer), buffer, used: 0 };
}

/** `length` bytes that are all zero and nobody else's. */
export function carve(slab: Slab, length: number): Uint8Array {
  if (length > PIECE_BYTES) return new Uint8Array(length);
  const at = carveAt(slab, length);
  return new Uint8Array(slab.buffer, at, length);
}

/** Where in the slab's present piece these next `length` bytes begin, which are no more than one has: for who writes them. */
export function carveAt(slab: Slab, length: number): number {
  if (slab.used + length > PIECE_BYTES) {
    slab.buffer = new ArrayBuffer(PIECE_BYTES);
    slab.bytes = new Uint8Array(slab.buffer);
    slab.words = new Int32Array(slab.buffer);
    slab.used = 0;
  }
  const at = slab.used;
  slab.used = (at + length + 3) & ~3;
  return at;
}

/** A copy of a range of bytes. */
export function carveCopy(slab: Slab, source: Uint8Array, offset: number, length: number): Uint8Array {
  const copy = carve(slab, length);
  copy.set(length === source.length ? source : source.subarray(offset, offset + length));
  return copy;
}
