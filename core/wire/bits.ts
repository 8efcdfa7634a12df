/**
 * Reading fields that are not whole bytes: the sequence headers of H.264, VP9 and AV1, and the dependency descriptor.
 *
 * The most significant bit comes first. A read past the end gives zero bits and sets `overrun`, so that a parser can read
 * on and ask once, at the end, whether all of it was there. One small object is made per header; keyframes and template
 * structures are rare enough for that.
 */

/** A place in a range of bits. */
export interface BitReader {
  readonly bytes: Uint8Array;
  /** The next bit, counted from bit 7 of `bytes[0]`. */
  position: number;
  /** The first bit that must not be read. */
  readonly end: number;
  /** Whether a read went past the end. */
  overrun: boolean;
}

/** A reader at the first bit of `length` bytes at `offset`. */
export function createBitReader(bytes: Uint8Array, offset: number, length: number): BitReader {
  return { bytes, position: 8 * offset, end: 8 * (offset + length), overrun: false };
}

/** The next `count` bits (0 to 32) as an unsigned number. */
export function readBits(reader: BitReader, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value = value * 2 + readBit(reader);
  return value;
}

/** The next bit, 0 or 1. */
export function readBit(reader: BitReader): number {
  if (reader.position >= reader.end) {
    reader.overrun = true;
    return 0;
  }
  const bit = (reader.bytes[reader.position >> 3]! >> (7 - (reader.position & 7))) & 1;
  reader.position++;
  return bit;
}

/** Goes over `count` bits. */
export function skipBits(reader: BitReader, count: number): void {
  reader.position += count;
  if (reader.position > reader.end) {
    reader.position = reader.end;
    reader.overrun = true;
  }
}

/**
 * An Exp-Golomb number, `ue(v)` of H.264 §9.1 and `uvlc()` of AV1 §4.10.3: 0 to 2^32-2. More than 31 leading zeros is
 * longer than any field that is read here, and counts as an overrun.
 */
export function readExpGolomb(reader: BitReader): number {
  let zeros = 0;
  while (readBit(reader) === 0) {
    zeros++;
    if (zeros > 31) reader.overrun = true;
    if (reader.overrun) return 0;
  }
  let power = 1;
  for (let i = 0; i < zeros; i++) power *= 2;
  return power - 1 + readBits(reader, zeros);
}

/** A signed Exp-Golomb number, `se(v)` of H.264 §9.1.1. */
export function readSignedExpGolomb(reader: BitReader): number {
  const code = readExpGolomb(reader);
  return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
}

/** A number below `bound` (1 or more) in as few bits as it takes, `ns(n)` of AV1 §4.10.7. */
export function readNonSymmetric(reader: BitReader, bound: number): number {
  let width = 0;
  for (let rest = bound; rest > 0; rest >>= 1) width++;
  const short = (1 << width) - bound;
  const value = readBits(reader, width - 1);
  return value < short ? value : value * 2 - short + readBit(reader);
}
