/** Whether stories become short without anything in them changing places. */
import { describe, expect, it } from "vitest";
import { at, leave, mute, seconds, unmute } from "../../../io-sim/index.ts";
import { endedAfter, endings, hurried } from "../../../io-sim/search/sooner.ts";
import { checkPlan } from "../../../io-sim/story/plan.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const long = smallStory({
  timeline: [
    at(seconds(5.3), "covered", mute("ana", "camera")),
    at(seconds(7.1), "seen again", unmute("ana", "camera")),
    at(seconds(31), "next door is quiet", leave("next")),
  ],
  steady: { from: seconds(40), among: ["ana"] },
  chanceTurns: { at: seconds(6), seed: 3 },
  runFor: seconds(60),
});

describe("a story that ends sooner", () => {
  it("ends in the whole second behind the breach at the earliest, and loses what comes later", () => {
    const [soonest] = endings(long, seconds(7.9));
    expect([soonest!.runForMicros, soonest!.steps.length, soonest!.steady]).toEqual([seconds(8), 2, undefined]);
    expect(endings(long, -1)[0]!.runForMicros).toBe(seconds(1));
    expect(endings({ ...long, runForMicros: seconds(1) }, -1)).toEqual([]);
  });

  it("goes on for a moment after the breach, so that it may come a little later", () => {
    expect(endedAfter(long, seconds(7.9)).runForMicros).toBe(seconds(8.9));
    expect(endedAfter(long, seconds(60))).toBe(long);
  });
});

describe("a story without long pauses", () => {
  it("has everything in its order, a second after what was before, and a moment at the end", () => {
    const [shortest] = hurried(long);
    expect(shortest!.steps.map(({ atMicros }) => atMicros)).toEqual([seconds(1), seconds(2.7), seconds(3.7)]);
    expect(shortest!.turn!.atMicros).toBe(seconds(1.7));
    expect([shortest!.steady!.fromMicros, shortest!.runForMicros]).toEqual([seconds(4.7), seconds(7.7)]);
  });

  it("can be had with one pause made short alone, and always makes sense", () => {
    const plans = hurried(long);
    for (const plan of plans) {
      checkPlan(plan);
      expect(plan.runForMicros).toBeLessThanOrEqual(long.runForMicros);
    }
    expect(plans.some(({ runForMicros }) => runForMicros === seconds(60 - 22.9))).toBe(true);
  });
});
