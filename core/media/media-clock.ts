/**
 * What time it is on the clocks of a publisher: NTP time, and the RTP clock of each of its streams (RFC 3550 §6.4.1).
 *
 * A sender report ties an RTP timestamp to the publisher's NTP clock. To say "this stream stands at timestamp T now" one more
 * thing is needed: how far that clock is from ours. Each report gives a sample of it, too late by what the path took, and the
 * quickest of the last is the best. Reports are few, and a server that stood still may have held up the first of them all;
 * packets are many and take the same path, so the quickest packet of the last seconds tells how late a report is
 * ({@link mediaClockPacket}). All streams of a participant share one estimate ({@link NtpOffset}): its error moves picture and
 * sound alike, and lip sync does not feel it.
 *
 * An earlier sample proves that the estimate was too late, as no path is quicker than the quickest, or that the publisher's
 * clock was set forward: it is followed at once. Late ones prove nothing, since a queue can last; there the estimate moves by
 * no more than `SLEW_PARTS_PER_MILLION`, more than any clock drifts. That the clock was set back is seen where no path can
 * disturb it: the report's NTP time has gone on by less than its RTP timestamp. Then the estimate goes along by as much. Times
 * here are monotonic; wall-clock time is needed for NTP halves alone.
 */
import { after, type Micros, micros, type WallMicros } from "../base/micros.ts";
import { seqDistance32 } from "../base/sequence.ts";
import { LIMITS } from "../limits.ts";
import { clockUnits } from "./clock-units.ts";

/** Seconds from 1900 to 1970. */
const NTP_UNIX_SECONDS = 2_208_988_800;
const MICROS_PER_SECOND = 1_000_000;
const TWO_TO_32 = 0x1_0000_0000;
/** What is older than this says little of the clocks now. */
const SAMPLE_AGE_MICROS = 30_000_000;
/** The span in which the quickest packet is looked for: so short that no clock drifts by a millisecond meanwhile. */
const WINDOW_MICROS = micros(3_000_000);
const NO_WINDOW = micros(0);
const SLEW_PARTS_PER_MILLION = 500;
const STEP_MICROS = 200_000;

/** The seconds of an NTP timestamp (RFC 5905 §6): the upper 32 bits. They start again at 0 in 2036. */
export function wallToNtpHigh(wall: WallMicros): number {
  return (Math.floor(wall / MICROS_PER_SECOND) + NTP_UNIX_SECONDS) >>> 0;
}

/** The fraction of an NTP timestamp: the lower 32 bits, rounded down. */
export function wallToNtpLow(wall: WallMicros): number {
  const rest = wall - Math.floor(wall / MICROS_PER_SECOND) * MICROS_PER_SECOND;
  return Math.floor((rest * TWO_TO_32) / MICROS_PER_SECOND);
}

/** The middle 32 bits of the NTP timestamp, in 1/65536 s. */
export function wallToNtpMiddle(wall: WallMicros): number {
  return (((wallToNtpHigh(wall) & 0xffff) << 16) | (wallToNtpLow(wall) >>> 16)) >>> 0;
}

/** The wall-clock time of an NTP timestamp, to the nearest microsecond; before 1968 means after 2036 (RFC 4330 §3). */
export function ntpToWall(ntpHigh: number, ntpLow: number): WallMicros {
  const seconds = (ntpHigh < 0x8000_0000 ? ntpHigh + TWO_TO_32 : ntpHigh) - NTP_UNIX_SECONDS;
  return (seconds * MICROS_PER_SECOND + Math.round((ntpLow * MICROS_PER_SECOND) / TWO_TO_32)) as WallMicros;
}

/** How far a publisher's NTP clock is from our monotonic clock. Shared by the streams of one participant. */
export interface NtpOffset {
  /** Our monotonic time minus the publisher's wall-clock time, in microseconds; valid from the first report on. */
  offsetMicros: number;
  /** Compound packets with reports. */
  reports: number;
  updatedAt: Micros;
  /** The samples of the last reports, and when they came: rings, the newest at `reports - 1`. */
  samples: Float64Array;
  sampledAt: Float64Array;
}

