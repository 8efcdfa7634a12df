/**
 * Sender and receiver reports, source descriptions and BYE (RFC 3550 §6.4 to §6.6).
 *
 * A sender report ties the RTP clock of one SSRC to the sender's wall clock and says how much was sent; report blocks, at
 * most 31 in a packet, say how much arrived. Readers want a packet that passed `rtcpCheck`. Writers answer the length that
 * they wrote; blocks are added to the report afterwards, which grows it in place. Of the source description only the CNAME
 * is written, as RTCP asks for it, and nothing is read: which streams belong together is known from the SDP.
 */
import { copyBytes, readU24, readU32, writeU24, writeU32 } from "../base/bytes.ts";
import {
  RECEIVER_REPORT_BYTES,
  REPORT_BLOCK_BYTES,
  RTCP_HEADER_BYTES,
  RTCP_TYPE,
  rtcpCountOrFormat,
  rtcpPacketLength,
  rtcpPacketType,
  rtcpWriteHeader,
  SENDER_REPORT_BYTES,
} from "./rtcp.ts";

/** Report blocks, and SSRCs of a BYE, that one packet holds at most: the count has five bits. */
export const RTCP_COUNT_MAX = 31;

const SDES_CNAME = 1;

/** Whole seconds of the sender's NTP time, 0 to 2^32-1. */
export function senderReportNtpHigh(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + 8);
}

/** Fraction of a second of the sender's NTP time, in 2^-32 s. */
export function senderReportNtpLow(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + 12);
}

/** The RTP timestamp of the same instant. */
export function senderReportRtpTimestamp(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + 16);
}

/** Packets sent so far, modulo 2^32. */
export function senderReportPacketCount(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + 20);
}

/** Payload bytes sent so far, modulo 2^32. */
export function senderReportOctetCount(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + 24);
}

/** Where report block `index` (below `rtcpCountOrFormat`) of the sender or receiver report at `offset` lies. */
export function reportBlockOffset(bytes: Uint8Array, offset: number, index: number): number {
  const fixed = rtcpPacketType(bytes, offset) === RTCP_TYPE.SENDER_REPORT ? SENDER_REPORT_BYTES : RECEIVER_REPORT_BYTES;
  return offset + fixed + REPORT_BLOCK_BYTES * index;
}

/** The SSRC that the block at `block` is about. */
export function reportBlockSsrc(bytes: Uint8Array, block: number): number {
  return readU32(bytes, block);
}

/** Packets lost since the last report, in 1/256 of those expected. */
export function reportBlockFractionLost(bytes: Uint8Array, block: number): number {
  return bytes[block + 4]!;
}

/** Packets lost in all: -2^23 to 2^23-1, negative when duplicates outnumber the losses. */
export function reportBlockCumulativeLost(bytes: Uint8Array, block: number): number {
  return (readU24(bytes, block + 5) << 8) >> 8;
}

/** The highest sequence number received, with the count of its cycles in the upper 16 bits. */
export function reportBlockHighestSequence(bytes: Uint8Array, block: number): number {
  return readU32(bytes, block + 8);
}

/** Interarrival jitter in timestamp units. */
export function reportBlockJitter(bytes: Uint8Array, block: number): number {
  return readU32(bytes, block + 12);
}

/** The middle 32 bits of the NTP time in the last sender report, 0 when there was none. */
export function reportBlockLastSenderReport(bytes: Uint8Array, block: number): number {
  return readU32(bytes, block + 16);
}

/** Time since that sender report arrived, in 2^-16 s. */
export function reportBlockDelay(bytes: Uint8Array, block: number): number {
  return readU32(bytes, block + 20);
}

/** How many SSRCs leave with the BYE at `offset`. */
export function byeSsrcCount(bytes: Uint8Array, offset: number): number {
  return rtcpCountOrFormat(bytes, offset);
}

/** SSRC `index` of the BYE at `offset`. */
export function byeSsrc(bytes: Uint8Array, offset: number, index: number): number {
  return readU32(bytes, offset + RTCP_HEADER_BYTES + 4 * index);
}

