/**
 * What a receiver can say about one inbound stream: loss, jitter, rate (RFC 3550 §6.4.1, A.1, A.3, A.8).
 *
 * Sequence numbers are counted on without wrapping, from the first one on. There is no probation as in RFC 3550 A.1: a
 * packet that comes here is authenticated, so its SSRC is real. A jump by more than `LIMITS.sequenceAheadMax` starts the
 * counts anew when a second packet confirms it, and is ignored when it was one stray packet. A number from behind is that of
 * a late packet, however many come in a row: who begins anew further back (RFC 3550 A.1, MAX_MISORDER) is refused by SRTP,
 * whose replay window says how late a packet may be. Jitter is taken between packets that arrive in order, as late ones
 * say more about retransmission than about the path.
 */
import type { Micros } from "../base/micros.ts";
import { seqAdd16, seqDistance16, seqDistance32 } from "../base/sequence.ts";
import { LIMITS } from "../limits.ts";
import { clockUnits } from "./clock-units.ts";

/** The report block of RFC 3550 §6.4.1. */
export interface ReportBlock {
  ssrc: number;
  /** Lost since the last report, in 1/256. */
  fractionLost: number;
  /** Lost since the first packet: signed 24 bits, negative when more came than was expected. */
  cumulativeLost: number;
  /** The highest sequence number with the count of cycles in front: 32 bits. */
  extendedHighest: number;
  /** In units of the RTP clock. */
  jitter: number;
  /** The middle 32 bits of the NTP time of the last sender report, 0 for none. */
  lastSr: number;
  /** Since that report came, in 1/65536 s. */
  delaySinceLastSr: number;
}

/** A report block for {@link receiveStatisticsReport} to fill. */
export function createReportBlock(): ReportBlock {
  return {
    ssrc: 0,
    fractionLost: 0,
    cumulativeLost: 0,
    extendedHighest: 0,
    jitter: 0,
    lastSr: 0,
    delaySinceLastSr: 0,
  };
}

/** The rate is measured over this many whole buckets. */
const BUCKETS = 10;
const BUCKET_MICROS = 100_000;
const MICROS_PER_SECOND = 1_000_000;

/** The counts of one stream. Others may read `packets`, `lastPacketAt` and `ssrc`. */
export interface ReceiveStatistics {
  ssrc: number;
  clockRate: number;
  /** Packets and bytes since the first, repeated ones too. */
  packets: number;
  bytes: number;
  /** When the last packet came; 0, before all times, for never. */
  lastPacketAt: Micros;
  firstPacketAt: Micros;
  /** Unwrapped sequence numbers, from 0 to 65535 for the first. */
  baseSequence: number;
  highestSequence: number;
  /** Packets since `baseSequence`. */
  received: number;
  /** The number that would confirm a jump, or -1. */
  jumpSequence: number;
  expectedAtReport: number;
  receivedAtReport: number;
  transit: number;
  /** Jitter in 1/16 of a clock unit. */
  jitterScaled: number;
  lastSr: number;
  lastSrAt: Micros;
  /** Bytes in each of the last spans of `BUCKET_MICROS`, and the number of the newest span. */
  bucketBytes: Float64Array;
  bucket: number;
}

/** The statistics of a stream that nothing has come from; `clockRate` in Hz. */
export function createReceiveStatistics(ssrc: number, clockRate: number): ReceiveStatistics {
  return {
    ssrc,
    clockRate,
    packets: 0,
    bytes: 0,
    lastPacketAt: 0 as Micros,
    firstPacketAt: 0 as Micros,
    baseSequence: 0,
    highestSequence: 0,
    received: 0,
    jumpSequence: -1,
    expectedAtReport: 0,
    receivedAtReport: 0,
    transit: 0,
    jitterScaled: 0,
    lastSr: 0,
    lastSrAt: 0 as Micros,
    bucketBytes: new Float64Array(BUCKETS + 1),
    bucket: 0,
  };
}

/** Counts a packet that came at `now`; `bytes` is what the rate should count of it. */
export function receiveStatisticsPacket(
  stats: ReceiveStatistics,
  now: Micros,
  sequence: number,
  timestamp: number,
  bytes: number,
): void {
  if (stats.packets === 0) {
    stats.firstPacketAt = now;
    restart(stats, now, sequence, timestamp);
  }
  stats.packets++;
  stats.bytes += bytes;
  stats.lastPacketAt = now;
  turnBuckets(stats, now);
  stats.bucketBytes[stats.bucket % (BUCKETS + 1)]! += bytes;

  let distance = seqDistance16(stats.highestSequence & 0xffff, sequence);
  if (distance > LIMITS.sequenceAheadMax || distance <= -LIMITS.srtpReplayWindowPackets) {
    if (sequence !== stats.jumpSequence) {
      stats.jumpSequence = seqAdd16(sequence, 1);
      return;
    }
    restart(stats, now, sequence, timestamp);
    distance = 0;
  }
  stats.jumpSequence = -1;
  stats.received++;
  if (distance < 0) return;
  if (distance > 0) stats.highestSequence += distance;
  takeJitter(stats, now, timestamp);
}

