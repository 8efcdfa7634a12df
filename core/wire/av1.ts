/**
 * AV1 in RTP (RTP Payload Format For AV1 §4.4): an aggregation header of one byte, then OBU elements.
 *
 *      0 1 2 3 4 5 6 7
 *     |Z|Y| W |N|-|-|-|   Z: the first element goes on from the packet before; Y: the last one goes on in the next
 *                         W: how many elements, 0 when each has its length in front; N: a coded video sequence begins
 *
 * With W above 0 the last element has no length. Which layer a packet belongs to, and where its frame begins and ends,
 * stands in the dependency descriptor (core/wire/dependency-descriptor.ts), so OBUs are opened only to find the size of the
 * picture in a sequence header (AV1 bitstream §5.5.1).
 */
import { copyBytes } from "../base/bytes.ts";
import { type BitReader, createBitReader, readBit, readBits, readExpGolomb, skipBits } from "./bits.ts";

const Z_BIT = 0x80;
const Y_BIT = 0x40;
const N_BIT = 0x08;

const OBU_SEQUENCE_HEADER = 1;
const OBU_EXTENSION_BIT = 0x04;
const OBU_SIZE_BIT = 0x02;
/** A sequence header comes first, behind a temporal delimiter at most; later elements are not looked at. */
const ELEMENTS_MAX = 4;
const LEB128_BYTES_MAX = 4;
/** No sequence header is longer up to its size: 32 operating points with decoder models stay below. */
const SEQUENCE_HEADER_BYTES_MAX = 384;

/** Whether the first element goes on from the packet before. */
export function av1ContinuesElement(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & Z_BIT) !== 0;
}

/** Whether the last element goes on in the next packet. */
export function av1IsContinued(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & Y_BIT) !== 0;
}

/** How many elements the packet holds, 1 to 3, or 0 when each has its length in front. */
export function av1ElementCount(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! >> 4) & 3;
}

/** Whether a keyframe begins in this payload: N is set on the first packet of a coded video sequence, and Z is not. */
export function av1IsKeyframe(bytes: Uint8Array, offset: number, length: number): boolean {
  return length >= 2 && (bytes[offset]! & (Z_BIT | N_BIT)) === N_BIT;
}

/** Width << 16 | height as the sequence header in this payload says: of the highest layer; 0 when there is none. */
export function av1FrameSize(bytes: Uint8Array, offset: number, length: number): number {
  if (length < 2 || av1ContinuesElement(bytes, offset)) return 0;
  const count = av1ElementCount(bytes, offset);
  const end = offset + length;
  let at = offset + 1;
  for (let i = 1; i <= ELEMENTS_MAX && at < end; i++) {
    const body = elementBody(bytes, at, end, count === 0 || i < count);
    const elementEnd = body === at ? end : body + leb128(bytes, at, body - at);
    if (body < 0 || elementEnd > end || elementEnd <= body) return 0;
    if (isSequenceHeader(bytes, body)) return obuSequenceSize(bytes, body, elementEnd);
    at = elementEnd;
  }
  return 0;
}

/**
 * Writes into `target` at `to` what this file reads of a payload, with zeros for the rest in between, and answers how many
 * bytes that is: the aggregation header; of keyframes also the headers of the first OBUs, and a sequence header.
 */
export function av1CopyHead(bytes: Uint8Array, offset: number, length: number, target: Uint8Array, to: number): number {
  if (length < 1) return 0;
  target[to] = bytes[offset]!;
  if (!av1IsKeyframe(bytes, offset, length)) return 1;
  const count = av1ElementCount(bytes, offset);
  const end = offset + length;
  let written = offset + 1;
  let at = written;
  for (let i = 1; i <= ELEMENTS_MAX && at < end; i++) {
    const body = elementBody(bytes, at, end, count === 0 || i < count);
    const elementEnd = body === at ? end : body + leb128(bytes, at, body - at);
    // A length that can't be read, or leads nowhere, is all that is read of the rest.
    const isWhole = body >= 0 && elementEnd <= end && elementEnd > body;
    const isWanted = isWhole && isSequenceHeader(bytes, body);
    const last = body < 0 ? at + LEB128_BYTES_MAX : body + (isWanted ? SEQUENCE_HEADER_BYTES_MAX : 1);
    const kept = Math.min(last, isWhole ? elementEnd : end);
    target.fill(0, to + written - offset, to + at - offset);
    copyBytes(bytes, at, target, to + at - offset, kept - at);
    written = kept;
    if (!isWhole || isWanted) break;
    at = elementEnd;
  }
  return written - offset;
}

function isSequenceHeader(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at]! >> 3) & 15) === OBU_SEQUENCE_HEADER;
}

/** Where the element at `at` begins behind its length, if it has one; -1 when that can't be read. */
function elementBody(bytes: Uint8Array, at: number, end: number, hasLength: boolean): number {
  if (!hasLength) return at;
  const count = leb128Bytes(bytes, at, end);
  return count === 0 ? -1 : at + count;
}

/** Bytes of the LEB128 number at `at`, 1 to 4, or 0 when it is cut short or longer. */
function leb128Bytes(bytes: Uint8Array, at: number, end: number): number {
  for (let i = 0; i < LEB128_BYTES_MAX && at + i < end; i++) if (bytes[at + i]! < 0x80) return i + 1;
  return 0;
}

function leb128(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value |= (bytes[at + i]! & 0x7f) << (7 * i);
  return value;
}

function obuSequenceSize(bytes: Uint8Array, start: number, end: number): number {
  const head = bytes[start]!;
  let at = start + ((head & OBU_EXTENSION_BIT) !== 0 ? 2 : 1);
  if ((head & OBU_SIZE_BIT) !== 0) {
    const sizeBytes = leb128Bytes(bytes, at, end);
    if (sizeBytes === 0) return 0;
    at += sizeBytes;
  }
  return at < end ? sequenceHeaderSize(createBitReader(bytes, at, end - at)) : 0;
}

/** Reads a sequence header up to max_frame_height_minus_1. */
function sequenceHeaderSize(reader: BitReader): number {
  skipBits(reader, 4);
  const isReduced = readBit(reader);
  if (isReduced === 1) skipBits(reader, 5);
  else skipOperatingPoints(reader);
  const widthBits = readBits(reader, 4) + 1;
  const heightBits = readBits(reader, 4) + 1;
  const width = readBits(reader, widthBits) + 1;
  const height = readBits(reader, heightBits) + 1;
  return reader.overrun || width > 0x7fff || height > 0xffff ? 0 : (width << 16) | height;
}

function skipOperatingPoints(reader: BitReader): void {
  let delayBits = 0;
  let hasDecoderModel = 0;
  if (readBit(reader) === 1) {
    skipBits(reader, 64);
    if (readBit(reader) === 1) readExpGolomb(reader);
    hasDecoderModel = readBit(reader);
    if (hasDecoderModel === 1) {
      delayBits = readBits(reader, 5) + 1;
      skipBits(reader, 42);
    }
  }
  const hasInitialDelay = readBit(reader);
  const points = readBits(reader, 5) + 1;
  for (let i = 0; i < points && !reader.overrun; i++) {
    skipBits(reader, 12);
    if (readBits(reader, 5) > 7) skipBits(reader, 1);
    if (hasDecoderModel === 1 && readBit(reader) === 1) skipBits(reader, 2 * delayBits + 1);
    if (hasInitialDelay === 1 && readBit(reader) === 1) skipBits(reader, 4);
  }
}
