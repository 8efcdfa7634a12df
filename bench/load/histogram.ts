/**
 * A histogram of microseconds with steps of a sixty-fourth of the value: enough for percentiles, and of fixed size however
 * much is put into it.
 */
import type { Percentiles } from "./messages.ts";

/** Values below this have a step of their own, and each doubling above it has as many steps. */
const STEPS = 64;
const DOUBLINGS = 26;

/** Counts by size; make one with {@link createHistogram}. */
export interface Histogram {
  readonly counts: Float64Array;
  total: number;
}

/** A histogram with nothing in it. */
export function createHistogram(): Histogram {
  return { counts: new Float64Array(STEPS * DOUBLINGS), total: 0 };
}

/** Counts one value; what is negative counts as 0. */
export function histogramAdd(histogram: Histogram, micros: number): void {
  histogram.counts[stepOf(Math.max(0, Math.floor(micros)))]!++;
  histogram.total++;
}

/** Forgets everything. */
export function histogramClear(histogram: Histogram): void {
  histogram.counts.fill(0);
  histogram.total = 0;
}

/** The least value that `part` (0 to 1) of all values are not above; 0 when there are none. */
export function histogramQuantile({ counts, total }: Histogram, part: number): number {
  let rest = Math.max(1, Math.ceil(total * part));
  for (let step = 0; total > 0 && step < counts.length; step++) {
    rest -= counts[step]!;
    if (rest <= 0) return lastOf(step);
  }
  return 0;
}

/** The percentiles that reports have. */
export function histogramPercentiles(histogram: Histogram): Percentiles {
  return {
    p50: histogramQuantile(histogram, 0.5),
    p99: histogramQuantile(histogram, 0.99),
    p999: histogramQuantile(histogram, 0.999),
  };
}

function stepOf(value: number): number {
  if (value < STEPS) return value;
  // 6 bits below the leading one.
  const shift = Math.min(31 - Math.clz32(Math.min(value, 0x7fff_ffff)) - 6, DOUBLINGS - 2);
  return (shift + 1) * STEPS + Math.min((value >>> shift) - STEPS, STEPS - 1);
}

/** The greatest value of a step. */
function lastOf(step: number): number {
  if (step < STEPS) return step;
  const shift = Math.floor(step / STEPS) - 1;
  return ((step % STEPS) + STEPS + 1) * 2 ** shift - 1;
}
