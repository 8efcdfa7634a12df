/**
 * Round trips from the reports of receivers (RFC 3550 §6.4.1), and a smooth estimate of them (RFC 6298 §2).
 *
 * A report block says which sender report it heard last (the middle 32 bits of its NTP time) and how long ago; what is
 * left of the time since that report was sent was spent on the way there and back. Units there are 1/65536 s.
 */
import { type Micros, micros } from "../base/micros.ts";
import { seqDistance32 } from "../base/sequence.ts";

const NTP_UNITS_PER_SECOND = 65_536;
const MICROS_PER_SECOND = 1_000_000;
/** A round trip may come out negative by this much (10 ms) because both sides round; then it counts as none. */
const NEGATIVE_UNITS_MAX = 655;
/** No real round trip is longer than a minute; what looks so answers another report. */
const UNITS_MAX = 60 * NTP_UNITS_PER_SECOND;

/** A smoothed round trip; `samples` is 0 while nothing is known. */
export interface Rtt {
  samples: number;
  latestMicros: Micros;
  /** Smoothed, in 1/8 microsecond. */
  smoothed8: number;
  /** Mean deviation, in 1/4 microsecond. */
  variation4: number;
}

/**
 * The round trip in microseconds that a report block tells, or -1 when it tells none. `nowNtpMiddle` is the middle 32 bits
 * of our NTP time now ({@link wallToNtpMiddle}), the other two are the fields of the block.
 */
export function rttFromReportBlock(nowNtpMiddle: number, lastSr: number, delaySinceLastSr: number): number {
  if (lastSr === 0) return -1;
  const sinceReport = seqDistance32(lastSr, nowNtpMiddle);
  const units = sinceReport - delaySinceLastSr;
  if (units < -NEGATIVE_UNITS_MAX || units > UNITS_MAX) return -1;
  return Math.floor((Math.max(0, units) * MICROS_PER_SECOND) / NTP_UNITS_PER_SECOND);
}

/** Nothing known. */
export function createRtt(): Rtt {
  return { samples: 0, latestMicros: micros(0), smoothed8: 0, variation4: 0 };
}

/** Takes a measured round trip; a negative one is no measurement and changes nothing. */
export function rttSample(rtt: Rtt, rttMicros: number): void {
  if (rttMicros < 0) return;
  if (rtt.samples === 0) {
    rtt.smoothed8 = rttMicros * 8;
    rtt.variation4 = rttMicros * 2;
  } else {
    const error = rttMicros - Math.floor(rtt.smoothed8 / 8);
    rtt.smoothed8 += error;
    rtt.variation4 += Math.abs(error) - Math.floor(rtt.variation4 / 4);
  }
  rtt.latestMicros = micros(rttMicros);
  rtt.samples++;
}

/** The smoothed round trip, or 0 while nothing is known. */
export function rttSmoothed(rtt: Rtt): Micros {
  return micros(Math.floor(rtt.smoothed8 / 8));
}
