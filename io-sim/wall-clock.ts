/**
 * The wall clock of a world: what a clock on the wall shows while simulated time passes.
 *
 * It runs with the loop from a fixed day on, so that sender reports and journals of a run are always the same.
 */
import { MICROS_ORIGIN, type Micros, type WallMicros } from "../core/index.ts";

/** The wall clock at the origin of every world: 2026-01-01 UTC. */
export const WALL_AT_ORIGIN = 1_767_225_600_000_000 as WallMicros;

/** Microseconds since 1970 at `now`. */
export function wallAt(now: Micros): number {
  return WALL_AT_ORIGIN + (now - MICROS_ORIGIN);
}
