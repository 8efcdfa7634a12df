/**
 * Feedback about media: what is missing (generic NACK, RFC 4585 §6.2.1), that a keyframe is needed (PLI, RFC 4585 §6.3.1;
 * FIR, RFC 5104 §4.3.1), and how much a receiver can take (REMB, draft-alvestrand-rmcat-remb-03 §2.2).
 *
 *     |V=2|P|  format |  205 or 206   |            length             |
 *     |                      the sender's SSRC                        |
 *     |             the media's SSRC (0 in FIR and REMB)              |
 *     |                    what the format adds                       |
 *
 * Readers want a packet that passed `rtcpCheck`; writers answer the length that they wrote. Other formats (SLI, RPSI, TMMBR
 * and so on) are not read: no browser needs them of a server.
 */
import { readU16, readU24, readU32, writeU16, writeU24, writeU32 } from "../base/bytes.ts";
import { seqAdd16 } from "../base/sequence.ts";
import {
  FEEDBACK_HEADER_BYTES,
  PAYLOAD_FORMAT,
  RTCP_TYPE,
  rtcpContentLength,
  rtcpCountOrFormat,
  rtcpPacketType,
  rtcpWriteHeader,
  TRANSPORT_FORMAT,
} from "./rtcp.ts";

const NACK_PAIR_BYTES = 4;
const FIR_ENTRY_BYTES = 8;
const REMB_IDENTIFIER = 0x5245_4d42;
const REMB_HEADER_BYTES = FEEDBACK_HEADER_BYTES + 8;
const REMB_MANTISSA_MAX = 0x3_ffff;

/** The SSRC of the media that a feedback packet is about. */
export function feedbackMediaSsrc(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + 8);
}

/** Whether the packet at `offset` is a generic NACK. */
export function isNack(bytes: Uint8Array, offset: number): boolean {
  return hasFormat(bytes, offset, RTCP_TYPE.TRANSPORT_FEEDBACK, TRANSPORT_FORMAT.NACK);
}

/** Whether the packet at `offset` is a picture loss indication. */
export function isPli(bytes: Uint8Array, offset: number): boolean {
  return hasFormat(bytes, offset, RTCP_TYPE.PAYLOAD_FEEDBACK, PAYLOAD_FORMAT.PLI);
}

/** Whether the packet at `offset` is a full intra request. */
export function isFir(bytes: Uint8Array, offset: number): boolean {
  return hasFormat(bytes, offset, RTCP_TYPE.PAYLOAD_FEEDBACK, PAYLOAD_FORMAT.FIR);
}

/** Whether the packet at `offset` is a REMB that holds as many SSRCs as it says. */
export function isRemb(bytes: Uint8Array, offset: number): boolean {
  if (!hasFormat(bytes, offset, RTCP_TYPE.PAYLOAD_FEEDBACK, PAYLOAD_FORMAT.APPLICATION)) return false;
  const length = rtcpContentLength(bytes, offset);
  if (length < REMB_HEADER_BYTES || readU32(bytes, offset + FEEDBACK_HEADER_BYTES) !== REMB_IDENTIFIER) return false;
  return length >= REMB_HEADER_BYTES + 4 * rembSsrcCount(bytes, offset);
}

/** Pairs in the NACK at `offset`. */
export function nackPairCount(bytes: Uint8Array, offset: number): number {
  return Math.floor((rtcpContentLength(bytes, offset) - FEEDBACK_HEADER_BYTES) / NACK_PAIR_BYTES);
}

/** The first missing sequence number of pair `index`. */
export function nackPid(bytes: Uint8Array, offset: number, index: number): number {
  return readU16(bytes, offset + FEEDBACK_HEADER_BYTES + NACK_PAIR_BYTES * index);
}

/** Which of the 16 packets behind {@link nackPid} are missing too: bit i, counted from the lowest, is PID + i + 1. */
export function nackBlp(bytes: Uint8Array, offset: number, index: number): number {
  return readU16(bytes, offset + FEEDBACK_HEADER_BYTES + NACK_PAIR_BYTES * index + 2);
}

/** Entries in the FIR at `offset`. */
export function firCount(bytes: Uint8Array, offset: number): number {
  return Math.floor((rtcpContentLength(bytes, offset) - FEEDBACK_HEADER_BYTES) / FIR_ENTRY_BYTES);
}

/** The SSRC that entry `index` asks for a keyframe. */
export function firSsrc(bytes: Uint8Array, offset: number, index: number): number {
  return readU32(bytes, offset + FEEDBACK_HEADER_BYTES + FIR_ENTRY_BYTES * index);
}

/** The command number of entry `index`, 0 to 255: an unchanged number is the same request again. */
export function firSequence(bytes: Uint8Array, offset: number, index: number): number {
  return bytes[offset + FEEDBACK_HEADER_BYTES + FIR_ENTRY_BYTES * index + 4]!;
}

