/**
 * The bytes of a server's journal: a line of text that names the format, then frames, one behind the other.
 *
 *     "lockstep journal 1\n"
 *     | length of the frame (32 bits) | fingerprint of its bytes (32 bits) | bytes … |
 *
 * What the frames hold is one row of items, and an item may begin in one frame and end in the next. A frame that is cut short
 * or damaged ends the row: everything before it is as it was written. An item is a kind and fields; numbers are varints, 7 bits
 * a byte, the lowest first. Bytes out of packets are sparse: how many there are, then in turn a run of bytes that were kept
 * and the length of a run of zeros in place of those that were not.
 *
 * Items are written by hand into memory that the host lends, because this happens for each packet; player.ts reads them.
 */
import { copyBytes, readU32, writeU32 } from "../base/bytes.ts";
import { utf8Encode } from "../base/text.ts";
import { createLanes, lanesWord, mixBytes } from "./lanes.ts";

/** The first line of a journal; the number is the format's version. */
export const JOURNAL_TITLE = "lockstep journal ";
/** The format's version; another one is refused. */
export const JOURNAL_VERSION = 1;

/** Bytes in front of those of a frame. */
export const FRAME_HEADER_BYTES = 8;

/** Memory that a journal may be lent at least: the longest item that is written in one go fits in. */
export const JOURNAL_MEMORY_BYTES = 65_536;

/** The longest item that is written in one go: a datagram, and numbers. */
export const ITEM_BYTES_MAX = 2_304;

/** The kinds of items. */
export const ITEM = {
  /** How the recording began: the boot record without its secret, and who wrote it. First of all. */
  BOOT: 1,
  /** The shard as it was before the next input; a journal without one begins with the shard's birth. */
  SNAPSHOT: 2,
  /** Inputs, by kind; each begins with its time, as the difference to the one before. */
  DATAGRAM: 3,
  COMMAND: 4,
  RELAY: 5,
  SHARD_LOST: 6,
  TIMER: 7,
  /** What the crypto provider answered to a call: bytes, yes or no, or what it has opened. */
  ANSWER: 8,
  VERDICT: 9,
  OPENED: 10,
  /** The input before has been handled: how many effects it had, and the fingerprint of all so far. */
  DONE: 11,
  /** The shard has thrown instead. */
  FAILED: 12,
  /** The shard has ended in order. */
  END: 13,
  /** Behind a snapshot: what is kept of a packet in a stream's cache. */
  CACHED: 14,
} as const;

/** The calls whose answers are written down. */
export const CALL = {
  HMAC_SHA256: 1,
  HMAC_SHA1: 2,
  ECDH_PUBLIC_KEY: 3,
  ECDH_SHARED_SECRET: 4,
  SIGN: 5,
  VERIFY: 6,
  CERTIFICATE: 7,
  OPEN: 8,
  CIPHER: 9,
  AUTH: 10,
} as const;

/** One Lockstep among all that there have been: who wrote a journal. */
export interface Program {
  readonly version: string;
  /** A fingerprint of the sources that decide what inputs lead to. */
  readonly core: string;
}

/** What a host lends to a journal, and does for it. */
export interface JournalSink {
  /** {@link JOURNAL_MEMORY_BYTES} or more. A frame is made in it; the first {@link FRAME_HEADER_BYTES} are its header. */
  readonly memory: Uint8Array;
  /** One number: how many bytes of the memory are written, the header among them. Another thread may look at it. */
  readonly written: Int32Array;
  /** Bytes of the page, that is of the journal in hand, which were drained. */
  readonly pageBytes: number;
  /** Takes the frame away (see {@link journalFrame}), and sets `written` to {@link FRAME_HEADER_BYTES}. */
  drain(): void;
  /** The same; then all that follows goes into a journal of its own. */
  turnPage(): void;
}

/** The first bytes of a journal. */
export function journalTitle(): Uint8Array {
  return utf8Encode(`${JOURNAL_TITLE}${JOURNAL_VERSION}\n`);
}

/** Completes the frame of `written` bytes in a journal's memory; they can be stored then. */
export function journalFrame(memory: Uint8Array, written: number): void {
  const length = written - FRAME_HEADER_BYTES;
  writeU32(memory, 0, length);
  writeU32(memory, 4, frameFingerprint(memory, FRAME_HEADER_BYTES, length));
}

