/**
 * What a synthetic frame is made of.
 *
 * A player must be able to say whose picture it got, whether it is whole, and whether everything that it refers to was
 * seen before. So each frame's body carries its own passport, is filled with bytes that follow from the passport, and ends
 * in a checksum. Nothing between the camera and the screen may change a byte of it.
 *
 *   0               2       3       4               8               12              16
 *   +---------------+-------+-------+---------------+---------------+---------------+---- filler ----+ checksum (4)
 *   |   source id   | layer | flags | frame number  |  refers to    | whole length  |                |
 */
import { concatBytes, readI32, readU16, readU32, writeU16, writeU32 } from "../../core/base/bytes.ts";

/** "Refers to nothing": what a keyframe says. */
export const NO_REFERENCE = 0xffff_ffff;

/** Bytes in front of what fills the body. */
const PASSPORT_BYTES = 16;

/** Bytes of the shortest body. */
export const BODY_BYTES_MIN = 20;

/** The passport of a frame (or of a piece of sound, which refers to nothing). */
export interface FramePassport {
  /** Which source of the world: a number that the world hands out. */
  readonly source: number;
  /** Index of the simulcast layer, 0 for the smallest. */
  readonly layer: number;
  readonly keyframe: boolean;
  /** Counts the frames of the layer from 0. */
  readonly frame: number;
  /** The frame of the same layer that this one refers to, or {@link NO_REFERENCE}. */
  readonly reference: number;
}

/** Writes the body of a frame, `length` bytes of it (at least {@link BODY_BYTES_MIN}), behind so many that are left free. */
export function writeBody(passport: FramePassport, length: number, free = 0): Uint8Array {
  const bytes = new Uint8Array(free + length);
  const end = bytes.length - 4;
  writeU16(bytes, free, passport.source);
  bytes[free + 2] = passport.layer;
  bytes[free + 3] = passport.keyframe ? 1 : 0;
  writeU32(bytes, free + 4, passport.frame);
  writeU32(bytes, free + 8, passport.reference);
  writeU32(bytes, free + 12, length);
  let word = passport.frame ^ (passport.source << 16);
  let at = free + 16;
  for (; at + 4 <= end; at += 4) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0;
    writeU32(bytes, at, word);
  }
  for (; at < end; at++) bytes[at] = word >>> 8;
  writeU32(bytes, end, checksum(bytes, free, end));
  return bytes;
}

/** Reads a body back that lies from `at` to `end`, or answers undefined when a byte of it is not as it was written. */
export function readBody(bytes: Uint8Array, at = 0, end = bytes.length): FramePassport | undefined {
  if (end - at < BODY_BYTES_MIN || readU32(bytes, at + 12) !== end - at) return undefined;
  if (readU32(bytes, end - 4) !== checksum(bytes, at, end - 4)) return undefined;
  return readPassport(bytes, at);
}

/** A part of a body: `bytes` from `bodyAt` on, up to `end`. */
interface BodyPiece {
  readonly bytes: Uint8Array;
  readonly bodyAt: number;
  readonly end: number;
}

/**
 * Reads a body back of which each piece has a part, as {@link readBody} does of the whole: putting pictures together first,
 * for nothing else than this, costs more than looking at them.
 */
export function readPieces(pieces: readonly BodyPiece[]): FramePassport | undefined {
  const { bytes: head, bodyAt: at, end } = pieces[0]!;
  if (pieces.length === 1) return readBody(head, at, end);
  if (end - at < PASSPORT_BYTES) {
    return readBody(concatBytes(...pieces.map((piece) => piece.bytes.subarray(piece.bodyAt, piece.end))));
  }
  let length = 0;
  for (let i = 0; i < pieces.length; i++) length += pieces[i]!.end - pieces[i]!.bodyAt;
  if (length < BODY_BYTES_MIN || readU32(head, at + 12) !== length) return undefined;
  return fits(pieces, length) ? readPassport(head, at) : undefined;
}

function readPassport(bytes: Uint8Array, at: number): FramePassport {
  return {
    source: readU16(bytes, at),
    layer: bytes[at + 2]!,
    keyframe: (bytes[at + 3]! & 1) === 1,
    frame: readU32(bytes, at + 4),
    reference: readU32(bytes, at + 8),
  };
}

/** Whether the checksum at the end of the last piece, or of the last few, is that of what stands before it. */
function fits(pieces: readonly BodyPiece[], length: number): boolean {
  let hash = 0x811c_9dc5 | 0;
  let left = length - 4;
  /** Bytes of a word that began in one piece and goes on in the next; of those, how many; and the checksum as far as read. */
  let [word, held, sum] = [0, 0, 0];
  for (let i = 0; i < pieces.length; i++) {
    const { bytes, bodyAt, end } = pieces[i]!;
    const contentsEnd = Math.min(end, bodyAt + left);
    let at = bodyAt;
    left -= contentsEnd - at;
    for (; at < contentsEnd; at++) {
      if (held === 0) {
        for (; at + 4 <= contentsEnd; at += 4) hash = takeWord(hash, readI32(bytes, at));
        if (at === contentsEnd) break;
      }
      word = (word << 8) | bytes[at]!;
      held = (held + 1) & 3;
      if (held === 0) hash = takeWord(hash, word);
    }
    for (; at < end; at++) sum = (sum << 8) | bytes[at]!;
  }
  for (let shift = 8 * (held - 1); shift >= 0; shift -= 8)
    hash = Math.imul(hash ^ ((word >> shift) & 0xff), 0x0100_0193);
  return hash === sum;
}

function takeWord(hash: number, word: number): number {
  const next = Math.imul(hash ^ word, 0x0100_0193);
  return next ^ (next >>> 15);
}

/** Four bytes at a time: each step is a permutation of the hash and of the word, so no change of one word goes unnoticed. */
function checksum(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c_9dc5 | 0;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = takeWord(hash, readI32(bytes, at));
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
  return hash >>> 0;
}
