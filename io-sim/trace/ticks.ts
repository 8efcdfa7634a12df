/**
 * Numbers over time, gathered in ticks: rates as sums, levels as what they were last, depths as their greatest.
 *
 * A series is an array with one number per tick, as long as its last entry; a later tick repeats the last level, or zero
 * of a sum. Both the counters of a Perfetto trace and the plots of a report are drawn from these.
 */

/** A tenth of a second. */
const TICK_MICROS = 100_000;
/** Ticks and series that are kept; what lies beyond is left out. */
const TICKS_MAX = 36_000;
const SERIES_MAX = 4_000;

/** The capacity of a link that carries whatever it is given; 0 is one that carries nothing at the moment. */
export const WITHOUT_END = -1;

/** One quantity over time. */
export interface TickSeries {
  readonly unit: string;
  /** Whether a tick without an entry means zero, or the same as before. */
  readonly rests: "zero" | "same";
  readonly values: number[];
}

/** All series of a run by name, as in `link/ana/up/offered`. */
export interface TraceTicks {
  readonly startsAt: number;
  readonly tickMicros: number;
  readonly series: Map<string, TickSeries>;
}

/** No series yet. */
export function createTraceTicks(startsAt: number): TraceTicks {
  return { startsAt, tickMicros: TICK_MICROS, series: new Map() };
}

/** Adds to the sum of this tick. */
export function tickAdd(ticks: TraceTicks, name: string, unit: string, now: number, amount: number): void {
  const values = reach(ticks, name, unit, "zero", now);
  if (values !== undefined) values[values.length - 1] = values.at(-1)! + amount;
}

/** Raises the level of this tick to `level` when it is lower. */
export function tickMax(ticks: TraceTicks, name: string, unit: string, now: number, level: number): void {
  const values = reach(ticks, name, unit, "zero", now);
  if (values !== undefined) values[values.length - 1] = Math.max(values.at(-1)!, level);
}

/** Sets the level from this tick on. */
export function tickSet(ticks: TraceTicks, name: string, unit: string, now: number, level: number): void {
  const values = reach(ticks, name, unit, "same", now);
  if (values !== undefined) values[values.length - 1] = level;
}

/** The values of a series, filled up to the tick of `now`, which is their last; undefined beyond the bounds. */
function reach(
  ticks: TraceTicks,
  name: string,
  unit: string,
  rests: TickSeries["rests"],
  now: number,
): number[] | undefined {
  const tick = Math.floor((now - ticks.startsAt) / ticks.tickMicros);
  if (tick >= TICKS_MAX) return undefined;
  let series = ticks.series.get(name);
  if (series === undefined) {
    if (ticks.series.size >= SERIES_MAX) return undefined;
    series = { unit, rests, values: [] };
    ticks.series.set(name, series);
  }
  const { values } = series;
  while (values.length <= tick) values.push(rests === "zero" ? 0 : (values.at(-1) ?? 0));
  return values;
}