/** The bytes of all whole frames from `offset` on, and where they end in the file. */
export function readFrames(file: Uint8Array, offset: number): { readonly bytes: Uint8Array; readonly end: number } {
  const bytes = new Uint8Array(file.length);
  let length = 0;
  let at = offset;
  while (at + FRAME_HEADER_BYTES <= file.length) {
    const frame = readU32(file, at);
    const from = at + FRAME_HEADER_BYTES;
    if (frame > file.length - from || frameFingerprint(file, from, frame) !== readU32(file, at + 4)) break;
    bytes.set(file.subarray(from, from + frame), length);
    length += frame;
    at = from + frame;
  }
  return { bytes: bytes.subarray(0, length), end: at };
}

/** Sees to it that so many bytes more have room in the memory. */
export function makeRoom(sink: JournalSink, bytes: number): void {
  if (sink.written[0]! + bytes > sink.memory.length) sink.drain();
}

/** Writes one byte; like all functions below but {@link putLong}, it needs room. */
export function putByte({ memory, written }: JournalSink, value: number): void {
  memory[written[0]!++] = value;
}

/** Writes an integer in 0 to 2^53-1: 8 bytes at most. */
export function putNumber({ memory, written }: JournalSink, value: number): void {
  let at = written[0]!;
  let rest = value;
  while (rest >= 0x8000_0000) {
    memory[at++] = 0x80 | (rest % 0x80);
    rest = Math.floor(rest / 0x80);
  }
  // Nearly all are small, and integers of the machine cost a tenth.
  let small = rest | 0;
  while (small >= 0x80) {
    memory[at++] = 0x80 | (small & 0x7f);
    small >>= 7;
  }
  memory[at++] = small;
  written[0] = at;
}

/** Writes an integer that may be negative: 8 bytes at most. */
export function putSigned(sink: JournalSink, value: number): void {
  putNumber(sink, value < 0 ? -2 * value - 1 : 2 * value);
}

/** Writes a fingerprint's lane. */
export function putWord({ memory, written }: JournalSink, value: number): void {
  writeU32(memory, written[0]!, value);
  written[0]! += 4;
}

/** Writes a run of bytes, their number first. */
export function putRun(sink: JournalSink, bytes: Uint8Array, offset: number, length: number): void {
  putNumber(sink, length);
  const { memory, written } = sink;
  copyBytes(bytes, offset, memory, written[0]!, length);
  written[0]! += length;
}

/** Writes any number of bytes, their number first; needs no room. */
export function putLong(sink: JournalSink, bytes: Uint8Array): void {
  makeRoom(sink, 8);
  putNumber(sink, bytes.length);
  const { memory, written } = sink;
  for (let at = 0; at < bytes.length; ) {
    if (written[0] === memory.length) sink.drain();
    const length = Math.min(bytes.length - at, memory.length - written[0]!);
    memory.set(bytes.subarray(at, at + length), written[0]!);
    written[0]! += length;
    at += length;
  }
}

/** Writes any number of bytes sparse, of which long runs of zeros are left out; needs no room. */
export function putSparse(sink: JournalSink, bytes: Uint8Array): void {
  makeRoom(sink, 8);
  putNumber(sink, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const kept = keptUntil(bytes, at);
    const zeros = zerosUntil(bytes, kept) - kept;
    putLong(sink, bytes.subarray(at, kept));
    makeRoom(sink, 8);
    putNumber(sink, zeros);
    at = kept + zeros;
  }
}

/** Zeros in a row that are worth a run of their own. */
const ZEROS_MIN = 16;

/** Where the next run of zeros begins that is worth it, or the bytes end. */
function keptUntil(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; ) {
    if (bytes[at] !== 0) at++;
    else {
      const end = zerosUntil(bytes, at);
      if (end - at >= ZEROS_MIN) return at;
      at = end;
    }
  }
  return bytes.length;
}

function zerosUntil(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] === 0) at++;
  return at;
}

function frameFingerprint(bytes: Uint8Array, offset: number, length: number): number {
  const lanes = createLanes();
  mixBytes(lanes, bytes, offset, length);
  return lanesWord(lanes);
}
