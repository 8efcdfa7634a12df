/**
 * RTP header extensions (RFC 8285): small labelled values between header and payload.
 *
 *     one-byte form, profile 0xBEDE        two-byte form, profile 0x1000 to 0x100F
 *     |  id   | len-1 | len bytes ...      |      id       |     len       | len bytes ...
 *
 * An id means what the SDP says it means; inside Lockstep a meaning has a number of its own, its kind. A scan walks a block
 * once and notes where each element lies. A malformed element ends the walk: what stood before it counts, as RFC 8285 §4.2
 * asks, and nothing is read beyond the block. The writer begins in the one-byte form and turns what it has written into the
 * two-byte form when an element asks for it, for a receiver that allows the mixture (`a=extmap-allow-mixed`, §4.1.2); for
 * another one it leaves such an element out.
 */
import { copyBytes, readU16, writeU16, writeU32 } from "../base/bytes.ts";
import { LIMITS } from "../limits.ts";
import { RTP_HEADER_BYTES, rtpCsrcCount, rtpHasExtension } from "./rtp.ts";

/** The kinds of header extension that Lockstep knows; 0 is none. */
export const HEADER_EXTENSION = {
  MID: 1,
  RID: 2,
  REPAIRED_RID: 3,
  AUDIO_LEVEL: 4,
  TRANSPORT_CC: 5,
  ABS_SEND_TIME: 6,
  DEPENDENCY_DESCRIPTOR: 7,
  VIDEO_ORIENTATION: 8,
  PLAYOUT_DELAY: 9,
  VIDEO_CONTENT_TYPE: 10,
  VIDEO_TIMING: 11,
  COLOR_SPACE: 12,
  VIDEO_LAYERS_ALLOCATION: 13,
  TRANSMISSION_OFFSET: 14,
} as const;

/** One more than the highest kind: the length of a table that is indexed by kind. */
export const HEADER_EXTENSION_KINDS = 15;

/** Kind to URI; "" at 0. */
export const HEADER_EXTENSION_URI: readonly string[] = [
  "",
  "urn:ietf:params:rtp-hdrext:sdes:mid",
  "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
  "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
  "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
  "urn:3gpp:video-orientation",
  "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
  "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type",
  "http://www.webrtc.org/experiments/rtp-hdrext/video-timing",
  "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
  "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
  "urn:ietf:params:rtp-hdrext:toffset",
];

/** The kind with this URI, or 0. */
export function headerExtensionKind(uri: string): number {
  return Math.max(0, HEADER_EXTENSION_URI.indexOf(uri));
}

/** Where the elements of one packet lie; made once and filled for each packet. */
export interface ExtensionScan {
  /** How many elements were found, at most `LIMITS.headerExtensionsMax`. */
  count: number;
  /** The id of each, 1 to 255. */
  ids: Uint8Array;
  /** Where the value of each begins: an index into the array that was scanned. */
  offsets: Uint32Array;
  /** The length of each value, 0 to 255. */
  lengths: Uint8Array;
}

/** A scan without elements. */
export function createExtensionScan(): ExtensionScan {
  return {
    count: 0,
    ids: new Uint8Array(LIMITS.headerExtensionsMax),
    offsets: new Uint32Array(LIMITS.headerExtensionsMax),
    lengths: new Uint8Array(LIMITS.headerExtensionsMax),
  };
}

const PROFILE_ONE_BYTE = 0xbede;
const PROFILE_TWO_BYTE = 0x1000;
/** The low four bits of the two-byte profile are the application's (RFC 8285 §4.3). */
const PROFILE_TWO_BYTE_MASK = 0xfff0;
const BLOCK_HEADER_BYTES = 4;
const ID_STOP = 15;
const ONE_BYTE_ID_MAX = 14;
const ONE_BYTE_LENGTH_MAX = 16;

/**
 * Notes the elements of the RTP packet of `length` bytes at `offset`, which must have passed `rtpCheckHeader`. A packet
 * without a block, or with one of a profile that is not RFC 8285's, has none. Elements beyond the bound are left out.
 */
