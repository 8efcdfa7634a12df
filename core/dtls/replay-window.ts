/**
 * Which records of an epoch have been seen (RFC 6347 §4.1.2.6).
 *
 * A ring of slots, one for each of the newest sequence numbers; a slot holds the number that came last among those that
 * share it. Only authenticated records are marked: whoever can't seal a record can't move the window. It follows that
 * epoch 0 has no window at all, for there a forged number could shut out the peer; repeated plaintext is recognised by the
 * handshake's own message numbers instead.
 */
import { LIMITS } from "../limits.ts";

/** The window of one epoch; make it with {@link createReplayWindow}. */
export interface ReplayWindow {
  /** The highest number marked, or -1. */
  highest: number;
  /** The number marked last in each slot, or -1. */
  marked: Float64Array;
}

/** A window that has seen nothing. */
export function createReplayWindow(): ReplayWindow {
  return { highest: -1, marked: new Float64Array(LIMITS.dtlsReplayRecords).fill(-1) };
}

/** Whether a record of this number may be new: neither marked nor older than the window reaches. */
export function replayAllows(window: ReplayWindow, sequence: number): boolean {
  if (sequence <= window.highest - LIMITS.dtlsReplayRecords) return false;
  return window.marked[sequence % LIMITS.dtlsReplayRecords] !== sequence;
}

/** Marks the number of an authenticated record that {@link replayAllows} has let through. */
export function replayMark(window: ReplayWindow, sequence: number): void {
  window.marked[sequence % LIMITS.dtlsReplayRecords] = sequence;
  if (sequence > window.highest) window.highest = sequence;
}
