/**
 * Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1): which packets of a
 * transport arrived, and when.
 *
 *     | base sequence number          |     packet status count       |
 *     |      reference time, 64 ms units              | feedback count|
 *     | packet chunks, 16 bits each ...
 *     | receive deltas, 8 or 16 bits each, 250 µs units ...
 *
 *     run length     |0| S | number of packets, 13 bits |     all of symbol S
 *     status vector  |1|0| 14 symbols of one bit |   or   |1|1| 7 symbols of two bits |
 *
 * A symbol is also the number of bytes of its delta: 0 is not received, 1 a small delta (0 to 63.75 ms), 2 a large or
 * negative one (-8.192 to 8.19175 s). The first delta counts from the reference time. Feedback is written and read twenty
 * times a second per peer, so the writer makes two small arrays; the reader fills a record that is used again.
 */
import { readU16, readU24, readU32, writeU16, writeU24 } from "../base/bytes.ts";
import { seqAdd16 } from "../base/sequence.ts";
import { LIMITS } from "../limits.ts";
import {
  FEEDBACK_HEADER_BYTES,
  RTCP_TYPE,
  rtcpContentLength,
  rtcpCountOrFormat,
  rtcpPacketType,
  TRANSPORT_FORMAT,
} from "./rtcp.ts";
import { writeFeedbackHeader } from "./rtcp-feedback.ts";

/** Microseconds of one unit of the reference time. */
export const TRANSPORT_REFERENCE_MICROS = 64_000;

/** Microseconds of one unit of a receive delta. */
export const TRANSPORT_DELTA_MICROS = 250;

const FIXED_BYTES = FEEDBACK_HEADER_BYTES + 8;
const CHUNK_BYTES = 2;
const RUN_MAX = 0x1fff;
const ONE_BIT_SYMBOLS = 14;
const TWO_BIT_SYMBOLS = 7;
const VECTOR_BIT = 0x8000;
const TWO_BIT_BIT = 0x4000;
const LARGE = 2;
const DELTA_SMALL_MAX = 255;
const DELTA_MIN = -32_768;
const DELTA_MAX = 32_767;
const PADDING_BIT = 0x20;

/** The latest reference time that is not after `arrivalMicros`: what to write a feedback with whose first packet it is. */
export function transportReferenceTime(arrivalMicros: number): number {
  return Math.floor(arrivalMicros / TRANSPORT_REFERENCE_MICROS);
}

/**
 * Writes feedback about `count` packets (at most 65535) from `baseSequence` on. `arrivals[i]` is when packet
 * `baseSequence + i` arrived, in microseconds, or -1 when it is missing. `referenceTime` is {@link transportReferenceTime}
 * of the first arrival, not cut to 24 bits. Answers the length, a multiple of 4 and at most `lengthMax`.
 *
 * The feedback ends early, before a packet whose delta does not fit or for which there is no room: how many packets it
 * speaks of is then less than `count`, and stands in what was written ({@link transportFeedbackStatusCount}). The answer is
 * 0, and nothing is written, when not even the first packet fits.
 */
export function writeTransportFeedback(
  bytes: Uint8Array,
  offset: number,
  lengthMax: number,
  senderSsrc: number,
  mediaSsrc: number,
  baseSequence: number,
  count: number,
  feedbackCount: number,
  referenceTime: number,
  arrivals: Float64Array,
): number {
  const symbols = new Uint8Array(count);
  const deltas = new Int16Array(count);
  const consumed = measure(symbols, deltas, arrivals, count, referenceTime * TRANSPORT_REFERENCE_MICROS, lengthMax);
  if (consumed === 0) return 0;
  writeU16(bytes, offset + 12, baseSequence);
  writeU16(bytes, offset + 14, consumed);
  writeU24(bytes, offset + 16, referenceTime);
  bytes[offset + 19] = feedbackCount;
  const deltasAt = writeChunks(bytes, offset + FIXED_BYTES, symbols, consumed);
  const end = writeDeltas(bytes, deltasAt, symbols, deltas, consumed);
  return finish(bytes, offset, end, senderSsrc, mediaSsrc);
}

/** Whether the packet at `offset`, which passed `rtcpCheck`, is transport-wide feedback. */
export function isTransportFeedback(bytes: Uint8Array, offset: number): boolean {
  return (
    rtcpPacketType(bytes, offset) === RTCP_TYPE.TRANSPORT_FEEDBACK &&
    rtcpCountOrFormat(bytes, offset) === TRANSPORT_FORMAT.TRANSPORT_WIDE &&
    rtcpContentLength(bytes, offset) >= FIXED_BYTES
  );
}

