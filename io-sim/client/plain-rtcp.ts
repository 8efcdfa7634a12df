/**
 * RTCP as the simulated client thinks of it: plain records, written and read by hand (RFC 3550 §6.4, RFC 4585 §6.2.1 and
 * §6.3.1, RFC 5104 §4.3.1, draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
 *
 * In worlds with real SRTP `werift-rtp` does it instead (./werift-rtcp.ts), and a test compares the two: it takes a hundred
 * times as long, and everybody in a call reports once a second. Only what browsers send of themselves and what this client
 * acts upon is here. What the server sends is well-formed, so a reader checks no more than where a packet ends.
 */
import { readU16, readU32, writeU16, writeU24, writeU32 } from "../../core/base/bytes.ts";
import { seqAdd16 } from "../../core/base/sequence.ts";
import { utf8Encode } from "../../core/base/text.ts";

/** What a report says about one stream that came in (RFC 3550 §6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  readonly fractionLost: number;
  readonly packetsLost: number;
  readonly highestSequence: number;
  readonly jitter: number;
  readonly lsr: number;
  readonly dlsr: number;
}

/** What a sender says about a stream of its own: the same moment on two clocks, and how much it has sent. */
export interface SenderInfo {
  readonly ssrc: number;
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
}

/** What the client acts upon in a compound packet. */
export type ReadRtcp =
  /** A report about these streams of ours; of a sender with the middle 32 bits of its NTP time, else -1. */
  | { readonly kind: "report"; readonly sender: number; readonly compactNtp: number; readonly about: readonly number[] }
  /** With the numbers of a FIR, one for each stream; a PLI has none. */
  | { readonly kind: "keyframe"; readonly ssrcs: readonly number[]; readonly numbers: readonly number[] }
  | { readonly kind: "nack"; readonly ssrc: number; readonly sequences: readonly number[] }
  /** Of so many packets of ours, so many have arrived. */
  | { readonly kind: "arrivals"; readonly packets: number; readonly arrived: number };

/** Who writes and reads RTCP. */
export interface RtcpFormat {
  /**
   * One compound packet: a sender report and a CNAME for each stream, the first with the blocks; without streams, a receiver
   * report of `reporter`.
   */
  writeReports(
    senders: readonly SenderInfo[],
    reporter: number,
    blocks: readonly ReportBlock[],
    cname: string,
  ): Uint8Array;
  read(plain: Uint8Array): ReadRtcp[];
}

/** By hand. */
export const PLAIN_RTCP: RtcpFormat = { writeReports, read };

const TYPE = { SENDER: 200, RECEIVER: 201, SDES: 202, TRANSPORT: 205, PAYLOAD: 206 } as const;
const FORMAT = { NACK: 1, TRANSPORT_WIDE: 15, PLI: 1, FIR: 4 } as const;
const BLOCK_BYTES = 24;
const SENDER_INFO_BYTES = 20;
const CNAME = 1;

function writeReports(
  senders: readonly SenderInfo[],
  reporter: number,
  blocks: readonly ReportBlock[],
  cname: string,
): Uint8Array {
  const name = utf8Encode(cname);
  // A chunk ends in one zero byte at least, and in as many as fill its last word (RFC 3550 §6.5).
  const sdes = 4 + 4 * Math.ceil((4 + 2 + name.length + 1) / 4);
  const count = Math.max(1, senders.length);
  const length = count * (8 + sdes) + senders.length * SENDER_INFO_BYTES + blocks.length * BLOCK_BYTES;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const sender = senders[i];
    const ssrc = sender?.ssrc ?? reporter;
    const about = i === 0 ? blocks : [];
    const info = sender === undefined ? 0 : SENDER_INFO_BYTES;
    const type = sender === undefined ? TYPE.RECEIVER : TYPE.SENDER;
    writeHeader(bytes, at, about.length, type, 8 + info + about.length * BLOCK_BYTES, ssrc);
    if (sender !== undefined) writeSenderInfo(bytes, at + 8, sender);
    at += 8 + info;
    for (const block of about) {
      writeBlock(bytes, at, block);
      at += BLOCK_BYTES;
    }
    writeHeader(bytes, at, 1, TYPE.SDES, sdes, ssrc);
    bytes[at + 8] = CNAME;
    bytes[at + 9] = name.length;
    bytes.set(name, at + 10);
    at += sdes;
  }
  return bytes;
}

/** A FIR about one stream, which its entry alone names (RFC 5104 §4.3.1.1). */
export function writeFir(sender: number, ssrc: number, number: number): Uint8Array {
  const bytes = new Uint8Array(20);
  writeHeader(bytes, 0, FORMAT.FIR, TYPE.PAYLOAD, bytes.length, sender);
  writeU32(bytes, 12, ssrc);
  bytes[16] = number;
  return bytes;
}

