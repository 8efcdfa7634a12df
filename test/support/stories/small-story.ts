/**
 * A story that takes a moment: two people in a room and a third next door, for tests of the simulator itself.
 */
import type { Plan } from "../../../io-sim/story/plan.ts";
import { type Scenario, scenario } from "../../../io-sim/story/scenario.ts";
import { seconds } from "../../../io-sim/story/units.ts";

/** The story with what a test wants otherwise. */
export function smallStory(change: Partial<Scenario> = {}): Plan {
  return scenario({
    name: "a small story",
    story: "We said hello.",
    seeds: { 1: "the only one" },
    peers: {
      ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
      bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
      next: { room: "next-door", sends: { microphone: true }, receives: { audio: 1, video: 1 } },
    },
    runFor: seconds(4),
    ...change,
  });
}

export default smallStory();
