/**
 * The clocks of the real world.
 *
 * The shard's time is monotonic and starts at 2^33 microseconds when the clock is made (core/base/micros.ts says why).
 * `performance.now` reads the same system clock as `process.hrtime` but allocates nothing, and it is asked once a datagram.
 * Wall-clock time is read once, when the server starts. All its shards count on from there by the system's monotonic clock,
 * which threads have in common: they speak of times to each other, and must mean the same ones.
 */
import { MICROS_ORIGIN, type Micros, type WallMicros } from "../core/index.ts";

/** A monotonic clock. */
export type Clock = () => Micros;

/** A clock that shows 2^33 now and never goes back. */
export function createClock(): Clock {
  // `performance` is a getter of the global object: asked once, and not once a datagram.
  const system = performance;
  const start = system.now();
  return () => (MICROS_ORIGIN + Math.floor((system.now() - start) * 1_000)) as Micros;
}

/** A moment by both clocks: the wall's, and the system's monotonic one. */
export interface WallAnchor {
  readonly wall: WallMicros;
  readonly systemMicros: number;
}

/** This moment. */
export function createWallAnchor(): WallAnchor {
  return { wall: (Date.now() * 1_000) as WallMicros, systemMicros: systemMicros() };
}

/** Microseconds since 1970 as they are now if the wall clock was right then and has not been set since. */
export function wallClock({ wall, systemMicros: then }: WallAnchor): WallMicros {
  return (wall + systemMicros() - then) as WallMicros;
}

/** The system's monotonic clock, the same on all threads. */
function systemMicros(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + Math.floor(nanoseconds / 1_000);
}