function writeHeader(bytes: Uint8Array, at: number, count: number, type: number, length: number, ssrc: number): void {
  bytes[at] = 0x80 | count;
  bytes[at + 1] = type;
  writeU16(bytes, at + 2, length / 4 - 1);
  writeU32(bytes, at + 4, ssrc);
}

function writeSenderInfo(bytes: Uint8Array, at: number, info: SenderInfo): void {
  writeU32(bytes, at, info.ntpSeconds);
  writeU32(bytes, at + 4, info.ntpFraction);
  writeU32(bytes, at + 8, info.timestamp);
  writeU32(bytes, at + 12, info.packets);
  writeU32(bytes, at + 16, info.octets);
}

function writeBlock(bytes: Uint8Array, at: number, block: ReportBlock): void {
  writeU32(bytes, at, block.ssrc);
  bytes[at + 4] = block.fractionLost;
  writeU24(bytes, at + 5, block.packetsLost);
  writeU32(bytes, at + 8, block.highestSequence);
  writeU32(bytes, at + 12, block.jitter);
  writeU32(bytes, at + 16, block.lsr);
  writeU32(bytes, at + 20, block.dlsr);
}

function read(plain: Uint8Array): ReadRtcp[] {
  const all: ReadRtcp[] = [];
  for (let at = 0, end = 0; at + 8 <= plain.length; at = end) {
    end = Math.min(plain.length, at + 4 + 4 * readU16(plain, at + 2));
    const packet = readPacket(plain, at, end);
    if (packet !== undefined) all.push(packet);
  }
  return all;
}

function readPacket(bytes: Uint8Array, at: number, end: number): ReadRtcp | undefined {
  const format = bytes[at]! & 31;
  switch (bytes[at + 1]) {
    case TYPE.SENDER:
      return readReport(bytes, at, at + 8 + SENDER_INFO_BYTES, readU32(bytes, at + 10) >>> 0);
    case TYPE.RECEIVER:
      return readReport(bytes, at, at + 8, -1);
    case TYPE.TRANSPORT:
      if (format === FORMAT.NACK) return readNack(bytes, at, end);
      return format === FORMAT.TRANSPORT_WIDE ? readArrivals(bytes, at) : undefined;
    case TYPE.PAYLOAD:
      if (format === FORMAT.PLI) return { kind: "keyframe", ssrcs: [readU32(bytes, at + 8)], numbers: [] };
      return format === FORMAT.FIR ? readFir(bytes, at, end) : undefined;
    default:
      return undefined;
  }
}

function readReport(bytes: Uint8Array, at: number, first: number, compactNtp: number): ReadRtcp {
  const about: number[] = [];
  for (let i = 0; i < (bytes[at]! & 31); i++) about.push(readU32(bytes, first + i * BLOCK_BYTES));
  return { kind: "report", sender: readU32(bytes, at + 4), compactNtp, about };
}

function readNack(bytes: Uint8Array, at: number, end: number): ReadRtcp {
  const sequences: number[] = [];
  for (let pair = at + 12; pair + 4 <= end; pair += 4) {
    const first = readU16(bytes, pair);
    sequences.push(first);
    const following = readU16(bytes, pair + 2);
    for (let i = 0; i < 16; i++) if (((following >> i) & 1) === 1) sequences.push(seqAdd16(first, i + 1));
  }
  return { kind: "nack", ssrc: readU32(bytes, at + 8), sequences };
}

function readFir(bytes: Uint8Array, at: number, end: number): ReadRtcp {
  const ssrcs: number[] = [];
  const numbers: number[] = [];
  for (let entry = at + 12; entry + 8 <= end; entry += 8) {
    ssrcs.push(readU32(bytes, entry));
    numbers.push(bytes[entry + 4]!);
  }
  return { kind: "keyframe", ssrcs, numbers };
}

/** Counts what the chunks of a transport-wide feedback say: runs of one status, or 14 statuses of a bit, or 7 of two. */
function readArrivals(bytes: Uint8Array, at: number): ReadRtcp {
  const packets = readU16(bytes, at + 14);
  let arrived = 0;
  let told = 0;
  for (let chunk = at + 20; told < packets; chunk += 2) {
    const word = readU16(bytes, chunk);
    if ((word & 0x8000) === 0) {
      const run = Math.min(packets - told, word & 0x1fff);
      if (hasArrived((word >> 13) & 3)) arrived += run;
      // A run of nothing would never end.
      told += Math.max(1, run);
      continue;
    }
    const bits = (word & 0x4000) === 0 ? 1 : 2;
    for (let shift = 14 - bits; shift >= 0; shift -= bits) {
      if (told < packets && hasArrived((word >> shift) & (bits === 1 ? 1 : 3))) arrived++;
      told++;
    }
  }
  return { kind: "arrivals", packets, arrived };
}

/** A small delta or a large one; 3 is reserved. */
function hasArrived(status: number): boolean {
  return status === 1 || status === 2;
}