/** The bitrate of the REMB at `offset`, in bit/s; more than a Number holds exactly is cut to 2^53-1. */
export function rembBitrateBps(bytes: Uint8Array, offset: number): number {
  const exponent = bytes[offset + 17]! >> 2;
  let bitrate = readU24(bytes, offset + 17) & REMB_MANTISSA_MAX;
  for (let i = 0; i < exponent; i++) bitrate *= 2;
  return Math.min(bitrate, Number.MAX_SAFE_INTEGER);
}

/** How many SSRCs the REMB at `offset` is about. */
export function rembSsrcCount(bytes: Uint8Array, offset: number): number {
  return bytes[offset + 16]!;
}

/** SSRC `index` of the REMB at `offset`. */
export function rembSsrc(bytes: Uint8Array, offset: number, index: number): number {
  return readU32(bytes, offset + REMB_HEADER_BYTES + 4 * index);
}

/**
 * Writes a NACK for the first `count` of `sequences` (at least one), which should stand in order (around the wrap too): then
 * up to 17 neighbours share a pair of 4 bytes. The packet takes at most 12 + 4 × `count` bytes.
 */
export function writeNack(
  bytes: Uint8Array,
  offset: number,
  senderSsrc: number,
  mediaSsrc: number,
  sequences: ArrayLike<number>,
  count: number = sequences.length,
): number {
  let at = offset + FEEDBACK_HEADER_BYTES;
  let index = 0;
  while (index < count) {
    const pid = sequences[index]!;
    let blp = 0;
    for (index++; index < count; index++) {
      const ahead = seqAdd16(sequences[index]!, -pid - 1);
      if (ahead > 15) break;
      blp |= 1 << ahead;
    }
    writeU16(bytes, at, pid);
    writeU16(bytes, at + 2, blp);
    at += NACK_PAIR_BYTES;
  }
  writeFeedbackHeader(
    bytes,
    offset,
    RTCP_TYPE.TRANSPORT_FEEDBACK,
    TRANSPORT_FORMAT.NACK,
    senderSsrc,
    mediaSsrc,
    at - offset,
  );
  return at - offset;
}

/** Writes a picture loss indication; 12 bytes. */
export function writePli(bytes: Uint8Array, offset: number, senderSsrc: number, mediaSsrc: number): number {
  return writeFeedbackHeader(
    bytes,
    offset,
    RTCP_TYPE.PAYLOAD_FEEDBACK,
    PAYLOAD_FORMAT.PLI,
    senderSsrc,
    mediaSsrc,
    FEEDBACK_HEADER_BYTES,
  );
}

/** Writes a full intra request for one SSRC with this command number (0 to 255); 20 bytes. */
export function writeFir(
  bytes: Uint8Array,
  offset: number,
  senderSsrc: number,
  mediaSsrc: number,
  sequence: number,
): number {
  const entry = offset + FEEDBACK_HEADER_BYTES;
  writeU32(bytes, entry, mediaSsrc);
  writeU32(bytes, entry + 4, 0);
  bytes[entry + 4] = sequence;
  return writeFeedbackHeader(
    bytes,
    offset,
    RTCP_TYPE.PAYLOAD_FEEDBACK,
    PAYLOAD_FORMAT.FIR,
    senderSsrc,
    0,
    FEEDBACK_HEADER_BYTES + FIR_ENTRY_BYTES,
  );
}

/** Writes a REMB of `bitrateBps`, cut down to the 18 significant bits that it holds, for at most 255 SSRCs. */
export function writeRemb(
  bytes: Uint8Array,
  offset: number,
  senderSsrc: number,
  bitrateBps: number,
  ssrcs: readonly number[],
): number {
  let mantissa = Math.floor(bitrateBps);
  let exponent = 0;
  for (; mantissa > REMB_MANTISSA_MAX; exponent++) mantissa = Math.floor(mantissa / 2);
  writeU32(bytes, offset + FEEDBACK_HEADER_BYTES, REMB_IDENTIFIER);
  bytes[offset + 16] = ssrcs.length;
  writeU24(bytes, offset + 17, (exponent << 18) | mantissa);
  for (let i = 0; i < ssrcs.length; i++) writeU32(bytes, offset + REMB_HEADER_BYTES + 4 * i, ssrcs[i]!);
  return writeFeedbackHeader(
    bytes,
    offset,
    RTCP_TYPE.PAYLOAD_FEEDBACK,
    PAYLOAD_FORMAT.APPLICATION,
    senderSsrc,
    0,
    REMB_HEADER_BYTES + 4 * ssrcs.length,
  );
}

/** Writes header and SSRCs of a feedback packet of `length` bytes, a multiple of 4, and answers `length`. */
export function writeFeedbackHeader(
  bytes: Uint8Array,
  offset: number,
  packetType: number,
  format: number,
  senderSsrc: number,
  mediaSsrc: number,
  length: number,
): number {
  rtcpWriteHeader(bytes, offset, format, packetType, length);
  writeU32(bytes, offset + 4, senderSsrc);
  writeU32(bytes, offset + 8, mediaSsrc);
  return length;
}

function hasFormat(bytes: Uint8Array, offset: number, packetType: number, format: number): boolean {
  return rtcpPacketType(bytes, offset) === packetType && rtcpCountOrFormat(bytes, offset) === format;
}