export function headerExtensionsScan(scan: ExtensionScan, bytes: Uint8Array, offset: number, length: number): void {
  scan.count = 0;
  if (!rtpHasExtension(bytes, offset)) return;
  const block = offset + RTP_HEADER_BYTES + 4 * rtpCsrcCount(bytes, offset);
  const profile = readU16(bytes, block);
  const start = block + BLOCK_HEADER_BYTES;
  const end = Math.min(start + 4 * readU16(bytes, block + 2), offset + length);
  if (profile === PROFILE_ONE_BYTE) scanOneByte(scan, bytes, start, end);
  else if ((profile & PROFILE_TWO_BYTE_MASK) === PROFILE_TWO_BYTE) scanTwoByte(scan, bytes, start, end);
}

/** The index of the first element with this id, or -1. */
export function headerExtensionFind(scan: ExtensionScan, id: number): number {
  for (let i = 0; i < scan.count; i++) if (scan.ids[i] === id) return i;
  return -1;
}

function scanOneByte(scan: ExtensionScan, bytes: Uint8Array, start: number, end: number): void {
  let at = start;
  while (at < end && scan.count < LIMITS.headerExtensionsMax) {
    const head = bytes[at]!;
    if (head === 0) {
      at++;
      continue;
    }
    const id = head >> 4;
    const length = (head & 15) + 1;
    // Id 0 with a length, and id 15, end the block (RFC 8285 §4.2).
    if (id === 0 || id === ID_STOP || at + 1 + length > end) return;
    note(scan, id, at + 1, length);
    at += 1 + length;
  }
}

function scanTwoByte(scan: ExtensionScan, bytes: Uint8Array, start: number, end: number): void {
  let at = start;
  while (at < end && scan.count < LIMITS.headerExtensionsMax) {
    const id = bytes[at]!;
    if (id === 0) {
      at++;
      continue;
    }
    if (at + 2 > end) return;
    const length = bytes[at + 1]!;
    if (at + 2 + length > end) return;
    note(scan, id, at + 2, length);
    at += 2 + length;
  }
}

function note(scan: ExtensionScan, id: number, offset: number, length: number): void {
  const index = scan.count;
  scan.ids[index] = id;
  scan.offsets[index] = offset;
  scan.lengths[index] = length;
  scan.count = index + 1;
}

/**
 * The word behind the head of a block that has this one element, in the one-byte form; 0 when the element does not fit a
 * word or has no id. Most blocks that an SFU writes have a mid of a character or two and nothing else.
 */
export function headerExtensionsWord(id: number, value: Uint8Array): number {
  if (id === 0 || id > ONE_BYTE_ID_MAX || value.length === 0 || value.length > 3) return 0;
  const [first, second = 0, third = 0] = value;
  return (id << 28) | ((value.length - 1) << 24) | (first! << 16) | (second << 8) | third;
}

/** Writes a block of one element, known by its word; answers its length, 8 bytes. */
export function headerExtensionsWriteWord(bytes: Uint8Array, offset: number, word: number): number {
  writeU16(bytes, offset, PROFILE_ONE_BYTE);
  writeU16(bytes, offset + 2, 1);
  writeU32(bytes, offset + BLOCK_HEADER_BYTES, word);
  return BLOCK_HEADER_BYTES + 4;
}

/** The state of a block that is being written; made once and begun again for each packet. */
export interface ExtensionWriter {
  /** Where the block begins. */
  start: number;
  /** Where the next element goes. */
  at: number;
  /** The first index that must not be written. */
  limit: number;
  /** Elements written. */
  count: number;
  /** Whether the block may go over to the two-byte form, and whether it has. */
  mayGrow: boolean;
  twoByte: boolean;
}

/** A writer that has yet to begin. */
export function createExtensionWriter(): ExtensionWriter {
  return { start: 0, at: 0, limit: 0, count: 0, mayGrow: false, twoByte: false };
}

