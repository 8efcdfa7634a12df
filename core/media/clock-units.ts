/**
 * Spans of time in the units of an RTP clock, and back.
 *
 * A time is split into whole seconds and the rest before it is multiplied, so that no product leaves the exact integers of
 * a Number: microseconds since boot times 90,000 would, after a day.
 */
import type { Micros } from "../base/micros.ts";

const MICROS_PER_SECOND = 1_000_000;

/**
 * A span or point in time in units of `clockRate` (in Hz, at most 2^20), rounded down; negative for a negative span. The
 * result is not wrapped: end it with `>>> 0` for an RTP timestamp.
 */
export function clockUnits(span: Micros, clockRate: number): number {
  const whole = Math.floor(span / MICROS_PER_SECOND);
  const rest = span - whole * MICROS_PER_SECOND;
  return whole * clockRate + Math.floor((rest * clockRate) / MICROS_PER_SECOND);
}

/** `units` of a clock of `clockRate` Hz in microseconds, rounded down; `units` is at most 2^32 in size. */
export function clockMicros(units: number, clockRate: number): Micros {
  return Math.floor((units * MICROS_PER_SECOND) / clockRate) as Micros;
}
