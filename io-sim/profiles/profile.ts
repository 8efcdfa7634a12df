/**
 * What a profile is: the two directions of an access network, in full, with a sentence for people.
 *
 * Beside each number stands where it comes from:
 * - "measured": published measurements of such networks; which study a number was taken from was not written down, so
 *   take it as an order of magnitude and not as a quotation.
 * - "RFC …": the section says so.
 * - "ours": a default of ours, chosen to be plausible.
 * What a profile does not name is as in the plain link. Changing a number changes the calibration test with it, which
 * compares what packets experience with what stands here.
 */

import { PLAIN_LINK } from "../link/index.ts";
import { BYTES_UNLIMITED, type LinkPlan } from "../link/plan.ts";
import type { RoamingPlan } from "../story/roaming.ts";

/** An access network. */
export interface Profile {
  /** Whose link this is, in a sentence. */
  readonly about: string;
  readonly up: LinkPlan;
  readonly down: LinkPlan;
  /** What befalls both directions and the address together. */
  readonly roaming?: RoamingPlan;
}

/** A profile from what both directions have in common and what each has alone. */
export function access(
  about: string,
  common: Partial<LinkPlan>,
  up: Partial<LinkPlan>,
  down: Partial<LinkPlan>,
): Profile {
  return { about, up: { ...PLAIN_LINK, ...common, ...up }, down: { ...PLAIN_LINK, ...common, ...down } };
}

/** A drop-tail queue that holds so many microseconds of the link's capacity. */
export function queueOf(queueMicros: number): Partial<LinkPlan> {
  return { queueMicros, queueBytes: BYTES_UNLIMITED };
}

/** A capacity that walks over these levels (bits per second); its middle one is the median. */
export function walkOver(levelsBps: readonly number[], dwellMicros: number, reach: number): Partial<LinkPlan> {
  return {
    rateBps: levelsBps[levelsBps.length >> 1]!,
    capacity: { kind: "markov", levelsBps, dwellMicros, reach },
  };
}
