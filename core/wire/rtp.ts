/**
 * The RTP packet (RFC 3550 §5.1) as a view over bytes.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *     |                           timestamp                           |
 *     |                             SSRC                              |
 *     |                       CSRC, CC of them                        |
 *     |    profile of the extension   |     its length in words       |  X
 *     |                  header extension, payload                    |
 *     |                                   padding     | padding count |  P
 *
 * {@link rtpCheckHeader} judges a packet while its payload is still sealed (the padding count is sealed with it),
 * {@link rtpCheck} judges an open one. After OK no accessor can fail. `offset` is always where the packet begins. What the
 * extension block holds is the matter of core/wire/header-extensions.ts.
 */
import { readI32, readU16, readU32, writeU16, writeU32 } from "../base/bytes.ts";

/** What a check answers. */
export const RTP = {
  OK: 0,
  /** Fewer bytes than the header says it has. */
  SHORT: 1,
  /** Not version 2. */
  VERSION: 2,
  /** The extension block reaches past the end. */
  EXTENSION: 3,
  /** The padding count is 0, or more than the payload has. */
  PADDING: 4,
} as const;

/** Bytes of the header without CSRCs and extension block. */
export const RTP_HEADER_BYTES = 12;

const SECOND_BYTE = 1;
const SEQUENCE = 2;
const TIMESTAMP = 4;
const SSRC = 8;

const VERSION_BITS = 0xc0;
const VERSION_2 = 0x80;
const PADDING_BIT = 0x20;
const EXTENSION_BIT = 0x10;
const CSRC_COUNT_BITS = 0x0f;
const MARKER_BIT = 0x80;

/** Judges the header alone, extension block included: for a packet whose payload is sealed. Answers a code of {@link RTP}. */
export function rtpCheckHeader(bytes: Uint8Array, offset: number, length: number): number {
  if (length < RTP_HEADER_BYTES) return RTP.SHORT;
  const first = bytes[offset]!;
  if ((first & VERSION_BITS) !== VERSION_2) return RTP.VERSION;
  const csrcEnd = RTP_HEADER_BYTES + 4 * (first & CSRC_COUNT_BITS);
  if (length < csrcEnd) return RTP.SHORT;
  if ((first & EXTENSION_BIT) === 0) return RTP.OK;
  if (length < csrcEnd + 4) return RTP.EXTENSION;
  return length < csrcEnd + 4 + 4 * readU16(bytes, offset + csrcEnd + 2) ? RTP.EXTENSION : RTP.OK;
}

/** Judges an open packet: header, extension block and padding. Answers a code of {@link RTP}. */
export function rtpCheck(bytes: Uint8Array, offset: number, length: number): number {
  const code = rtpCheckHeader(bytes, offset, length);
  if (code !== RTP.OK || (bytes[offset]! & PADDING_BIT) === 0) return code;
  const payloadLength = length - rtpHeaderLength(bytes, offset);
  if (payloadLength < 1) return RTP.PADDING;
  const padding = bytes[offset + length - 1]!;
  return padding === 0 || padding > payloadLength ? RTP.PADDING : RTP.OK;
}

/** Payload type, 0 to 127. */
export function rtpPayloadType(bytes: Uint8Array, offset: number): number {
  return bytes[offset + SECOND_BYTE]! & 0x7f;
}

/** The marker bit: for video the last packet of a picture, for audio the first of a talk spurt. */
export function rtpMarker(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset + SECOND_BYTE]! & MARKER_BIT) !== 0;
}

/** Sequence number, 0 to 65535. */
export function rtpSequence(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset + SEQUENCE);
}

/** Timestamp in units of the clock rate, 0 to 2^32-1. */
export function rtpTimestamp(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + TIMESTAMP);
}

/** SSRC, 0 to 2^32-1. */
export function rtpSsrc(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + SSRC);
}

/** The timestamp as a signed integer, for the packet path ({@link readI32}). */
export function rtpSignedTimestamp(bytes: Uint8Array, offset: number): number {
  return readI32(bytes, offset + TIMESTAMP);
}