/** Of how many packets the feedback at `offset` speaks, received or not. */
export function transportFeedbackStatusCount(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset + 14);
}

/** What a feedback says; made once and filled for each. */
export interface TransportFeedback {
  senderSsrc: number;
  mediaSsrc: number;
  /** The first sequence number that it speaks of. */
  baseSequence: number;
  /** How many sequence numbers it speaks of. Those that are not among the received ones are missing. */
  statusCount: number;
  /** Modulo 2^24, in 64 ms units. */
  referenceTime: number;
  /** Counts the feedback packets, modulo 256. */
  feedbackCount: number;
  /** How many of the entries below are filled. */
  receivedCount: number;
  /** The packets that arrived, in order of sequence. */
  sequences: Uint16Array;
  /** When each arrived, in microseconds of the clock that `referenceTime` × 64000 belongs to. */
  arrivals: Float64Array;
}

/** A record that nothing has been read into. */
export function createTransportFeedback(): TransportFeedback {
  return {
    senderSsrc: 0,
    mediaSsrc: 0,
    baseSequence: 0,
    statusCount: 0,
    referenceTime: 0,
    feedbackCount: 0,
    receivedCount: 0,
    sequences: new Uint16Array(LIMITS.transportFeedbackPacketsMax),
    arrivals: new Float64Array(LIMITS.transportFeedbackPacketsMax),
  };
}

/**
 * Reads the feedback at `offset`, for which {@link isTransportFeedback} was true. Answers false when chunks or deltas are
 * missing, a symbol is reserved, or more packets are said to have arrived than the record holds; what is in the record is
 * then worth nothing. Packets that are missing cost no time of their own when they stand in runs.
 */
export function readTransportFeedback(feedback: TransportFeedback, bytes: Uint8Array, offset: number): boolean {
  feedback.senderSsrc = readU32(bytes, offset + 4);
  feedback.mediaSsrc = readU32(bytes, offset + 8);
  feedback.baseSequence = readU16(bytes, offset + 12);
  feedback.statusCount = transportFeedbackStatusCount(bytes, offset);
  feedback.referenceTime = readU24(bytes, offset + 16);
  feedback.feedbackCount = bytes[offset + 19]!;
  feedback.receivedCount = 0;
  const end = offset + rtcpContentLength(bytes, offset);
  const deltasAt = readChunks(feedback, bytes, offset + FIXED_BYTES, end);
  return deltasAt >= 0 && readDeltas(feedback, bytes, deltasAt, end);
}

/** Fills symbols and deltas, and answers how many packets fit. */
function measure(
  symbols: Uint8Array,
  deltas: Int16Array,
  arrivals: Float64Array,
  count: number,
  referenceMicros: number,
  lengthMax: number,
): number {
  let previous = 0;
  let deltaBytes = 0;
  for (let i = 0; i < count; i++) {
    const arrival = arrivals[i]!;
    let symbol = 0;
    if (arrival >= 0) {
      // Rounding each arrival, not each delta, keeps the error from adding up.
      const ticks = Math.floor((arrival - referenceMicros) / TRANSPORT_DELTA_MICROS);
      const delta = ticks - previous;
      if (delta < DELTA_MIN || delta > DELTA_MAX) return i;
      symbol = delta >= 0 && delta <= DELTA_SMALL_MAX ? 1 : LARGE;
      deltas[i] = delta;
      previous = ticks;
    }
    deltaBytes += symbol;
    // Every chunk but the last covers seven packets or more.
    const chunkBytes = CHUNK_BYTES * Math.ceil((i + 1) / TWO_BIT_SYMBOLS);
    if (((FIXED_BYTES + chunkBytes + deltaBytes + 3) & ~3) > lengthMax) return i;
    symbols[i] = symbol;
  }
  return count;
}

/** Writes the chunks, each time the one that covers most, and answers where they end. */
function writeChunks(bytes: Uint8Array, start: number, symbols: Uint8Array, count: number): number {
  let at = start;
  let index = 0;
  while (index < count) {
    const rest = count - index;
    const run = runLength(symbols, index, count);
    let chunk: number;
    if (run === rest || run >= ONE_BIT_SYMBOLS) {
      chunk = (symbols[index]! << 13) | run;
      index += run;
    } else if (fitsOneBit(symbols, index, Math.min(count, index + ONE_BIT_SYMBOLS))) {
      chunk = VECTOR_BIT | vector(symbols, index, count, ONE_BIT_SYMBOLS, 1);
      index += Math.min(rest, ONE_BIT_SYMBOLS);
    } else if (run >= TWO_BIT_SYMBOLS) {
      chunk = (symbols[index]! << 13) | run;
      index += run;
    } else {
      chunk = VECTOR_BIT | TWO_BIT_BIT | vector(symbols, index, count, TWO_BIT_SYMBOLS, 2);
      index += Math.min(rest, TWO_BIT_SYMBOLS);
    }
    writeU16(bytes, at, chunk);
    at += CHUNK_BYTES;
  }
  return at;
}

