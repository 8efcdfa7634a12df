/**
 * One RTP stream that the client receives, seen from below: which packets came, which are missing, what to report.
 *
 * It unwraps sequence numbers, drops what came twice, keeps the list of missing packets with the times at which they are
 * asked for again, and computes the report block of RFC 3550 §6.4.1 in integers. What the packets mean is the player's
 * affair (./video-player.ts, ./audio-player.ts).
 */
import type { Micros } from "../../core/base/micros.ts";
import { seqUnwrap16 } from "../../core/base/sequence.ts";
import type { ReportBlock } from "./plain-rtcp.ts";

/** How often a missing packet is asked for, and how long the client waits before asking again. */
const NACK_TRIES_MAX = 10;
const NACK_WAIT_MICROS = 100_000;

/** More missing packets than this are given up: a keyframe is cheaper. */
const MISSING_MAX = 250;

/** The state of one stream; make it with {@link createInStream}. */
export interface InStream {
  readonly ssrc: number;
  readonly clockRate: number;
  /** Unwrapped; -1 before the first packet. */
  first: number;
  highest: number;
  received: number;
  duplicates: number;
  /** What was received at the last report. */
  reportedExpected: number;
  reportedReceived: number;
  jitter16: number;
  lastTransit: number;
  /** Compact NTP time of the last sender report, and when it came. */
  lastReport: number;
  lastReportAt: number;
  missing: Map<number, { tries: number; nextAt: number }>;
  nacksSent: number;
}

/** A stream of which nothing has come. */
export function createInStream(ssrc: number, clockRate: number): InStream {
  return {
    ssrc,
    clockRate,
    first: -1,
    highest: -1,
    received: 0,
    duplicates: 0,
    reportedExpected: 0,
    reportedReceived: 0,
    jitter16: 0,
    lastTransit: 0,
    lastReport: 0,
    lastReportAt: 0,
    missing: new Map(),
    nacksSent: 0,
  };
}

/**
 * The unwrapped number of a packet. It starts at 2^16 plus the first sequence number, so that nothing before it is
 * negative.
 */
export function unwrap(stream: InStream, sequence: number): number {
  return stream.highest < 0 ? 0x1_0000 + sequence : seqUnwrap16(stream.highest, sequence);
}

/** Takes a packet that came as itself (not as RTX); answers whether it is new. */
export function inStreamTake(stream: InStream, now: Micros, index: number, timestamp: number): boolean {
  const isNew = fillGap(stream, index);
  if (!isNew) {
    stream.duplicates++;
    return false;
  }
  stream.received++;
  const arrival = Math.floor((now * (stream.clockRate / 1_000)) / 1_000);
  const transit = (arrival - timestamp) | 0;
  if (stream.received > 1) {
    const difference = Math.abs((transit - stream.lastTransit) | 0);
    stream.jitter16 += difference - ((stream.jitter16 + 8) >> 4);
  }
  stream.lastTransit = transit;
  return true;
}

/** Takes a packet that came as a retransmission; answers whether it was missing. */
export function inStreamRepair(stream: InStream, index: number): boolean {
  return fillGap(stream, index);
}

function fillGap(stream: InStream, index: number): boolean {
  if (stream.highest < 0) {
    stream.first = index;
    stream.highest = index;
    return true;
  }
  if (index <= stream.highest) return stream.missing.delete(index);
  if (index - stream.highest > MISSING_MAX) stream.missing.clear();
  else for (let i = stream.highest + 1; i < index; i++) stream.missing.set(i, { tries: 0, nextAt: 0 });
  stream.highest = index;
  return true;
}

/** The sequence numbers to ask for now (16 bits each). Numbers asked for too often are forgotten. */
export function inStreamNacks(stream: InStream, now: Micros): number[] {
  const wanted: number[] = [];
  for (const [index, state] of stream.missing) {
    if (state.nextAt > now) continue;
    if (state.tries >= NACK_TRIES_MAX) {
      stream.missing.delete(index);
      continue;
    }
    state.tries++;
    state.nextAt = now + NACK_WAIT_MICROS;
    wanted.push(index & 0xffff);
  }
  stream.nacksSent += wanted.length;
  return wanted;
}

/** Notes a sender report of the stream: the middle 32 bits of its NTP time. */
export function inStreamSenderReport(stream: InStream, now: Micros, compactNtp: number): void {
  stream.lastReport = compactNtp;
  stream.lastReportAt = now;
}

/** The values of the stream's report block at `now`, and the start of the next interval. */
export function inStreamReport(stream: InStream, now: Micros): ReportBlock {
  const expected = stream.highest < 0 ? 0 : stream.highest - stream.first + 1;
  const expectedSince = expected - stream.reportedExpected;
  const lostSince = expectedSince - (stream.received - stream.reportedReceived);
  stream.reportedExpected = expected;
  stream.reportedReceived = stream.received;
  const sinceReport = Math.floor(((now - stream.lastReportAt) * 65_536) / 1_000_000);
  return {
    ssrc: stream.ssrc,
    fractionLost: expectedSince > 0 && lostSince > 0 ? Math.min(255, Math.floor((lostSince * 256) / expectedSince)) : 0,
    packetsLost: Math.max(0, expected - stream.received),
    highestSequence: stream.highest < 0 ? 0 : (stream.highest - 0x1_0000) >>> 0,
    jitter: stream.jitter16 >> 4,
    lsr: stream.lastReport,
    dlsr: stream.lastReport === 0 ? 0 : sinceReport >>> 0,
  };
}
