/**
 * Time inside Lockstep: whole microseconds on a monotonic clock, held in a Number.
 *
 * The clock of every host starts at 2^33 and never at zero, so that zero can't be taken for a time, and so that V8 keeps
 * one representation of these numbers (a double) for the whole life of a process. Wall-clock time is another thing: it
 * enters once, with the boot record, as {@link WallMicros}.
 */

/** A point on the monotonic clock, or a span between two points, in whole microseconds. */
export type Micros = number & { readonly __unit: "Micros" };

/** Microseconds since 1970-01-01 UTC, as a Number (exact until the year 2255). */
export type WallMicros = number & { readonly __unit: "WallMicros" };

/** Where every monotonic clock starts: 2^33. */
export const MICROS_ORIGIN = 8_589_934_592 as Micros;

/** "No timeout": later than any time a clock shows. */
export const NEVER = Number.MAX_SAFE_INTEGER as Micros;

/** Takes a whole number of microseconds for a {@link Micros}. */
export function micros(count: number): Micros {
  return count as Micros;
}

/** `count` milliseconds as {@link Micros}; `count` may have a fraction down to the microsecond. */
export function millis(count: number): Micros {
  return Math.round(count * 1_000) as Micros;
}

/** `count` seconds as {@link Micros}. */
export function seconds(count: number): Micros {
  return Math.round(count * 1_000_000) as Micros;
}

/** The point `span` after `time`. */
export function after(time: Micros, span: Micros): Micros {
  return (time + span) as Micros;
}

/**
 * The next of deadlines that come every `interval`, of which `due` has come: the first one after `now` that is in step with
 * it. However long nothing happened, those who were late together do not stay together.
 */
export function following(due: Micros, now: Micros, interval: Micros): Micros {
  const next = after(due, interval);
  if (next > now) return next;
  return after(next, ((Math.floor((now - next) / interval) + 1) * interval) as Micros);
}

/** The span from `earlier` to `later`; negative when they stand the other way round. */
export function between(earlier: Micros, later: Micros): Micros {
  return (later - earlier) as Micros;
}

/** The earlier of two points. */
export function earliest(a: Micros, b: Micros): Micros {
  return a < b ? a : b;
}
