/** Whether judges in other threads answer as this one does, and stop when they are told to. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type HiredJudges, hireJudges } from "../../../io-sim/cli/judges.ts";
import { ms } from "../../../io-sim/index.ts";
import { judge, type Trial } from "../../../io-sim/search/judging.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const trial: Trial = { plan: smallStory({ runFor: ms(300) }), seed: 1, withoutDrain: true, logsChance: true };
const endless: Trial = { ...trial, plan: smallStory({ runFor: ms(3_600_000) }) };
let isOver = false;
let judges: HiredJudges;

beforeAll(() => {
  judges = hireJudges({ workers: 2, startedAt: performance.now(), calledAfterMillis: 0, isOver: () => isOver });
});

afterAll(() => judges.close());

it("they answer as this thread does", async () => {
  expect(judges.size()).toBe(2);
  expect(await judges.judge(trial)).toEqual(judge(trial));
});

it("what is being tried is given up at a word, and what comes after it is tried", async () => {
  const both = [judges.judge(endless), judges.judge(endless)];
  judges.giveUp();
  const after = judges.judge(trial);
  expect(await Promise.all(both)).toEqual([undefined, undefined]);
  expect(await after).toEqual(judge(trial));
});

it("when the search is over they stop by themselves, and begin nothing", async () => {
  const one = judges.judge(endless);
  await new Promise((turn) => setTimeout(turn, 5));
  isOver = true;
  expect([await one, await judges.judge(trial)]).toEqual([undefined, undefined]);
});

it("a small search is over before they are called", async () => {
  const alone = hireJudges({
    workers: 2,
    startedAt: performance.now(),
    calledAfterMillis: 600_000,
    isOver: () => false,
  });
  expect(await alone.judge(trial)).toEqual(judge(trial));
  expect(alone.size()).toBe(1);
  await alone.close();
});