/** Nothing known yet. */
export function createNtpOffset(): NtpOffset {
  return {
    offsetMicros: 0,
    reports: 0,
    updatedAt: micros(0),
    samples: new Float64Array(LIMITS.ntpOffsetSamplesMax),
    sampledAt: new Float64Array(LIMITS.ntpOffsetSamplesMax),
  };
}

/**
 * Takes the NTP time of a sender report that arrived at `now`. `setBackMicros` is how far the publisher's clock was set back
 * since the stream's report before, by its RTP timestamps; `lateMicros` is how much longer than packets around it the report
 * was on its way.
 */
export function ntpOffsetReport(
  offset: NtpOffset,
  now: Micros,
  ntpHigh: number,
  ntpLow: number,
  setBackMicros = 0,
  lateMicros = 0,
): void {
  const sample = now - lateMicros - ntpToWall(ntpHigh, ntpLow);
  const error = sample - offset.offsetMicros;
  // When another stream has told of it already, this report is no later than its path explains.
  if (setBackMicros > STEP_MICROS && error > setBackMicros - STEP_MICROS) goAlong(offset, setBackMicros);
  // What one compound packet says of each of many streams is one sample of its way, and no more.
  const again = offset.reports > 0 && offset.sampledAt[(offset.reports - 1) % LIMITS.ntpOffsetSamplesMax] === now;
  if (!again) offset.reports++;
  const slot = (offset.reports - 1) % LIMITS.ntpOffsetSamplesMax;
  offset.samples[slot] = again ? Math.min(offset.samples[slot]!, sample) : sample;
  offset.sampledAt[slot] = now;
  const least = leastSample(offset, now);
  if (offset.reports === 1 || least < offset.offsetMicros) offset.offsetMicros = least;
  else {
    const most = Math.floor(((now - offset.updatedAt) * SLEW_PARTS_PER_MILLION) / 1_000_000);
    offset.offsetMicros += Math.min(most, least - offset.offsetMicros);
  }
  offset.updatedAt = now;
}

/** The RTP clock of one stream. */
export interface MediaClock {
  clockRate: number;
  /** The offset that the participant's streams share. */
  offset: NtpOffset;
  /** The last sender report: the publisher's wall-clock time, and the timestamp that belongs to it. */
  reports: number;
  reportWall: WallMicros;
  reportTimestamp: number;
  /**
   * When the window ends in which the quickest packet is looked for; 0, before all times, when there was none yet. A
   * packet's transit is our time less its timestamp, in clock units and as a signed integer on the 32-bit circle: only
   * differences mean anything (RFC 3550 A.8). The least of this window and of the one before.
   */
  windowEndsAt: Micros;
  transitLeast: number;
  transitBefore: number;
}

/** The clock of a stream of `clockRate` Hz whose participant has this offset. */
export function createMediaClock(clockRate: number, offset: NtpOffset = createNtpOffset()): MediaClock {
  return {
    clockRate,
    offset,
    reports: 0,
    reportWall: 0 as WallMicros,
    reportTimestamp: 0,
    windowEndsAt: NO_WINDOW,
    transitLeast: 0,
    transitBefore: 0,
  };
}

/** Takes a sender report of the stream, and lets the shared offset learn from it. An NTP time of 0 says "no clock". */
export function mediaClockReport(
  clock: MediaClock,
  now: Micros,
  ntpHigh: number,
  ntpLow: number,
  rtpTimestamp: number,
): void {
  if (ntpHigh === 0 && ntpLow === 0) return;
  const wall = ntpToWall(ntpHigh, ntpLow);
  const setBackMicros = clock.reports === 0 ? 0 : setBackBy(clock, wall, rtpTimestamp);
  // Where one of the two clocks has jumped, packets from before say nothing of what the report says.
  if (Math.abs(setBackMicros) > STEP_MICROS) clock.windowEndsAt = NO_WINDOW;
  mediaClockPacket(clock, now, rtpTimestamp);
  ntpOffsetReport(clock.offset, now, ntpHigh, ntpLow, setBackMicros, lateBy(clock, now, rtpTimestamp));
  clock.reports++;
  clock.reportWall = wall;
  clock.reportTimestamp = rtpTimestamp;
}

