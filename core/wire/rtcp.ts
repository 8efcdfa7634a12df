/**
 * RTCP as it comes: one or more packets behind each other in a datagram (RFC 3550 §6.1, §6.4).
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     |V=2|P| count/  |  packet type  |  length in words, less one    |
 *     |     | format  |               |                               |
 *     |                      the sender's SSRC                        |
 *     |                             ...                               |
 *
 * {@link rtcpCheck} judges the whole datagram once; a reader then walks it with {@link rtcpPacketLength}, a number at a
 * time. Any packet may come first, since browsers use reduced-size RTCP (RFC 5506 §3.4.1). Padding is taken on every packet
 * and of any length: libwebrtc pads its transport-wide feedback by one to three bytes, and puts more behind it.
 * What the packets say is read in rtcp-reports.ts, rtcp-feedback.ts and transport-feedback.ts.
 */
import { readU16, readU32, writeU16 } from "../base/bytes.ts";

/** What {@link rtcpCheck} answers. */
export const RTCP = {
  OK: 0,
  /** A packet, or what its type says it holds, reaches past the end; or nothing is there. */
  SHORT: 1,
  /** Not version 2. */
  VERSION: 2,
  /** The padding count is 0, or more than the packet has behind its first word. */
  PADDING: 3,
} as const;

/** Packet types (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2). */
export const RTCP_TYPE = {
  SENDER_REPORT: 200,
  RECEIVER_REPORT: 201,
  SOURCE_DESCRIPTION: 202,
  BYE: 203,
  APPLICATION: 204,
  TRANSPORT_FEEDBACK: 205,
  PAYLOAD_FEEDBACK: 206,
  EXTENDED_REPORT: 207,
} as const;

/** Formats of `RTCP_TYPE.TRANSPORT_FEEDBACK` (RFC 4585 §6.2; transport-wide-cc draft §3.1). */
export const TRANSPORT_FORMAT = { NACK: 1, TRANSPORT_WIDE: 15 } as const;

/** Formats of `RTCP_TYPE.PAYLOAD_FEEDBACK` (RFC 4585 §6.3, RFC 5104 §4.3.1, REMB draft §2.2). */
export const PAYLOAD_FORMAT = { PLI: 1, FIR: 4, APPLICATION: 15 } as const;

/** Bytes of a packet's first word. */
export const RTCP_HEADER_BYTES = 4;

/** Bytes of a report block (RFC 3550 §6.4.1). */
export const REPORT_BLOCK_BYTES = 24;

/** Bytes of a feedback packet before what its format adds: header and two SSRCs (RFC 4585 §6.1). */
export const FEEDBACK_HEADER_BYTES = 12;

/** Bytes of a sender report before its report blocks. */
export const SENDER_REPORT_BYTES = 28;

/** Bytes of a receiver report before its report blocks. */
export const RECEIVER_REPORT_BYTES = 8;

const PADDING_BIT = 0x20;
const COUNT_BITS = 0x1f;

/**
 * Judges a datagram: packets of version 2 that fill it to the byte, each holding at least what its type and count promise.
 * Answers a code of {@link RTCP}. Packets of unknown types need only their length to be right.
 */
export function rtcpCheck(bytes: Uint8Array, offset: number, length: number): number {
  const end = offset + length;
  let at = offset;
  do {
    if (end - at < RTCP_HEADER_BYTES) return RTCP.SHORT;
    if ((bytes[at]! & 0xc0) !== 0x80) return RTCP.VERSION;
    const packetLength = rtcpPacketLength(bytes, at);
    if (at + packetLength > end) return RTCP.SHORT;
    if ((bytes[at]! & PADDING_BIT) !== 0) {
      const padding = bytes[at + packetLength - 1]!;
      if (padding === 0 || padding > packetLength - RTCP_HEADER_BYTES) return RTCP.PADDING;
    }
    if (rtcpContentLength(bytes, at) < leastLength(bytes, at)) return RTCP.SHORT;
    at += packetLength;
  } while (at < end);
  return RTCP.OK;
}

/** The type of the packet at `offset`, as in {@link RTCP_TYPE}. */
export function rtcpPacketType(bytes: Uint8Array, offset: number): number {
  return bytes[offset + 1]!;
}

/** The five bits that count blocks (reports, SDES, BYE) or tell the format (feedback), 0 to 31. */
export function rtcpCountOrFormat(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! & COUNT_BITS;
}

/** Bytes of the packet at `offset`, padding included: the next one begins so much further on. */
export function rtcpPacketLength(bytes: Uint8Array, offset: number): number {
  return 4 * (readU16(bytes, offset + 2) + 1);
}

/** Bytes of the packet at `offset` without its padding. */
export function rtcpContentLength(bytes: Uint8Array, offset: number): number {
  const length = rtcpPacketLength(bytes, offset);
  return (bytes[offset]! & PADDING_BIT) === 0 ? length : length - bytes[offset + length - 1]!;
}

/** The SSRC behind the first word: who sent a report or feedback. For SDES and BYE with a count of 0 there is none. */
export function rtcpSenderSsrc(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + 4);
}

/** Writes the first word of a packet of `length` bytes, a multiple of 4, header included. */
export function rtcpWriteHeader(
  bytes: Uint8Array,
  offset: number,
  countOrFormat: number,
  packetType: number,
  length: number,
): void {
  bytes[offset] = 0x80 | (countOrFormat & COUNT_BITS);
  bytes[offset + 1] = packetType;
  writeU16(bytes, offset + 2, (length >> 2) - 1);
}

/** The least length of a packet that holds what its type and count promise. */
function leastLength(bytes: Uint8Array, offset: number): number {
  const count = bytes[offset]! & COUNT_BITS;
  switch (bytes[offset + 1]) {
    case RTCP_TYPE.SENDER_REPORT:
      return SENDER_REPORT_BYTES + REPORT_BLOCK_BYTES * count;
    case RTCP_TYPE.RECEIVER_REPORT:
      return RECEIVER_REPORT_BYTES + REPORT_BLOCK_BYTES * count;
    case RTCP_TYPE.BYE:
      return RTCP_HEADER_BYTES + 4 * count;
    case RTCP_TYPE.TRANSPORT_FEEDBACK:
    case RTCP_TYPE.PAYLOAD_FEEDBACK:
      return FEEDBACK_HEADER_BYTES;
    case RTCP_TYPE.APPLICATION:
    case RTCP_TYPE.EXTENDED_REPORT:
      return 8;
    default:
      return RTCP_HEADER_BYTES;
  }
}
