/**
 * What a browser believes that it may send, far simpler than the real thing: it begins at 300 kbit/s, climbs with each word
 * from the server that its packets arrived (transport-wide feedback), and falls when many did not. Simulcast layers that do
 * not fit into the estimate rest, the upper ones first; so they come and go as they do in a real call.
 */
import type { LayerEncoder } from "./camera.ts";

/** Where an estimate begins, and the bounds that it keeps. */
const START_BPS = 300_000;
const LEAST_BPS = 50_000;
const GREATEST_BPS = 5_000_000;

/** Shares of lost packets, in percent, below which the estimate climbs and above which it falls (as in RFC 8698's kin). */
const CLIMB_BELOW_PERCENT = 2;
const FALL_ABOVE_PERCENT = 10;

/** The estimate of one client; make it with {@link createBandwidth}. */
export interface Bandwidth {
  estimateBps: number;
  /** Feedback packets that were heard. */
  feedbacks: number;
}

/** An estimate before anything is known. */
export function createBandwidth(): Bandwidth {
  return { estimateBps: START_BPS, feedbacks: 0 };
}

/** Takes in a feedback packet: of so many packets so many have arrived. */
export function bandwidthFeedback(bandwidth: Bandwidth, packets: number, arrived: number): void {
  if (packets === 0) return;
  bandwidth.feedbacks++;
  const lostPercent = Math.floor((100 * (packets - arrived)) / packets);
  const { estimateBps } = bandwidth;
  if (lostPercent < CLIMB_BELOW_PERCENT)
    bandwidth.estimateBps = Math.min(GREATEST_BPS, estimateBps + (estimateBps >> 6));
  else if (lostPercent > FALL_ABOVE_PERCENT) {
    bandwidth.estimateBps = Math.max(LEAST_BPS, estimateBps - Math.floor((estimateBps * lostPercent) / 200));
  }
}

/** How many layers fit into the estimate, the smallest first; one is always sent. */
export function affordableLayers(bandwidth: Bandwidth, encoders: readonly LayerEncoder[]): number {
  let sum = 0;
  let count = 0;
  for (const { plan } of encoders) {
    sum += plan.rateBps;
    if (count > 0 && sum > bandwidth.estimateBps) break;
    count++;
  }
  return count;
}
