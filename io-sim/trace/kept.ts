/**
 * Room for so many things of a kind and no more: the first half of it is for the beginning of a run, with its handshakes,
 * and the other half always holds the latest, because that is where a promise breaks. What lay between is counted.
 */

/** Things that are kept in order, bounded; make it with {@link createKept}. */
export interface Kept<T> {
  readonly halfMax: number;
  readonly first: T[];
  /** A ring once it is full; `oldest` is where it begins. */
  readonly latest: T[];
  oldest: number;
  forgotten: number;
}

/** Room for `max` things, an even number; 0 keeps nothing. */
export function createKept<T>(max: number): Kept<T> {
  return { halfMax: max >> 1, first: [], latest: [], oldest: 0, forgotten: 0 };
}

/** Takes a thing in; when the room is full, the oldest of the second half goes. */
export function keep<T>(kept: Kept<T>, thing: T): void {
  if (kept.first.length < kept.halfMax) kept.first.push(thing);
  else if (kept.latest.length < kept.halfMax) kept.latest.push(thing);
  else {
    kept.forgotten++;
    if (kept.halfMax === 0) return;
    kept.latest[kept.oldest] = thing;
    kept.oldest = (kept.oldest + 1) % kept.halfMax;
  }
}

/** All that was kept, in the order in which it came. */
export function keptThings<T>(kept: Kept<T>): T[] {
  return [...kept.first, ...kept.latest.slice(kept.oldest), ...kept.latest.slice(0, kept.oldest)];
}
