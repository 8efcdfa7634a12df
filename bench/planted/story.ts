/**
 * The story of a small world in which a planted mistake shows.
 *
 * It is told as any finding is, by what happens in it, and called as its mistake; whoever reads it on is told where it breaks.
 */
import { readableTimes } from "../../io-sim/base/readable-times.ts";
import type { FoundStory } from "../../io-sim/cli/story-files.ts";
import { tellStory } from "../../io-sim/search/telling.ts";
import type { Found } from "./hunt.ts";
import type { Mistake } from "./mistake.ts";

/** The story, called as its mistake is. */
export function plantedStory(
  { id, what }: Mistake,
  { plan, seed, promise, detail }: Pick<Found, "plan" | "seed" | "promise" | "detail">,
): FoundStory {
  const told = {
    ...plan,
    name: id,
    story: tellStory(plan, promise),
    seeds: [{ seed, why: "the seed that it was found with" }],
  };
  return { plan: told, why: `Where ${what}: ${promise}. ${readableTimes(detail)}`, fileName: id };
}
