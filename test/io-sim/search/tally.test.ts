/**
 * Whether a search counts the same whoever was faster, and tells findings apart by what they are.
 */
import { describe, expect, it } from "vitest";
import { at, kill, link, ms, percent } from "../../../io-sim/index.ts";
import { createTally, isFull, merge, type Seen, shapeOfPlan } from "../../../io-sim/search/tally.ts";
import { smallStory } from "../../support/stories/small-story.ts";

function seen(number: number, key = ""): Seen {
  const sites = [["host/paused", { reached: 2, fired: number % 2 }]] as const;
  return { number, key, simulatedMicros: 1_000, judged: [["S1", 3]], excused: [["no way", 1]], sites };
}

describe("a tally", () => {
  it("is the same in whatever order worlds come back", () => {
    const worlds = [seen(5), seen(6, "S1: a"), seen(7, "S2: b"), seen(8, "S1: a"), seen(9, "S1: a")];
    const [forwards, backwards] = [createTally(5, 9), createTally(5, 9)];
    for (const world of worlds) merge(forwards, world);
    for (const world of [...worlds].reverse()) merge(backwards, world);
    expect(backwards).toEqual(forwards);
    expect(forwards).toMatchObject({ worlds: 5, broken: 4, simulatedMicros: 5_000 });
    expect(forwards.findings.map(({ number }) => number)).toEqual([6, 7, 8]);
    expect(forwards.sites.get("host/paused")).toEqual({ reached: 10, fired: 3 });
    expect(forwards.judged.get("S1")).toBe(15);
    expect(forwards.excused.get("no way")).toBe(5);
  });

  it("takes nothing in behind the last finding that was asked for", () => {
    const tally = createTally(0, 1);
    merge(tally, seen(2, "S2: b"));
    merge(tally, seen(1, "S1: a"));
    expect(isFull(tally)).toBe(false);
    merge(tally, seen(0));
    expect([isFull(tally), tally.worlds, tally.findings.length]).toEqual([true, 2, 1]);
  });
});

describe("the shape of a plan", () => {
  it("is what it is made of, not when and to whom it happens", () => {
    const one = smallStory({
      timeline: [at(ms(1), "gone", kill("ana")), at(ms(2), "bad", link("bob", { loss: percent(3) }))],
    });
    const other = smallStory({
      timeline: [at(ms(7), "bad", link("ana", { loss: 9 })), at(ms(9), "gone", kill("bob"))],
    });
    expect(shapeOfPlan(one)).toBe("kill link lossPpm");
    expect(shapeOfPlan(other)).toBe(shapeOfPlan(one));
    expect(shapeOfPlan(smallStory())).toBe("");
  });
});
