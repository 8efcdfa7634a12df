/**
 * Whether each story has a steady time in which somebody is owed quality. Where nobody is, the reason stands here. What is
 * promised there is judged with the stories themselves.
 */
import { expect, it } from "vitest";
import { storiesOnScoreboard } from "../../io-sim/cli/scoreboard.ts";
import { allStories } from "../../io-sim/cli/stories.ts";

const WITHOUT: ReadonlyMap<string, string> = new Map([
  ["a box that forgets", "one of the two is moved to another address every few seconds, to the end"],
  ["walking through the office", "one of the two is moved to another access point every few seconds, to the end"],
  ["more voices than places", "there are more voices than slots, and no more than voices"],
  ["the tab that crashed", "the only viewer has one slot, for which two tabs compete to the end"],
]);

it("each story has a steady time, or there is a reason why it has none", async () => {
  const without = storiesOnScoreboard(await allStories()).filter(({ plan }) => plan.steady === undefined);
  expect(new Set(without.map(({ plan }) => plan.name))).toEqual(new Set(WITHOUT.keys()));
});
