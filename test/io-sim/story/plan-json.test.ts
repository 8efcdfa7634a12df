/** Whether plans come back from JSON as they were, and whatever is wrong with one is said in a sentence. */
import { describe, expect, it } from "vitest";
import { allStories } from "../../../io-sim/cli/stories.ts";
import { at, cut, garbage, move, mute, only, restart, seconds } from "../../../io-sim/index.ts";
import { planFromJson, planToJson } from "../../../io-sim/story/plan-json.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const timeline = [
  at(seconds(1), "a cut", cut("bob")),
  at(seconds(1), "a move", move("bob")),
  at(seconds(1), "rubbish", garbage({ perSecond: 10, duration: seconds(1) })),
  at(seconds(2), "covered", mute("ana", "camera")),
  at(seconds(2), "a restart", restart()),
];
const whole = () => smallStory({ timeline, knobs: { nackTriesMax: 3 }, chance: [only("link/loss", "ana/up", [3])] });

/** The JSON of the plan after `change` has had its way with it. */
function spoilt(change: (plan: never) => void): string {
  const plan = JSON.parse(planToJson(whole()));
  change(plan as never);
  return JSON.stringify(plan);
}

describe("a plan as JSON", () => {
  it("comes back as it was", async () => {
    expect(planFromJson(planToJson(whole()))).toEqual(whole());
    for (const { plan } of await allStories()) expect(planFromJson(planToJson(plan))).toEqual(plan);
  });

  it.each<
    [string, (plan: Record<string, never> & { peers: Record<string, unknown>[]; steps: never[] }) => void, RegExp]
  >([
    ["a missing field", (plan) => Reflect.deleteProperty(plan, "cipher"), /The plan lacks the field "cipher"/],
    [
      "a field too many",
      (plan) => Object.assign(plan.peers[0]!, { hat: 1 }),
      /peers\[0\] has a field "hat" of no meaning/,
    ],
    [
      "a camera that is none",
      (plan) => Object.assign(plan.peers[1]!, { camera: "vp10" }),
      /peers\[1\]\.camera is "vp10"/,
    ],
    ["a fraction", (plan) => Object.assign(plan, { runForMicros: 0.5 }), /runForMicros is 0\.5/],
    ["a number below zero", (plan) => Object.assign(plan, { timerLateMicros: -1 }), /0 or more/],
    ["a text for a number", (plan) => Object.assign(plan, { runForMicros: "4" }), /whole number/],
    ["no list", (plan) => Object.assign(plan, { peers: {} }), /has to be a list/],
    ["an unknown operation", (plan) => Object.assign(plan.steps[0]!, { operation: { type: "dance" } }), /"dance"/],
    [
      "half an operation",
      (plan) => Object.assign(plan.steps[0]!, { operation: { type: "mute", peer: "bob" } }),
      /"source"/,
    ],
    ["a knob of no meaning", (plan) => Object.assign(plan, { knobs: { volume: 11 } }), /knobs has a field "volume"/],
    ["a knob turned too far", (plan) => Object.assign(plan, { knobs: { nackTriesMax: 99 } }), /from 1 to 20 questions/],
    ["half a link", (plan) => Object.assign(plan.peers[0]!, { up: { cut: false } }), /peers\[0\]\.up lacks/],
    ["an operation that is null", (plan) => Object.assign(plan.steps[0]!, { operation: null }), /missing/],
    [
      "an unknown peer",
      (plan) => Object.assign(plan.steps[0]!, { operation: { type: "kill", peer: "eve" } }),
      /"eve", who is not/,
    ],
    [
      "half a decision",
      (plan) => Object.assign(plan, { decisions: [{ site: "a", entity: "b", answers: [[1]], others: null }] }),
      /ordinal/,
    ],
  ])("is refused with a sentence for %s", (_what, change, sentence) => {
    expect(() => planFromJson(spoilt(change as never))).toThrow(sentence);
  });

  it("is refused when it is no JSON at all", () => {
    for (const text of ["", "{", "[]", "null", "7"]) expect(() => planFromJson(text)).toThrow(/^The plan /);
  });
});
