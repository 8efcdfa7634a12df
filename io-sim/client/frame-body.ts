/**
 * What a synthetic frame is made of.
 *
 * A player must be able to say whose picture it got, whether it is whole, and whether everything that it refers to was
 * seen before. So each frame's body carries its own passport, and is filled with words that follow from the passport: the
 * first is a hash of it, and each is a step further than the one before. Nothing between the camera and the screen may change
 * a byte of it. That no word has to wait for another is for speed; all pictures of all calls are looked at, byte by byte.
 *
 *   0               2       3       4               8               12              16
 *   +---------------+-------+-------+---------------+---------------+---------------+---- filler ---- ...
 *   |   source id   | layer | flags | frame number  |  refers to    | whole length  | hash, hash + step
 */
import { concatBytes, readI32, readU16, readU32, writeU16, writeU32 } from "../../core/base/bytes.ts";

/** "Refers to nothing": what a keyframe says. */
export const NO_REFERENCE = 0xffff_ffff;

/** Bytes in front of what fills the body. */
const PASSPORT_BYTES = 16;

/** Bytes of the shortest body: the passport and its hash. */
export const BODY_BYTES_MIN = 20;

/** From one word of the filler to the next: odd, so that none comes twice. */
const FILLER_STEP = 0x3c6e_f35f;

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
  writeU16(bytes, free, passport.source);
  bytes[free + 2] = passport.layer;
  bytes[free + 3] = passport.keyframe ? 1 : 0;
  writeU32(bytes, free + 4, passport.frame);
  writeU32(bytes, free + 8, passport.reference);
  writeU32(bytes, free + 12, length);
  let word = passportHash(bytes, free);
  let at = free + PASSPORT_BYTES;
  for (; at + 4 <= bytes.length; at += 4) {
    bytes[at] = word;
    bytes[at + 1] = word >>> 8;
    bytes[at + 2] = word >>> 16;
    bytes[at + 3] = word >>> 24;
    word = (word + FILLER_STEP) | 0;
  }
  for (; at < bytes.length; at++) {
    bytes[at] = word;
    word >>>= 8;
  }
  return bytes;
}

/** A part of a body: `bytes` from `bodyAt` on, up to `end`; and the same bytes in words of the machine, if they are at hand. */
interface BodyPiece {
  readonly bytes: Uint8Array;
  readonly words: Int32Array | undefined;
  readonly bodyAt: number;
  readonly end: number;
}

/** Reads a body back that lies in one piece, or answers undefined when a byte of it is not as it was written. */
export function readBody(
  bytes: Uint8Array,
  bodyAt = 0,
  end = bytes.length,
  words?: Int32Array | undefined,
): FramePassport | undefined {
  const length = end - bodyAt;
  if (length < BODY_BYTES_MIN || readU32(bytes, bodyAt + 12) !== length) return undefined;
  const hash = passportHash(bytes, bodyAt);
  if (!isFiller(hash, 0, bytes, words, bodyAt + PASSPORT_BYTES, end)) return undefined;
  return readPassport(bytes, bodyAt);
}

/**
 * Reads a body back of which each piece has a part, as {@link readBody} does of the whole: putting pictures together first,
 * for nothing else than this, costs more than looking at them.
 */
export function readPieces(pieces: readonly BodyPiece[]): FramePassport | undefined {
  const { bytes, words, bodyAt, end } = pieces[0]!;
  if (pieces.length === 1) return readBody(bytes, bodyAt, end, words);
  if (end - bodyAt < PASSPORT_BYTES) {
    return readBody(concatBytes(...pieces.map((piece) => piece.bytes.subarray(piece.bodyAt, piece.end))));
  }
  let length = 0;
  for (let i = 0; i < pieces.length; i++) length += pieces[i]!.end - pieces[i]!.bodyAt;
  if (length < BODY_BYTES_MIN || readU32(bytes, bodyAt + 12) !== length) return undefined;
  const hash = passportHash(bytes, bodyAt);
  let filled = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!;
    const from = i === 0 ? bodyAt + PASSPORT_BYTES : piece.bodyAt;
    if (!isFiller(hash, filled, piece.bytes, piece.words, from, piece.end)) return undefined;
    filled += piece.end - from;
  }
  return readPassport(bytes, bodyAt);
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

/** Each step is a permutation of the hash and of the word, so no change of one word goes unnoticed. */
function passportHash(bytes: Uint8Array, start: number): number {
  let hash = 0x811c_9dc5 | 0;
  for (let at = start; at < start + PASSPORT_BYTES; at += 4) {
    hash = Math.imul(hash ^ readI32(bytes, at), 0x0100_0193);
    hash ^= hash >>> 15;
  }
  return hash;
}

/**
 * Whether the bytes from `start` to `end` are those of the filler from its byte `filled` on. The words of the machine, which
 * is little-endian, seldom begin where those of the filler do: what is compared with one is the end of a word and the
 * beginning of the next.
 */
function isFiller(
  hash: number,
  filled: number,
  bytes: Uint8Array,
  words: Int32Array | undefined,
  start: number,
  end: number,
): boolean {
  let wrong = 0;
  let at = start;
  if (words !== undefined) {
    for (; at < end && (at & 3) !== 0; at++) wrong |= bytes[at]! ^ fillerByte(hash, filled + at - start);
    const place = filled + at - start;
    const bits = 8 * (place & 3);
    let word = (hash + Math.imul(place >> 2, FILLER_STEP)) | 0;
    for (; at + 4 <= end; at += 4) {
      const next = (word + FILLER_STEP) | 0;
      // In two steps, as a shift by 32 bits is one by none.
      wrong |= words[at >> 2]! ^ ((word >>> bits) | ((next << (31 - bits)) << 1));
      word = next;
    }
  }
  for (; at < end; at++) wrong |= bytes[at]! ^ fillerByte(hash, filled + at - start);
  return wrong === 0;
}

function fillerByte(hash: number, place: number): number {
  return ((hash + Math.imul(place >> 2, FILLER_STEP)) >>> (8 * (place & 3))) & 0xff;
}
