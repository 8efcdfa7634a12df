/** Whether stories compile to plans that are data, and senseless ones are refused with a sentence. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allStories } from "../../../io-sim/cli/stories.ts";
import * as vocabulary from "../../../io-sim/index.ts";
import { at, cut, freezes, heal, kbps, link, ms, percent, plays, scenario, seconds } from "../../../io-sim/index.ts";
import { PROFILES } from "../../../io-sim/profiles/profiles.ts";
import { checkPlan } from "../../../io-sim/story/plan.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const ana = { sends: { camera: "vp8" as const }, receives: ["bob/camera", "bob/microphone"] };
const story = { name: "x", story: "y.", seeds: { 1: "why" }, peers: { ana }, runFor: seconds(1) };

describe("a story", () => {
  it("compiles to JSON that runs like the story itself", () => {
    const plan = smallStory({ runFor: seconds(1) });
    const copy = JSON.parse(JSON.stringify(plan));
    expect(copy).toEqual(plan);
    expect(run(copy, 1).fingerprint).toBe(run(plan, 1).fingerprint);
  });

  it("counts its slots by the names of what is received", () => {
    expect(scenario(story).peers[0]).toMatchObject({ audioSlots: 1, videoSlots: 1 });
  });

  it("speaks of links in both directions or in one", () => {
    const options = { down: kbps(400), delay: ms(40), loss: percent(1) };
    expect(link("ana", options)).toEqual({
      type: "link",
      peer: "ana",
      up: { delayMicros: 40_000, lossPpm: 10_000 },
      // A fixed rate takes the place of a capacity that varied.
      down: { delayMicros: 40_000, lossPpm: 10_000, rateBps: 400_000, capacity: null },
    });
    expect(cut("ana", "up")).toMatchObject({ up: { cut: true }, down: {} });
    expect(heal("ana")).toMatchObject({ up: { cut: false }, down: { cut: false } });
  });

  it("is refused with a sentence when it makes no sense", () => {
    const refused: [object, RegExp][] = [
      [{ name: " " }, /no name/],
      [{ seeds: {} }, /no seed/],
      [{ peers: {} }, /no peers/],
      [{ timeline: [at(seconds(2), "late", cut("ana"))] }, /"late" outside its time/],
      [{ timeline: [at(0, "who", cut("eve"))] }, /"eve", who is not/],
      [{ finally: [plays("ana", "ana/microphone")] }, /"ana\/microphone", which nobody has/],
      [{ always: [freezes("eve", "ana/camera").shorterThan(1)] }, /"eve"/],
      [{ swapsWithin: ms(2) }, /2000 µs apart: 1000 µs at most/],
      [{ runFor: 1.5 }, /1.5, no whole number/],
    ];
    for (const [change, sentence] of refused) expect(() => scenario({ ...story, ...change })).toThrow(sentence);
  });
});

describe("the committed stories", () => {
  it("are all whole, have names of their own, and give a reason for each seed", async () => {
    const stories = await allStories();
    expect(new Set(stories.map(({ plan }) => plan.name)).size).toBe(stories.length);
    expect(stories.length).toBeGreaterThanOrEqual(40);
    for (const { plan } of stories) {
      checkPlan(plan);
      expect(plan.story.length).toBeGreaterThan(20);
      for (const { why } of plan.seeds) expect(why.length).toBeGreaterThan(5);
    }
  });
});

describe("the reference of the vocabulary", () => {
  const reference = readFileSync(new URL("../../../docs/writing-scenarios.md", import.meta.url), "utf8");

  it.each(Object.keys(vocabulary))("explains %s with an example", (word) => {
    expect(reference).toContain(`\`${word}`);
    expect(reference).toContain(`${word}(`);
  });

  it("names every profile", () => {
    for (const name of Object.keys(PROFILES)) expect(reference).toContain(`\`${name}\``);
  });

  it("begins with a story whose words exist", () => {
    const [, text] = /```ts\n([\s\S]*?)```/.exec(reference)!;
    expect(text).toContain("export default scenario({");
    const words = /import \{ (.*) \} from/.exec(text!)![1]!.split(", ");
    for (const word of words) expect(vocabulary).toHaveProperty(word);
  });
});
