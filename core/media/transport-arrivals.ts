/**
 * When the packets of one peer arrived, by their transport-wide sequence numbers, and the feedback that tells the peer so
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01). From it a publisher estimates its bandwidth.
 *
 * Picture a ring of arrival times with two marks: the newest number that arrived, and the first that no feedback has spoken
 * of. A feedback covers what lies between, missing numbers as missing. A packet that arrives after its feedback said so
 * moves the first mark back to itself; senders keep what they took for lost and take the correction. A jump of more than
 * the ring holds starts anew from there, because nothing true can be said of so many. When no feedback is taken for so long
 * that the ring runs over, the oldest arrivals are given up.
 */
import type { Micros } from "../base/micros.ts";
import { seqUnwrap16 } from "../base/sequence.ts";
import { LIMITS } from "../limits.ts";
import {
  transportFeedbackStatusCount,
  transportReferenceTime,
  writeTransportFeedback,
} from "../wire/transport-feedback.ts";

const RING = LIMITS.transportFeedbackPacketsMax;
const NOT_ARRIVED = -1;

/** The arrivals of one peer; treat the fields as private. */
export interface TransportArrivals {
  /**
   * When the packet with an unwrapped number arrived, at that number modulo the ring's size; -1 when it did not. Empty until
   * one does: most participants of a large room never send any.
   */
  arrivedAt: Float64Array;
  /** The newest number that arrived, unwrapped; -1 before the first. */
  highest: number;
  /** The next feedback starts here. */
  first: number;
  /** Counts feedback packets, modulo 256. */
  feedbackCount: number;
}

/** Nothing has arrived. The first feedback has the count `feedbackCount`. */
export function createTransportArrivals(feedbackCount = 0): TransportArrivals {
  return { arrivedAt: new Float64Array(0), highest: -1, first: 0, feedbackCount };
}

/** Notes the arrival of the packet with this transport-wide sequence number (16 bits). */
export function transportArrival(arrivals: TransportArrivals, now: Micros, sequence: number): void {
  if (arrivals.highest < 0) arrivals.arrivedAt = new Float64Array(RING);
  const { arrivedAt } = arrivals;
  // Counted from one round up, so that a packet from before the first has no negative number.
  const number = arrivals.highest < 0 ? 0x1_0000 + sequence : seqUnwrap16(arrivals.highest, sequence);
  const ahead = number - arrivals.highest;
  if (ahead <= -RING) return;
  if (ahead <= 0) {
    if (arrivedAt[number & (RING - 1)] !== NOT_ARRIVED) return;
    arrivals.first = Math.min(arrivals.first, number);
  } else if (ahead >= RING) {
    arrivedAt.fill(NOT_ARRIVED);
    arrivals.first = number;
    arrivals.highest = number;
  } else {
    for (let missing = arrivals.highest + 1; missing < number; missing++) arrivedAt[missing & (RING - 1)] = NOT_ARRIVED;
    arrivals.highest = number;
    arrivals.first = Math.max(arrivals.first, number - RING + 1);
  }
  arrivedAt[number & (RING - 1)] = now;
}

/** Whether there is anything that no feedback has spoken of yet. */
export function transportFeedbackPending(arrivals: TransportArrivals): boolean {
  return arrivals.first <= arrivals.highest;
}

/**
 * Writes one feedback packet about what no feedback has spoken of, and answers its length: at most `lengthMax`, 0 when
 * there is nothing to say or no room for it. Not everything may fit; call it again until it answers 0.
 */
export function transportFeedbackWrite(
  arrivals: TransportArrivals,
  _now: Micros,
  bytes: Uint8Array,
  offset: number,
  lengthMax: number,
  senderSsrc: number,
  mediaSsrc: number,
): number {
  if (!transportFeedbackPending(arrivals)) return 0;
  const { first, highest } = arrivals;
  const count = highest - first + 1;
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) times[i] = arrivals.arrivedAt[(first + i) & (RING - 1)]!;
  const length = writeTransportFeedback(
    bytes,
    offset,
    lengthMax,
    senderSsrc,
    mediaSsrc,
    first & 0xffff,
    count,
    arrivals.feedbackCount,
    transportReferenceTime(earliestFrom(times)),
    times,
  );
  if (length === 0) return 0;
  arrivals.first += transportFeedbackStatusCount(bytes, offset);
  arrivals.feedbackCount = (arrivals.feedbackCount + 1) & 0xff;
  return length;
}

/** The arrival of the first packet that has one; the last always has. */
function earliestFrom(times: Float64Array): number {
  let i = 0;
  while (times[i] === NOT_ARRIVED) i++;
  return times[i]!;
}