/** Takes note of a packet of the stream that came by itself, late ones too. */
export function mediaClockPacket(clock: MediaClock, now: Micros, timestamp: number): void {
  const transit = transitOf(clock, now, timestamp);
  if (now >= clock.windowEndsAt) turnWindow(clock, now, transit);
  else if (seqDistance32(clock.transitLeast, transit) < 0) clock.transitLeast = transit;
}

/** Whether {@link mediaClockTimestampAt} has anything to go by. */
export function mediaClockKnown(clock: MediaClock): boolean {
  return clock.reports > 0 || clock.windowEndsAt !== NO_WINDOW;
}

/**
 * The RTP timestamp (32 bits) of what the publisher's clock shows at our time `now`: by its sender reports, before the
 * first of them by the quickest of the last packets.
 */
export function mediaClockTimestampAt(clock: MediaClock, now: Micros): number {
  if (clock.reports === 0) return (clockUnits(now, clock.clockRate) - quickest(clock)) >>> 0;
  const sinceReport = now - clock.offset.offsetMicros - clock.reportWall;
  return (clock.reportTimestamp + clockUnits(micros(sinceReport), clock.clockRate)) >>> 0;
}

function transitOf(clock: MediaClock, now: Micros, timestamp: number): number {
  return (clockUnits(now, clock.clockRate) - timestamp) | 0;
}

/** Begins another window with this packet. */
function turnWindow(clock: MediaClock, now: Micros, transit: number): void {
  const goesOn = now - clock.windowEndsAt <= SAMPLE_AGE_MICROS;
  clock.transitBefore = goesOn ? clock.transitLeast : transit;
  clock.transitLeast = transit;
  clock.windowEndsAt = after(now, WINDOW_MICROS);
}

/** The least transit of the last packets. */
function quickest({ transitLeast, transitBefore }: MediaClock): number {
  return seqDistance32(transitLeast, transitBefore) < 0 ? transitBefore : transitLeast;
}

/** How much longer than the quickest packet what has this timestamp was on its way; 0 where no queue explains that. */
function lateBy(clock: MediaClock, now: Micros, timestamp: number): number {
  const units = seqDistance32(quickest(clock), transitOf(clock, now, timestamp));
  const late = Math.round((units * MICROS_PER_SECOND) / clock.clockRate);
  return late > 0 && late <= SAMPLE_AGE_MICROS ? late : 0;
}

/** How much less the publisher's wall clock has gone on than the stream, since the last report. */
function setBackBy(clock: MediaClock, wall: WallMicros, rtpTimestamp: number): number {
  const units = seqDistance32(clock.reportTimestamp, rtpTimestamp);
  return Math.round((units * MICROS_PER_SECOND) / clock.clockRate) - (wall - clock.reportWall);
}

/** Moves the estimate along with a clock that was set back: all that was known of it stays true of what it shows now. */
function goAlong(offset: NtpOffset, setBackMicros: number): void {
  offset.offsetMicros += setBackMicros;
  for (let i = 0; i < offset.samples.length; i++) offset.samples[i]! += setBackMicros;
}

/** The least of the samples that are not too old: that of the report which came quickest. */
function leastSample(offset: NtpOffset, now: Micros): number {
  const count = Math.min(offset.reports, LIMITS.ntpOffsetSamplesMax);
  let least = Number.MAX_SAFE_INTEGER;
  for (let i = 0; i < count; i++) {
    if (now - offset.sampledAt[i]! <= SAMPLE_AGE_MICROS) least = Math.min(least, offset.samples[i]!);
  }
  return least;
}