function runLength(symbols: Uint8Array, index: number, count: number): number {
  const end = Math.min(count, index + RUN_MAX);
  let at = index + 1;
  while (at < end && symbols[at] === symbols[index]) at++;
  return at - index;
}

function fitsOneBit(symbols: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (symbols[i]! === LARGE) return false;
  return true;
}

/** `width` symbols of `bits` bits, the first one highest; "not received" behind the end. */
function vector(symbols: Uint8Array, index: number, count: number, width: number, bits: number): number {
  let value = 0;
  for (let i = index; i < index + width; i++) value = (value << bits) | (i < count ? symbols[i]! : 0);
  return value;
}

function writeDeltas(bytes: Uint8Array, start: number, symbols: Uint8Array, deltas: Int16Array, count: number): number {
  let at = start;
  for (let i = 0; i < count; i++) {
    if (symbols[i] === LARGE) writeU16(bytes, at, deltas[i]!);
    else if (symbols[i] === 1) bytes[at] = deltas[i]!;
    at += symbols[i]!;
  }
  return at;
}

/** Pads to a word and writes the header. The padding is declared as such, as libwebrtc does it. */
function finish(bytes: Uint8Array, offset: number, end: number, senderSsrc: number, mediaSsrc: number): number {
  const padding = -(end - offset) & 3;
  for (let i = 0; i < padding; i++) bytes[end + i] = i === padding - 1 ? padding : 0;
  const length = end - offset + padding;
  writeFeedbackHeader(
    bytes,
    offset,
    RTCP_TYPE.TRANSPORT_FEEDBACK,
    TRANSPORT_FORMAT.TRANSPORT_WIDE,
    senderSsrc,
    mediaSsrc,
    length,
  );
  if (padding > 0) bytes[offset] = bytes[offset]! | PADDING_BIT;
  return length;
}

/**
 * Notes each packet that arrived, with its symbol where its arrival will stand, and answers where the deltas begin, or -1.
 */
function readChunks(feedback: TransportFeedback, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let index = 0;
  while (index < feedback.statusCount) {
    if (at + CHUNK_BYTES > end) return -1;
    const chunk = readU16(bytes, at);
    at += CHUNK_BYTES;
    const rest = feedback.statusCount - index;
    if ((chunk & VECTOR_BIT) === 0) {
      const run = Math.min(chunk & RUN_MAX, rest);
      // A run of nothing gets nowhere; who sends one is not understood.
      if (run === 0 || !noteRun(feedback, index, run, chunk >> 13)) return -1;
      index += run;
      continue;
    }
    const bits = (chunk & TWO_BIT_BIT) === 0 ? 1 : 2;
    const width = Math.min(ONE_BIT_SYMBOLS / bits, rest);
    for (let i = 0; i < width; i++) {
      const symbol = (chunk >> (ONE_BIT_SYMBOLS - bits * (i + 1))) & (bits === 1 ? 1 : 3);
      if (!noteRun(feedback, index + i, 1, symbol)) return -1;
    }
    index += width;
  }
  return at;
}

function noteRun(feedback: TransportFeedback, index: number, run: number, symbol: number): boolean {
  if (symbol === 0) return true;
  if (symbol > LARGE || feedback.receivedCount + run > feedback.sequences.length) return false;
  for (let i = 0; i < run; i++) {
    const entry = feedback.receivedCount++;
    feedback.sequences[entry] = seqAdd16(feedback.baseSequence, index + i);
    feedback.arrivals[entry] = symbol;
  }
  return true;
}

function readDeltas(feedback: TransportFeedback, bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  let arrival = feedback.referenceTime * TRANSPORT_REFERENCE_MICROS;
  for (let i = 0; i < feedback.receivedCount; i++) {
    const symbol = feedback.arrivals[i]!;
    if (at + symbol > end) return false;
    const delta = symbol === LARGE ? (readU16(bytes, at) << 16) >> 16 : bytes[at]!;
    arrival += delta * TRANSPORT_DELTA_MICROS;
    feedback.arrivals[i] = arrival;
    at += symbol;
  }
  return true;
}
