/**
 * Worlds of ten people, and mistakes that break promises in them: what shrinking is measured with.
 *
 * The core as it is keeps every promise in these worlds, so whatever breaks is the mistake's doing. Promises of each kind are
 * among them, some broken in the first seconds and some at the end of a minute, or when everybody leaves.
 */

import type { Plan } from "../../io-sim/story/plan.ts";
import type { Mistake } from "../planted/mistake.ts";
import { MISTAKES } from "../planted/mistakes.ts";
import allHands from "./worlds/all-hands.ts";
import badWeather from "./worlds/bad-weather.ts";
import threeShards from "./worlds/three-shards.ts";

/** A world, and the mistake with which it breaks. */
export interface Case {
  readonly world: Plan;
  readonly mistake: Mistake;
}

const PLANTED: readonly (readonly [world: Plan, mistakes: readonly string[]])[] = [
  [allHands, ["paused-for-good", "rollover-missed", "route-leak", "new-slots-empty", "roster-not-updated"]],
  [threeShards, ["keyframe-storm", "pause-not-told", "proxy-leak"]],
  [badWeather, ["marker-lost", "restore-forgets-index", "consent-outlived"]],
];

/** All of them. */
export const CASES: readonly Case[] = PLANTED.flatMap(([world, ids]) =>
  ids.map((id) => ({ world, mistake: MISTAKES.find((mistake) => mistake.id === id)! })),
);
