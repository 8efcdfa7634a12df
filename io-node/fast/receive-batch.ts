/**
 * The batch that `recvmmsg` fills: slots for datagrams, and for each the sender's `sockaddr`.
 *
 * The shard opens a datagram where it lies, so a batch must be handled to its end before the next one is read.
 */
import { LIMITS } from "../../core/index.ts";
import { LINUX, type Libc, SOCKADDR_BYTES, WORDS, writePointer } from "./libc.ts";
import { type Block, type Piece, pieceBytes, takePiece } from "./memory.ts";

/** Datagrams read by one call. */
export const BATCH = 64;

/** Slots for one batch; make them with {@link createReceiveBatch}. */
export interface ReceiveBatch {
  readonly libc: Libc;
  /** One for each datagram. Each is an array of its own, because such a one the shard can copy whole (packet-cache.ts). */
  readonly slots: readonly Uint8Array[];
  /** The senders: the `sockaddr` of datagram i stands at word i times `WORDS.SOCKADDR`. */
  readonly names: Piece;
  readonly messages: Piece;
}

/** Native memory that a batch needs. */
export function receiveBatchBytes(): number {
  const small = [WORDS.SOCKADDR, WORDS.VECTOR, WORDS.MESSAGE].map((words) => pieceBytes(BATCH * words * 4));
  return small.reduce((sum, bytes) => sum + bytes, pieceBytes(BATCH * LIMITS.datagramBytesMax));
}

/** An empty batch. */
export function createReceiveBatch(libc: Libc, block: Block): ReceiveBatch {
  const piece = takePiece(block, BATCH * LIMITS.datagramBytesMax);
  const slots: Uint8Array[] = [];
  const names = takePiece(block, BATCH * WORDS.SOCKADDR * 4);
  const vectors = takePiece(block, BATCH * WORDS.VECTOR * 4);
  const messages = takePiece(block, BATCH * WORDS.MESSAGE * 4);
  for (let i = 0; i < BATCH; i++) {
    const message = i * WORDS.MESSAGE;
    const vector = i * WORDS.VECTOR;
    writePointer(messages.words, message, names.address + i * WORDS.SOCKADDR * 4);
    messages.words[message + WORDS.MESSAGE_NAME_LENGTH] = SOCKADDR_BYTES.IPV6;
    writePointer(messages.words, message + WORDS.MESSAGE_VECTOR, vectors.address + vector * 4);
    messages.words[message + WORDS.MESSAGE_VECTORS] = 1;
    const at = i * LIMITS.datagramBytesMax;
    slots.push(piece.bytes.subarray(at, at + LIMITS.datagramBytesMax));
    writePointer(vectors.words, vector, piece.address + at);
    vectors.words[vector + WORDS.VECTOR_LENGTH] = LIMITS.datagramBytesMax;
  }
  return { libc, slots, names, messages };
}

/** Reads what has come to a socket, without waiting: how many datagrams, 0 for none, -1 for an error of the socket. */
export function readBatch({ libc, messages }: ReceiveBatch, fd: number): number {
  return libc.recvmmsg(fd, messages.address, BATCH, LINUX.MSG_DONTWAIT, 0);
}

/**
 * The length of datagram i; -1 when it was longer than its slot. To be asked once for each datagram of a batch: it makes
 * its entry ready for the next.
 */
export function takeLength({ messages }: ReceiveBatch, i: number): number {
  const { words } = messages;
  const message = i * WORDS.MESSAGE;
  const wasCut = (words[message + WORDS.MESSAGE_FLAGS]! & LINUX.MSG_TRUNC) !== 0;
  words[message + WORDS.MESSAGE_FLAGS] = 0;
  words[message + WORDS.MESSAGE_NAME_LENGTH] = SOCKADDR_BYTES.IPV6;
  return wasCut ? -1 : words[message + WORDS.MESSAGE_LENGTH]!;
}
