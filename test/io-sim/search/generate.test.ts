/**
 * Whether generated worlds make sense, are the same each time, and promise only what follows from them.
 */
import { describe, expect, it } from "vitest";
import { at, cut, join, kill, mute, seconds } from "../../../io-sim/index.ts";
import { isSound } from "../../../io-sim/search/attempt.ts";
import { FAULT_CLASSES } from "../../../io-sim/search/fault-classes.ts";
import { generatePlan } from "../../../io-sim/search/generate.ts";
import { promisesFollow, settled } from "../../../io-sim/search/settling.ts";
import type { Plan } from "../../../io-sim/story/plan.ts";
import { planFromJson, planToJson } from "../../../io-sim/story/plan-json.ts";
import { buggify } from "../../../io-sim/story/scenario.ts";
import { longestWaitBeyondUsual } from "../../../io-sim/world/knobs.ts";
import { SITE_NAMES } from "../../../io-sim/world/sites.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const REGIMES = ["torture", "realistic"] as const;

function failsFromStart({ steps }: Plan): boolean {
  return steps.some(({ label }) => label === "parts of the server fail from the start");
}

describe("a generated world", () => {
  it.each(REGIMES)("makes sense, is JSON, is the same each time, and promises only what follows: %s", (regime) => {
    for (let number = 0; number < 80; number++) {
      const plan = generatePlan(number, regime);
      expect(isSound(plan)).toBe(true);
      expect(planFromJson(planToJson(plan))).toEqual(plan);
      expect(generatePlan(number, regime)).toEqual(plan);
      expect(promisesFollow(plan)).toBe(true);
    }
  });

  it("differs from its neighbours, and all kinds of steps and troubles come up", () => {
    const plans = Array.from({ length: 160 }, (_, number) => generatePlan(number, "torture"));
    const types = new Set<string>(plans.flatMap(({ steps }) => steps.map(({ operation }) => operation.type)));
    const deeds =
      "buggify clock crash crash-shard garbage inherit join kill leave link misbehave move mute overload pause reconnect rejoin restart signalling stall swizzle unmute";
    expect([...types].sort((a, b) => (a < b ? -1 : 1)).join(" ")).toBe(deeds);
    expect(new Set(plans.map((plan) => JSON.stringify({ ...plan, name: "", seeds: [] }))).size).toBe(160);
    expect(plans.some(({ turn }) => turn !== undefined)).toBe(true);
    expect(new Set(plans.map(({ swapsWithinMicros }) => swapsWithinMicros))).toEqual(
      new Set([undefined, 0, 1, 100, 1_000]),
    );
    expect(plans.some(({ timerLateMicros }) => timerLateMicros > 0)).toBe(true);
    expect(new Set(FAULT_CLASSES.map(({ name }) => name)).size).toBe(FAULT_CLASSES.length);
  });

  it("has somebody pause and go on in each ordinary world, and strangers at the door of many", () => {
    const plans = Array.from({ length: 60 }, (_, number) => generatePlan(number, "realistic"));
    for (const { steps } of plans) {
      const goesOn = steps.some(({ atMicros, operation }) => {
        if (operation.type !== "unmute") return false;
        const { peer, source } = operation;
        return steps.some(({ atMicros: before, operation: other }) => {
          return before < atMicros && other.type === "mute" && other.peer === peer && other.source === source;
        });
      });
      expect(goesOn).toBe(true);
    }
    const scanned = plans.filter(({ steps }) => steps.some(({ operation }) => operation.type === "garbage"));
    expect(scanned.length).toBeGreaterThan(20);
  });

  it("has parts of the server fail from the start in some worlds of torture, each part in one of them", () => {
    const plans = Array.from({ length: 500 }, (_, number) => generatePlan(number, "torture"));
    const failing = plans.filter(failsFromStart);
    const sites = failing.flatMap(({ steps }) =>
      steps.flatMap(({ atMicros, operation }) =>
        atMicros === 0 && operation.type === "buggify" ? operation.sites : [],
      ),
    );
    expect(new Set(sites).size).toBe(SITE_NAMES.length);
    expect(failing.every(promisesFollow)).toBe(true);
    expect(failing.filter((plan) => plan.finally.length > 0).length).toBeGreaterThan(10);
  });

  it("turns knobs in some worlds of torture, keeps them in what it makes of these, and moves nothing else by them", () => {
    const all = Array.from({ length: 120 }, (_, number) => [
      generatePlan(number, "torture"),
      generatePlan(number, "torture", false),
    ]);
    expect(all.filter(([plan]) => plan!.knobs !== undefined).length).toBeGreaterThan(20);
    expect(all.some(([plan]) => plan!.turn !== undefined && plan!.knobs !== undefined)).toBe(true);
    expect(generatePlan(7, "realistic").knobs).toBeUndefined();
    // What is made of a world whose server fails from the start has other steps to choose from, and some worlds are hasty.
    const atTheirTime = (plan: Plan) => plan.steps.map(({ atMicros }) => atMicros).join();
    const others = (all as [Plan, Plan][]).filter(
      ([plan, plain], number) => number % 5 < 3 && !failsFromStart(plan) && atTheirTime(plan) === atTheirTime(plain),
    );
    expect(others.length).toBeGreaterThan(20);
    for (const [{ knobs = {}, ...plan }, plain] of others) {
      const runForMicros = plain.runForMicros + longestWaitBeyondUsual(knobs);
      expect(plan).toEqual({ ...plain, runForMicros });
    }
  });

  it("has everything happen at once in some worlds of torture, in the order in which it would have happened", () => {
    const numbers = Array.from({ length: 90 }, (_, number) => number).filter((number) => number % 5 < 3);
    const isHasty = (number: number) => {
      const [plan, plain] = [generatePlan(number, "torture"), generatePlan(number, "torture", false)];
      const happens = (all: Plan) =>
        all.steps.filter(({ label }) => !/well again|from the start|of the video/.test(label));
      expect(happens(plan).map(({ label }) => label)).toEqual(happens(plain).map(({ label }) => label));
      const [hasty, slow] = [happens(plan), happens(plain)].map((steps) => steps.map(({ atMicros }) => atMicros));
      for (const [index, time] of hasty!.entries()) expect(time).toBeLessThanOrEqual(slow![index]!);
      return hasty!.some((time, index) => time < slow![index]!);
    };
    const hasty = numbers.filter(isHasty).length;
    expect(hasty).toBeGreaterThan(numbers.length / 10);
    expect(hasty).toBeLessThan(numbers.length / 2);
  });

  it("has a server with more work than time in some worlds of torture, which has time again when all heals", () => {
    const plans = Array.from({ length: 90 }, (_, number) => generatePlan(number, "torture"));
    const loads = plans.map(({ steps }) =>
      steps.flatMap(({ operation }) => (operation.type === "overload" ? [operation.parts] : [])),
    );
    const busy = loads.filter((parts) => parts.length > 0);
    expect(busy.length).toBeGreaterThan(10);
    expect(busy.every((parts) => parts.at(-1) === 0)).toBe(true);
    expect(busy.some((parts) => parts.some((some) => some > 0))).toBe(true);
  });

  it("has people with ordinary networks lose them, reload and come back too", () => {
    const plans = Array.from({ length: 60 }, (_, number) => generatePlan(number, "realistic"));
    const types = new Set<string>(plans.flatMap(({ steps }) => steps.map(({ operation }) => operation.type)));
    for (const type of ["crash-shard", "kill", "link", "reconnect", "rejoin"]) expect(types).toContain(type);
    expect(plans.some(({ steady }) => (steady?.among.length ?? 0) > 2)).toBe(true);
  });

  it("heals a core set alone, and owes it something", () => {
    const plans = Array.from({ length: 60 }, (_, number) => generatePlan(number, "torture"));
    const isOwed = (plan: Plan) => plan.finally.length > 0;
    expect(plans.filter(isOwed).length).toBeGreaterThan(10);
    const owesQuality = (plan: Plan) => (plan.steady?.among.length ?? 0) > 1;
    expect(plans.some(owesQuality)).toBe(false);
    expect(Array.from({ length: 20 }, (_, number) => generatePlan(number, "realistic")).some(owesQuality)).toBe(true);
  });
});