/** The SSRC as a signed integer, for the packet path ({@link readI32}). */
export function rtpSignedSsrc(bytes: Uint8Array, offset: number): number {
  return readI32(bytes, offset + SSRC);
}

/** How many CSRCs follow the SSRC, 0 to 15. */
export function rtpCsrcCount(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! & CSRC_COUNT_BITS;
}

/** Whether an extension block follows the CSRCs. */
export function rtpHasExtension(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & EXTENSION_BIT) !== 0;
}

/** Where the payload begins, counted from the packet's first byte: 12 + 4 per CSRC + the extension block. */
export function rtpHeaderLength(bytes: Uint8Array, offset: number): number {
  const csrcEnd = RTP_HEADER_BYTES + 4 * (bytes[offset]! & CSRC_COUNT_BITS);
  if ((bytes[offset]! & EXTENSION_BIT) === 0) return csrcEnd;
  return csrcEnd + 4 + 4 * readU16(bytes, offset + csrcEnd + 2);
}

/** Whether the packet says that it ends with padding. */
export function rtpHasPadding(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & PADDING_BIT) !== 0;
}

/** Bytes of padding at the end of an open packet, its count byte included; 0 without padding. */
export function rtpPaddingLength(bytes: Uint8Array, offset: number, length: number): number {
  return (bytes[offset]! & PADDING_BIT) === 0 ? 0 : bytes[offset + length - 1]!;
}

/** Bytes between header and padding of an open packet; 0 for one that only probes bandwidth. */
export function rtpPayloadLength(bytes: Uint8Array, offset: number, length: number): number {
  return length - rtpHeaderLength(bytes, offset) - rtpPaddingLength(bytes, offset, length);
}

/** Sets the payload type (0 to 127) and leaves the marker alone. */
export function rtpSetPayloadType(bytes: Uint8Array, offset: number, payloadType: number): void {
  bytes[offset + SECOND_BYTE] = (bytes[offset + SECOND_BYTE]! & MARKER_BIT) | (payloadType & 0x7f);
}

/** Sets the marker and leaves the payload type alone. */
export function rtpSetMarker(bytes: Uint8Array, offset: number, marker: boolean): void {
  bytes[offset + SECOND_BYTE] = (bytes[offset + SECOND_BYTE]! & 0x7f) | (marker ? MARKER_BIT : 0);
}

/** Sets the sequence number to the low 16 bits of `sequence`. */
export function rtpSetSequence(bytes: Uint8Array, offset: number, sequence: number): void {
  writeU16(bytes, offset + SEQUENCE, sequence);
}

/** Sets the timestamp to the low 32 bits of `timestamp`. */
export function rtpSetTimestamp(bytes: Uint8Array, offset: number, timestamp: number): void {
  writeU32(bytes, offset + TIMESTAMP, timestamp);
}

/** Sets the SSRC. */
export function rtpSetSsrc(bytes: Uint8Array, offset: number, ssrc: number): void {
  writeU32(bytes, offset + SSRC, ssrc);
}

/** Says whether an extension block follows; the block itself is the caller's to write (core/wire/header-extensions.ts). */
export function rtpSetExtension(bytes: Uint8Array, offset: number, present: boolean): void {
  bytes[offset] = (bytes[offset]! & ~EXTENSION_BIT) | (present ? EXTENSION_BIT : 0);
}

/** Says whether the payload ends with padding; the padding itself is the caller's to write or to cut. */
export function rtpSetPadding(bytes: Uint8Array, offset: number, present: boolean): void {
  bytes[offset] = (bytes[offset]! & ~PADDING_BIT) | (present ? PADDING_BIT : 0);
}

/** Writes the 12 bytes of a header without padding, CSRCs and extension block, and answers 12. */
export function rtpWriteHeader(
  bytes: Uint8Array,
  offset: number,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): number {
  bytes[offset] = VERSION_2;
  bytes[offset + SECOND_BYTE] = (marker ? MARKER_BIT : 0) | (payloadType & 0x7f);
  writeU16(bytes, offset + SEQUENCE, sequence);
  writeU32(bytes, offset + TIMESTAMP, timestamp);
  writeU32(bytes, offset + SSRC, ssrc);
  return RTP_HEADER_BYTES;
}
