/**
 * How long a thread that has died, a shard's or the journals', stays away.
 *
 * The first time it is back at once: a mistake that one packet in a million meets should cost a call a second, not more.
 * When it dies again and again, something is wrong that a fresh one doesn't cure, and each new shard would only take the
 * next people's calls down with it; so the pause doubles up to a bound. It never gives up: other threads are well.
 */

/** Deaths longer ago than this are forgiven. */
const MEMORY_MILLIS = 60_000;
const FIRST_PAUSE_MILLIS = 100;
const PAUSE_MILLIS_MAX = 10_000;

/** When a thread has died lately, in milliseconds of any clock. */
export type Deaths = number[];

/** Notes a death; answers how many milliseconds to wait before a fresh one begins. */
export function pauseAfterDeath(deaths: Deaths, nowMillis: number): number {
  while (deaths.length > 0 && nowMillis - deaths[0]! >= MEMORY_MILLIS) deaths.shift();
  const before = deaths.length;
  deaths.push(nowMillis);
  return before === 0 ? 0 : Math.min(FIRST_PAUSE_MILLIS * 2 ** (before - 1), PAUSE_MILLIS_MAX);
}
