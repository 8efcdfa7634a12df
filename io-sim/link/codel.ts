/**
 * CoDel, the queue discipline that watches how long packets wait and not how many they are (RFC 8289).
 *
 * A packet that leaves the queue after more than 5 ms is tolerated for 100 ms; then one is dropped, and the next after
 * ever shorter intervals (100 ms divided by the root of the count), until the wait is short again. The root is an integer
 * one, so the result is the same on every engine. There is no ECN: what RFC 8289 would mark is dropped.
 */

const TARGET_MICROS = 5_000;
const INTERVAL_MICROS = 100_000;
/** A queue with no more than one full packet is left alone (RFC 8289 §5.3.1). */
const PACKET_BYTES = 1_500;

/** What CoDel remembers; names as in RFC 8289 §5.5. */
export interface Codel {
  /** When the wait will have been too long for an interval; 0 while it is short. */
  firstAboveAt: number;
  dropNextAt: number;
  count: number;
  lastCount: number;
  dropping: boolean;
}

/** CoDel that has seen no packet. */
export function createCodel(): Codel {
  return { firstAboveAt: 0, dropNextAt: 0, count: 0, lastCount: 0, dropping: false };
}

/**
 * Takes note of the packet at the head of the queue, which has waited for `sojournMicros` and leaves `queuedBytes` behind
 * it. Answers whether to drop it and to ask again with the next one.
 */
export function codelDrops(codel: Codel, now: number, sojournMicros: number, queuedBytes: number): boolean {
  const okToDrop = waitsTooLong(codel, now, sojournMicros, queuedBytes);
  if (codel.dropping) {
    if (!okToDrop) codel.dropping = false;
    else if (now >= codel.dropNextAt) {
      codel.count++;
      codel.dropNextAt = controlLaw(codel.dropNextAt, codel.count);
      return true;
    }
    return false;
  }
  if (!okToDrop) return false;
  codel.dropping = true;
  const delta = codel.count - codel.lastCount;
  const recently = now - codel.dropNextAt < 16 * INTERVAL_MICROS;
  codel.count = delta > 1 && recently ? delta : 1;
  codel.lastCount = codel.count;
  codel.dropNextAt = controlLaw(now, codel.count);
  return true;
}

/** An empty queue ends a time of dropping. */
export function codelIdle(codel: Codel): void {
  codel.firstAboveAt = 0;
  codel.dropping = false;
}

function waitsTooLong(codel: Codel, now: number, sojournMicros: number, queuedBytes: number): boolean {
  if (sojournMicros < TARGET_MICROS || queuedBytes <= PACKET_BYTES) {
    codel.firstAboveAt = 0;
    return false;
  }
  if (codel.firstAboveAt === 0) {
    codel.firstAboveAt = now + INTERVAL_MICROS;
    return false;
  }
  return now >= codel.firstAboveAt;
}

function controlLaw(time: number, count: number): number {
  return time + Math.floor((INTERVAL_MICROS * 1_000) / rootOf(count * 1_000_000));
}

/** The whole part of the square root. */
function rootOf(square: number): number {
  let root = Math.floor(Math.sqrt(square));
  // Engines may round the root their own way; the whole part is exact after this.
  while (root * root > square) root--;
  while ((root + 1) * (root + 1) <= square) root++;
  return root;
}
