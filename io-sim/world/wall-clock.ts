/**
 * The wall clocks of a world: what clocks on the walls show while simulated time passes.
 *
 * The server's runs with the loop from the plan's first moment on. A peer's may be set, forwards or back, and may run too
 * fast or too slow; nothing but its sender reports knows of it. The monotonic clocks of a world never go back.
 */
import type { Micros, WallMicros } from "../../core/index.ts";

/** The wall clock at the origin of a world whose plan names no other: 2026-01-01 UTC. */
export const WALL_AT_ORIGIN = 1_767_225_600_000_000 as WallMicros;

/** A peer's wall clock against the world's. */
export interface PeerClock {
  /** When the world began. */
  readonly origin: Micros;
  /** How far it is ahead at `since`, and how much it gains from then on, in millionths. */
  aheadMicros: number;
  driftPpm: number;
  since: number;
}

/** A clock that is right. */
export function createPeerClock(origin: Micros): PeerClock {
  return { origin, aheadMicros: 0, driftPpm: 0, since: origin };
}

/** Sets a clock by so much, and lets it drift from now on. */
export function setPeerClock(clock: PeerClock, now: Micros, stepMicros: number, driftPpm: number): void {
  clock.aheadMicros = aheadAt(clock, now) + stepMicros;
  clock.driftPpm = driftPpm;
  clock.since = now;
}

/** Microseconds since 1970 on this clock, in a world that began when the server's clock showed `wallOrigin`. */
export function wallAt(clock: PeerClock, wallOrigin: number, now: Micros): number {
  return wallOrigin + (now - clock.origin) + aheadAt(clock, now);
}

function aheadAt({ aheadMicros, driftPpm, since }: PeerClock, now: Micros): number {
  return aheadMicros + Math.trunc(((now - since) * driftPpm) / 1_000_000);
}
