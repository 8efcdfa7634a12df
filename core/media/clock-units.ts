/**
 * Spans of time in the units of an RTP clock.
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
