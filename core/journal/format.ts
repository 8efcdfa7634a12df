/**
 * The bytes of a server's journal: a line of text that names the format, then frames, one behind the other.
 *
 *     "lockstep journal 1\n"
 *     | length of the frame (32 bits) | fingerprint of its bytes (32 bits) | bytes … |
 *
 * What the frames hold is one row of items, and an item may begin in one frame and end in the next. A frame that is cut short
 * or damaged ends the row: everything before it is as it was written. A frame whose length has its highest bit set is a closing
 * one: nothing follows although the shard went on, and its bytes are a word that says why ({@link BEHIND}). An item is
 * a kind and fields; numbers are varints, 7 bits a byte, the lowest first. Bytes out of packets are sparse: how many there are,
 * then in turn a run of bytes that were kept and the length of a run of zeros in place of those that were not.
 *
 * Items are written by hand into memory that the host lends, because this happens for each packet; player.ts reads them.
 */
import { copyBytes, readU32, writeU32 } from "../base/bytes.ts";
import { utf8Decode, utf8Encode } from "../base/text.ts";
import { createLanes, lanesWord, mixBytes } from "./lanes.ts";

/** The first line of a journal; the number is the format's version. */
export const JOURNAL_TITLE = "lockstep journal ";
/** The format's version; another one is refused. */
export const JOURNAL_VERSION = 1;

/** Bytes in front of those of a frame. */
export const FRAME_HEADER_BYTES = 8;

/** The bit in the length of a closing frame. */
const CLOSING = 0x8000_0000;

/** The word of a closing frame where the disk did not keep up; any other is the system's word for an error. */
export const BEHIND = "BEHIND";

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
  /** The page has come to an end before its time, and can have a successor: {@link turnPage} is to be called. */
  readonly wantsPage: boolean;
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

/** A whole closing frame: the last of a journal that ends while its shard goes on, because of `why`. */
export function closingFrame(why: string): Uint8Array {
  const word = utf8Encode(why);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + word.length);
  frame.set(word, FRAME_HEADER_BYTES);
  journalFrame(frame, frame.length);
  writeU32(frame, 0, (CLOSING | word.length) >>> 0);
  return frame;
}

/** What the frames of a file come to. */
export interface Frames {
  /** The bytes of all whole frames. */
  readonly bytes: Uint8Array;
  /** Where they end in the file. */
  readonly end: number;
  /** The word of the closing frame; empty when there is none. */
  readonly why: string;
}

/** Reads all whole frames from `offset` on. */
export function readFrames(file: Uint8Array, offset: number): Frames {
  const bytes = new Uint8Array(file.length);
  let [length, at, why] = [0, offset, ""];
  while (why === "" && at + FRAME_HEADER_BYTES <= file.length) {
    const head = readU32(file, at);
    const frame = (head & ~CLOSING) >>> 0;
    const from = at + FRAME_HEADER_BYTES;
    if (frame > file.length - from || frameFingerprint(file, from, frame) !== readU32(file, at + 4)) break;
    if (head >= CLOSING) why = utf8Decode(file, from, frame);
    else {
      bytes.set(file.subarray(from, from + frame), length);
      length += frame;
    }
    at = from + frame;
  }
  return { bytes: bytes.subarray(0, length), end: at, why };
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
  const sparse = asSparse(bytes);
  for (let at = 0; at < bytes.length; ) {
    const kept = keptUntil(sparse, at);
    const zeros = zerosUntil(sparse, kept) - kept;
    putLong(sink, bytes.subarray(at, kept));
    makeRoom(sink, 8);
    putNumber(sink, zeros);
    at = kept + zeros;
  }
}

/** Zeros in a row that are worth a run of their own. */
const ZEROS_MIN = 16;

/** Bytes, and the whole words in them. */
interface Sparse {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

function asSparse(given: Uint8Array): Sparse {
  const bytes = given.byteOffset % 4 === 0 ? given : given.slice();
  return { bytes, words: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2) };
}

/**
 * Where the next run of zeros begins that is worth it, or the bytes end. Such a run has three whole words in it wherever it
 * begins, so every third word tells: a snapshot is gone through in a fifth of the time that its bytes one by one would take.
 */
function keptUntil(sparse: Sparse, from: number): number {
  const { bytes, words } = sparse;
  for (let word = (from + 3) >>> 2; word < words.length; ) {
    if (words[word] !== 0) {
      word += 3;
      continue;
    }
    let start = 4 * word;
    while (start > from && bytes[start - 1] === 0) start--;
    const end = zerosUntil(sparse, 4 * word);
    if (end - start >= ZEROS_MIN) return start;
    word = (end + 3) >>> 2;
  }
  return bytes.length;
}

function zerosUntil({ bytes, words }: Sparse, from: number): number {
  let at = from;
  while (at % 4 !== 0 && bytes[at] === 0) at++;
  if (at % 4 === 0) {
    let word = at >>> 2;
    while (word < words.length && words[word] === 0) word++;
    at = 4 * word;
  }
  while (at < bytes.length && bytes[at] === 0) at++;
  return at;
}

function frameFingerprint(bytes: Uint8Array, offset: number, length: number): number {
  const lanes = createLanes();
  mixBytes(lanes, bytes, offset, length);
  return lanesWord(lanes);
}
