/**
 * The two clocks of the real world.
 *
 * The shard's time is monotonic and starts at 2^33 microseconds when the clock is made (core/base/micros.ts says why).
 * `performance.now` reads the same system clock as `process.hrtime` but allocates nothing, and it is asked once a datagram.
 * Wall-clock time is read once, for the boot record.
 */
import { MICROS_ORIGIN, type Micros, type WallMicros } from "../core/index.ts";

/** A monotonic clock. */
export type Clock = () => Micros;

/** A clock that shows 2^33 now and never goes back. */
export function createClock(): Clock {
  const start = performance.now();
  return () => (MICROS_ORIGIN + Math.floor((performance.now() - start) * 1_000)) as Micros;
}

/** Microseconds since 1970, from the system's clock. */
export function wallClock(): WallMicros {
  return (Date.now() * 1_000) as WallMicros;
}
