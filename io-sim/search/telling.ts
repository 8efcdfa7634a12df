/**
 * How a finding of a search is told: to whoever searches, by the promise that was broken and what was seen of it; and as a
 * user of the call would tell it, made of what happens in the plan.
 */

import { readableTimes } from "../base/readable-times.ts";
import { PROMISES, type PromiseId } from "../oracles/promises.ts";
import type { Plan } from "../story/plan.ts";

/** What a user notices of a promise that is broken; whoever looks at packets says it in other words. */
const NOTICED: Partial<Record<PromiseId, string>> = {
  S0: "the server fell over",
  S1: "I saw somebody whom I should not have seen",
  S2: "packets were missing that had come to the server",
  S3: "the clock of a picture went back",
  S4: "the picture came in pieces",
  S5: "the picture began in the middle",
  S7: "the same moment was shown twice",
  S9: "the server told something that was not so",
  S10: "nobody asked for the picture that I needed",
  S11: "somebody was sent the call who did not want it any more",
  S12: "a stranger was listened to",
  S13: "somebody got in who was not who he said",
  S15: "the server lost track of who was shown what",
  S16: "the server told everybody something that was not so",
  S20: "nobody was told that nothing comes any more",
  R1: "the call was over, but not for the server",
  R2: "the server kept more and more",
  L1: "I waited too long for the call to begin",
  L2: "what had stopped did not come again",
  L3: "something that should have come never came",
  L4: "what had paused did not go on",
  L5: "the server asked for the same again and again",
  Q1: "the first picture came late",
  Q2: "the picture stood still",
  Q3: "the picture was a slide show",
  Q4: "the voice had holes",
  Q5: "lips and voice did not belong together",
  Q8: "the picture was worse than it had to be",
};

/** What a search has found, two lines. */
export function findingText(found: { number: number; promise: PromiseId | ""; detail: string }): string {
  const { number, promise, detail } = found;
  const sentence = promise === "" ? "" : `: ${PROMISES[promise]}`;
  return `world ${number} breaks ${promise}${sentence}\n  ${readableTimes(detail)}`;
}

/** The story, one sentence. */
export function tellStory(plan: Plan, promise: PromiseId | ""): string {
  const rooms = new Set(plan.peers.map(({ room }) => room)).size;
  const opening = `${count(plan.peers.length)}${rooms > 1 ? ` in ${rooms} rooms` : ""}`;
  const events = plan.steps.map(({ label }) => label.replace(/^and /, ""));
  const ending =
    (promise === "" ? undefined : NOTICED[promise]) ?? missing(plan) ?? "something was not as it should be";
  return `${[opening, ...events].join(", then ")}, and ${ending}.`;
}

function count(peers: number): string {
  if (peers < 2) return peers === 0 ? "Nobody was there" : "I was alone";
  return `There were ${["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"][peers - 2] ?? peers} of us`;
}

/** What the plan itself promises and a viewer misses. */
function missing(plan: Plan): string | undefined {
  const [promise] = [...plan.finally, ...plan.always];
  if (promise === undefined || "peer" in promise) return undefined;
  const [owner, source] = promise.source.split("/");
  const what = `${owner}'s ${source === "camera" ? "picture" : "voice"}`;
  return promise.kind === "plays" ? `${promise.viewer} got nothing of ${what}` : `${what} stood still`;
}
