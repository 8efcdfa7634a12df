/**
 * Which packets of one stream have been seen (RFC 3711 §3.3.2), and how a 16-bit sequence number becomes the packet index
 * of up to 48 bits that the ciphers count with (RFC 3711 §3.3.1).
 *
 *     index = 2^16 * rollover counter + sequence number
 *
 *     ... too old |<------ LIMITS.srtpReplayWindowPackets ------>| not yet seen ...
 *                                                         highest^
 *
 * A window remembers the highest index that has authenticated and a bit for each of those just below it. Asking never
 * changes it; only a packet that has authenticated is marked. The same window serves SRTCP, whose index is explicit.
 */
import { bitRingClear, bitRingHas, bitRingSet, createBitRing } from "../base/bit-ring.ts";
import { LIMITS } from "../limits.ts";

/** What {@link replayWindowCheck} answers. */
export const REPLAY = {
  /** Not seen yet. */
  FRESH: 0,
  /** Seen before. */
  SEEN: 1,
  /** Below the window: it may have been seen or not. */
  TOO_OLD: 2,
} as const;

/** How many packets one 16-bit round of sequence numbers has. */
const ROUND = 0x1_0000;
const HALF_ROUND = 0x8000;

/** The window of one stream; treat its fields as private but for `highest`. */
export interface ReplayWindow {
  /** The highest index marked, or -1 before the first. */
  highest: number;
  /** A bit for each index of the window, at index modulo the window's size. */
  seen: Uint32Array;
}

/** A window in which nothing has been seen. */
export function createReplayWindow(): ReplayWindow {
  return { highest: -1, seen: createBitRing(LIMITS.srtpReplayWindowPackets) };
}

/** Judges `index` (0 to 2^48-1) by a code of {@link REPLAY}. */
export function replayWindowCheck(window: ReplayWindow, index: number): number {
  if (index > window.highest) return REPLAY.FRESH;
  if (index <= window.highest - LIMITS.srtpReplayWindowPackets) return REPLAY.TOO_OLD;
  return bitRingHas(window.seen, index) ? REPLAY.SEEN : REPLAY.FRESH;
}

/** Notes that `index`, which {@link replayWindowCheck} has called fresh, has been seen. */
export function replayWindowMark(window: ReplayWindow, index: number): void {
  if (index > window.highest) {
    bitRingClear(window.seen, window.highest + 1, index);
    window.highest = index;
  }
  bitRingSet(window.seen, index);
}

/**
 * The index of `sequence` in a stream whose highest index is `highest`, or -1 for a new stream, whose rollover counter is
 * zero: of the three rounds around it, the one that brings it nearest. The result may be negative or above 2^48-1, where no
 * packet can be.
 */
export function packetIndex(highest: number, sequence: number): number {
  if (highest < 0) return sequence;
  const last = highest & 0xffff;
  const round = highest - last;
  // Two sequence numbers half a round apart are taken to be of one round: RFC 3711 §3.3.1 has these strict comparisons.
  if (sequence - last > HALF_ROUND) return round - ROUND + sequence;
  if (last - sequence > HALF_ROUND) return round + ROUND + sequence;
  return round + sequence;
}

/** The rollover counter of an index, as 32 bits. */
export function rolloverCounter(index: number): number {
  return Math.floor(index / ROUND) >>> 0;
}