/**
 * Begins a block at `offset`; nothing is written at or behind `limit`, which leaves room for the block's own 4 bytes.
 * `mayGrow` says whether the receiver takes both forms.
 */
export function headerExtensionsBegin(writer: ExtensionWriter, offset: number, limit: number, mayGrow: boolean): void {
  writer.start = offset;
  writer.at = offset + BLOCK_HEADER_BYTES;
  writer.limit = limit;
  writer.count = 0;
  writer.mayGrow = mayGrow;
  writer.twoByte = false;
}

/**
 * Adds an element with this id (1 to 255) whose value is `length` bytes (0 to 255) of `source`, which must not lie in the
 * block. Answers false, and writes nothing, when there is no room for it or it asks for a form that the receiver does not take.
 */
export function headerExtensionsAdd(
  writer: ExtensionWriter,
  bytes: Uint8Array,
  id: number,
  source: Uint8Array,
  sourceOffset: number,
  length: number,
): boolean {
  const at = headerExtensionsReserve(writer, bytes, id, length);
  if (at < 0) return false;
  copyBytes(source, sourceOffset, bytes, at, length);
  return true;
}

/** As {@link headerExtensionsAdd}, but leaves the value to the caller: answers where it goes, or -1 when it goes nowhere. */
export function headerExtensionsReserve(
  writer: ExtensionWriter,
  bytes: Uint8Array,
  id: number,
  length: number,
): number {
  const twoByte = writer.twoByte || id > ONE_BYTE_ID_MAX || length < 1 || length > ONE_BYTE_LENGTH_MAX;
  if (twoByte && !writer.mayGrow) return -1;
  const growth = twoByte && !writer.twoByte ? writer.count : 0;
  const headLength = twoByte ? 2 : 1;
  const end = writer.at + growth + headLength + length;
  // The end is rounded up to a word, counted from the block's start, when the block is closed.
  if (writer.start + roundedToWord(end - writer.start) > writer.limit) return -1;
  if (twoByte && !writer.twoByte) turnIntoTwoByte(writer, bytes);
  const at = writer.at;
  if (twoByte) {
    bytes[at] = id;
    bytes[at + 1] = length;
  } else {
    bytes[at] = (id << 4) | (length - 1);
  }
  writer.at = end;
  writer.count++;
  return at + headLength;
}

/**
 * Ends the block with padding and its header, and answers its length: a multiple of 4, or 0 when it has no element (then
 * nothing is written, and the packet needs no extension bit).
 */
export function headerExtensionsEnd(writer: ExtensionWriter, bytes: Uint8Array): number {
  if (writer.count === 0) return 0;
  const length = roundedToWord(writer.at - writer.start);
  const end = writer.start + length;
  for (let at = writer.at; at < end; at++) bytes[at] = 0;
  writer.at = end;
  writeU16(bytes, writer.start, writer.twoByte ? PROFILE_TWO_BYTE : PROFILE_ONE_BYTE);
  writeU16(bytes, writer.start + 2, (length - BLOCK_HEADER_BYTES) >> 2);
  return length;
}

/** Gives each element a second head byte: all move up by the number of elements, then each comes down to its place. */
function turnIntoTwoByte(writer: ExtensionWriter, bytes: Uint8Array): void {
  const first = writer.start + BLOCK_HEADER_BYTES;
  for (let at = writer.at - 1; at >= first; at--) bytes[at + writer.count] = bytes[at]!;
  let from = first + writer.count;
  let to = first;
  for (let i = 0; i < writer.count; i++) {
    const head = bytes[from]!;
    const length = (head & 15) + 1;
    bytes[to] = head >> 4;
    bytes[to + 1] = length;
    for (let k = 0; k < length; k++) bytes[to + 2 + k] = bytes[from + 1 + k]!;
    from += 1 + length;
    to += 2 + length;
  }
  writer.at = to;
  writer.twoByte = true;
}

function roundedToWord(length: number): number {
  return (length + 3) & ~3;
}