describe("what follows from a plan", () => {
  const everybody = ["ana", "bob", "next"];
  const rest = (timeline: Plan["steps"], core = everybody) =>
    settled(smallStory({ timeline, runFor: seconds(60) }), seconds(3), core);
  const promised = (plan: Plan) =>
    plan.finally.map((one) => (one.kind === "plays" ? `${one.viewer} ${one.source}` : ""));

  it("is nothing about a source that is off, a viewer who has gone or a link that stays cut", () => {
    expect(promised(rest([]))).toHaveLength(4);
    expect(promised(rest([at(0, "off", mute("ana", "camera"))]))).not.toContain("bob ana/camera");
    expect(promised(rest([at(0, "gone", kill("bob"))]))).toEqual([]);
    expect(promised(rest([at(0, "cut", cut("bob"))], ["ana"]))).toEqual([]);
    const cutOff = rest([at(0, "cut", cut("bob"))]);
    expect(promised(cutOff)).toHaveLength(4);
    expect(promisesFollow({ ...cutOff, steps: cutOff.steps.slice(0, 1) })).toBe(false);
    expect(promisesFollow({ ...cutOff, runForMicros: cutOff.runForMicros - seconds(2) })).toBe(false);
  });

  it("is nothing to who comes to a server that may refuse everybody", () => {
    const refusing = buggify(["join/room-full"], 1_000);
    const comes = rest([
      at(0, "a full house", refusing),
      at(seconds(1), "bob comes anew", join("bob", { times: 2, every: seconds(0.5) })),
    ]);
    expect(promised(comes).filter((pair) => pair.includes("bob"))).toEqual([]);
  });

  it("is nothing while the server still fails", () => {
    const failing = rest([at(0, "hiccups", buggify(["host/send-refused"], 1_000))]);
    expect(promised(failing)).toHaveLength(4);
    expect(promisesFollow({ ...failing, steps: failing.steps.slice(0, 1) })).toBe(false);
  });
});