/** Writes a sender report without report blocks; 28 bytes. */
export function writeSenderReport(
  bytes: Uint8Array,
  offset: number,
  ssrc: number,
  ntpHigh: number,
  ntpLow: number,
  rtpTimestamp: number,
  packetCount: number,
  octetCount: number,
): number {
  rtcpWriteHeader(bytes, offset, 0, RTCP_TYPE.SENDER_REPORT, SENDER_REPORT_BYTES);
  writeU32(bytes, offset + 4, ssrc);
  writeU32(bytes, offset + 8, ntpHigh);
  writeU32(bytes, offset + 12, ntpLow);
  writeU32(bytes, offset + 16, rtpTimestamp);
  writeU32(bytes, offset + 20, packetCount);
  writeU32(bytes, offset + 24, octetCount);
  return SENDER_REPORT_BYTES;
}

/** Writes a receiver report without report blocks; 8 bytes. */
export function writeReceiverReport(bytes: Uint8Array, offset: number, ssrc: number): number {
  rtcpWriteHeader(bytes, offset, 0, RTCP_TYPE.RECEIVER_REPORT, RECEIVER_REPORT_BYTES);
  writeU32(bytes, offset + 4, ssrc);
  return RECEIVER_REPORT_BYTES;
}

/**
 * Adds a report block behind the report at `offset`, which must be the last packet so far and hold fewer than
 * `RTCP_COUNT_MAX`. `cumulativeLost` is clamped to 24 signed bits. Answers the report's new length.
 */
export function addReportBlock(
  bytes: Uint8Array,
  offset: number,
  ssrc: number,
  fractionLost: number,
  cumulativeLost: number,
  highestSequence: number,
  jitter: number,
  lastSenderReport: number,
  delay: number,
): number {
  const count = rtcpCountOrFormat(bytes, offset);
  const length = rtcpPacketLength(bytes, offset);
  const block = offset + length;
  writeU32(bytes, block, ssrc);
  bytes[block + 4] = fractionLost;
  writeU24(bytes, block + 5, Math.max(-0x80_0000, Math.min(0x7f_ffff, cumulativeLost)));
  writeU32(bytes, block + 8, highestSequence);
  writeU32(bytes, block + 12, jitter);
  writeU32(bytes, block + 16, lastSenderReport);
  writeU32(bytes, block + 20, delay);
  rtcpWriteHeader(bytes, offset, count + 1, rtcpPacketType(bytes, offset), length + REPORT_BLOCK_BYTES);
  return length + REPORT_BLOCK_BYTES;
}

/** Writes a source description that holds the CNAME of one SSRC; `cname` is UTF-8, at most 255 bytes. */
export function writeSdesCname(bytes: Uint8Array, offset: number, ssrc: number, cname: Uint8Array): number {
  // A chunk ends with one to four zero bytes, at a word's end (RFC 3550 §6.5).
  const itemsEnd = RTCP_HEADER_BYTES + 4 + 2 + cname.length;
  const length = (itemsEnd & ~3) + 4;
  rtcpWriteHeader(bytes, offset, 1, RTCP_TYPE.SOURCE_DESCRIPTION, length);
  writeU32(bytes, offset + 4, ssrc);
  bytes[offset + 8] = SDES_CNAME;
  bytes[offset + 9] = cname.length;
  copyBytes(cname, 0, bytes, offset + 10, cname.length);
  for (let at = itemsEnd; at < length; at++) bytes[offset + at] = 0;
  return length;
}

/** Writes a BYE without a reason for these SSRCs, at most `RTCP_COUNT_MAX`. */
export function writeBye(bytes: Uint8Array, offset: number, ssrcs: readonly number[]): number {
  const length = RTCP_HEADER_BYTES + 4 * ssrcs.length;
  rtcpWriteHeader(bytes, offset, ssrcs.length, RTCP_TYPE.BYE, length);
  for (let i = 0; i < ssrcs.length; i++) writeU32(bytes, offset + RTCP_HEADER_BYTES + 4 * i, ssrcs[i]!);
  return length;
}
