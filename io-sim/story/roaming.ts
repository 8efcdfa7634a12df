/**
 * Networks that come and go with the address: the phone that walks from one access point to the next, and the NAT of a
 * provider that forgets its mappings.
 *
 * Both are written into the timeline as ordinary steps when a story is compiled, so that a plan shows them, a trace names
 * them and a story can be shortened without them. They depend on the story's first seed and on the peer's name alone.
 */

import { between, chance, createStream, type Ppm } from "../base/random.ts";
import type { Range } from "../link/plan.ts";
import type { StepPlan } from "./plan.ts";

/** How often something happens to the network, and what. Times in microseconds. */
export interface RoamingPlan {
  /** The quiet time before each event. */
  readonly every: Range;
  /** How long nothing passes; [0, 0] for an address that changes without an outage. */
  readonly outage: Range;
  /** The share of events after which the address is another one. */
  readonly addressChanges: Ppm;
  /** Whether the peer's device notices its new address, or only the NAT knows. */
  readonly noticed: boolean;
}

/** The steps that befall this peer between two times of the story. */
export function roamingSteps(
  roaming: RoamingPlan,
  seed: number,
  peer: string,
  fromMicros: number,
  untilMicros: number,
): StepPlan[] {
  const stream = createStream(seed, "roaming", `${peer}@${fromMicros}`);
  const steps: StepPlan[] = [];
  for (let time = fromMicros; ; ) {
    const start = time + Math.max(1, between(stream, ...roaming.every));
    const outage = between(stream, ...roaming.outage);
    const changes = chance(stream, roaming.addressChanges);
    time = start + outage;
    if (time > untilMicros) return steps;
    if (outage > 0) steps.push(cutStep(peer, start, true, `${peer} is between two networks`));
    if (changes) {
      const label = roaming.noticed ? `${peer} has another address` : `${peer}'s NAT has forgotten it`;
      steps.push({ atMicros: time, label, operation: { type: "move", peer, to: "address", noticed: roaming.noticed } });
    }
    if (outage > 0) steps.push(cutStep(peer, time, false, `${peer} has a network again`));
  }
}

function cutStep(peer: string, atMicros: number, cut: boolean, label: string): StepPlan {
  return { atMicros, label, operation: { type: "link", peer, up: { cut }, down: { cut } } };
}