/** Notes a sender report of the stream (RFC 3550 §6.4.1): the two halves of its NTP time and its RTP timestamp. */
export function receiveStatisticsSenderReport(
  stats: ReceiveStatistics,
  now: Micros,
  ntpHigh: number,
  ntpLow: number,
  _rtpTimestamp: number,
): void {
  stats.lastSr = (((ntpHigh & 0xffff) << 16) | (ntpLow >>> 16)) >>> 0;
  stats.lastSrAt = now;
}

/** Fills `block` with what is to be reported at `now`, and starts the next interval. */
export function receiveStatisticsReport(stats: ReceiveStatistics, now: Micros, block: ReportBlock): void {
  const expected = stats.packets === 0 ? 0 : stats.highestSequence - stats.baseSequence + 1;
  const lost = expected - stats.received;
  const expectedNow = expected - stats.expectedAtReport;
  const lostNow = expectedNow - (stats.received - stats.receivedAtReport);
  stats.expectedAtReport = expected;
  stats.receivedAtReport = stats.received;
  block.ssrc = stats.ssrc;
  block.fractionLost = expectedNow <= 0 || lostNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow));
  block.cumulativeLost = Math.max(-0x80_0000, Math.min(0x7f_ffff, lost));
  block.extendedHighest = stats.highestSequence >>> 0;
  block.jitter = Math.min(0xffff_ffff, Math.floor(stats.jitterScaled / 16));
  block.lastSr = stats.lastSr;
  const delay = stats.lastSrAt === 0 ? 0 : now - stats.lastSrAt;
  block.delaySinceLastSr = Math.min(0xffff_ffff, Math.floor((delay * 65_536) / MICROS_PER_SECOND));
}

/** The rate of the last second of whole tenths, in bits a second; since the first packet while that is less ago. */
export function receiveStatisticsBitrate(stats: ReceiveStatistics, now: Micros): number {
  if (stats.packets === 0) return 0;
  turnBuckets(stats, now);
  let bytes = 0;
  for (let i = 1; i <= BUCKETS; i++) bytes += stats.bucketBytes[(stats.bucket + i) % (BUCKETS + 1)]!;
  const end = stats.bucket * BUCKET_MICROS;
  const span = Math.min(BUCKETS * BUCKET_MICROS, end - stats.firstPacketAt);
  return span <= 0 ? 0 : Math.floor((bytes * 8 * MICROS_PER_SECOND) / Math.max(span, BUCKET_MICROS));
}

/** Whether a packet has come within the last `silentMicros`. */
export function receiveStatisticsFlowing(stats: ReceiveStatistics, now: Micros, silentMicros: Micros): boolean {
  return stats.packets > 0 && now - stats.lastPacketAt < silentMicros;
}

/** Counts anew from this packet, which has not been counted yet. */
function restart(stats: ReceiveStatistics, now: Micros, sequence: number, timestamp: number): void {
  stats.baseSequence = sequence;
  stats.highestSequence = sequence;
  stats.received = 0;
  stats.expectedAtReport = 0;
  stats.receivedAtReport = 0;
  stats.transit = transitOf(stats, now, timestamp);
}

/** RFC 3550 A.8, in its form for integers: the jitter is kept times 16 and rounded. */
function takeJitter(stats: ReceiveStatistics, now: Micros, timestamp: number): void {
  const transit = transitOf(stats, now, timestamp);
  const change = Math.abs(seqDistance32(stats.transit, transit));
  stats.transit = transit;
  stats.jitterScaled += change - Math.floor((stats.jitterScaled + 8) / 16);
}

/** The time of arrival minus that of sending, in clock units on the 32-bit circle: only differences mean anything. */
function transitOf(stats: ReceiveStatistics, now: Micros, timestamp: number): number {
  return (clockUnits(now, stats.clockRate) - timestamp) >>> 0;
}

/** Empties the buckets of the spans that have begun since the newest. */
function turnBuckets(stats: ReceiveStatistics, now: Micros): void {
  const bucket = Math.floor(now / BUCKET_MICROS);
  const turns = Math.min(bucket - stats.bucket, BUCKETS + 1);
  for (let i = 0; i < turns; i++) stats.bucketBytes[(bucket - i) % (BUCKETS + 1)] = 0;
  if (bucket > stats.bucket) stats.bucket = bucket;
}
