/** Whether the pause that a broken promise speaks of is found in what people saw. */
import { describe, expect, it } from "vitest";
import { at, cut, freezes, heal, plays, seconds } from "../../../io-sim/index.ts";
import { historyIn } from "../../../io-sim/search/history.ts";
import { standstillOf } from "../../../io-sim/trace/standstill.ts";
import type { Trace } from "../../../io-sim/trace/trace.ts";
import brokenStory from "../../support/stories/broken-story.ts";
import { smallStory } from "../../support/stories/small-story.ts";
import { traceStory } from "../../support/stories/traced-story.ts";

/** Bob sees nothing for two seconds in the middle, which the story says he would. */
const tunnel = smallStory({
  timeline: [at(seconds(1), "into the tunnel", cut("bob", "down")), at(seconds(3), "and out", heal("bob"))],
  always: [freezes("bob", "ana/camera").shorterThan(seconds(1))],
  runFor: seconds(5),
});

/** Seconds of the story. */
function times({ zeroAt }: Trace, pause: { from: number; to: number } | undefined): (number | undefined)[] {
  return [pause?.from, pause?.to].map((time) => (time === undefined ? time : (time - zeroAt) / 1e6));
}

describe("the pause that broke a promise", () => {
  it("is where the picture stood still, and not where it was judged", () => {
    const { trace } = traceStory(tunnel, 1);
    const pause = standstillOf(trace);
    expect(pause).toMatchObject({ viewer: "bob", source: "ana/camera" });
    const [from, to] = times(trace, pause);
    expect(from).toBeCloseTo(1, 0);
    expect(to).toBeCloseTo(3, 0);
    expect(trace.broken!.time).toBeGreaterThan(pause!.to);
  });

  it("is the end of the call when nothing came any more", () => {
    const { trace } = traceStory(brokenStory, 7);
    expect(times(trace, standstillOf(trace))).toEqual([1, 4]);
  });

  it("is none when the sentence speaks of something else, or nothing broke", () => {
    const { trace } = traceStory(smallStory({ finally: [plays("bob", "ana/camera")] }), 1);
    expect(standstillOf(trace)).toBeUndefined();
    const other = { promise: "S12" as const, detail: "bob was sent ana/camera.", time: trace.endsAt, event: 1 };
    expect(standstillOf({ ...trace, broken: other })).toBeUndefined();
  });
});

describe("the history of a run in which a picture stood still", () => {
  it("goes on for a moment from where it stopped, and no further", () => {
    const { trace } = traceStory(tunnel, 1);
    const texts = historyIn(trace).map(({ text }) => text);
    expect(texts).toContain("into the tunnel");
    expect(texts.some((text) => text.includes("sees ana's camera stand still for"))).toBe(true);
    expect(texts.length).toBeLessThanOrEqual(20);
  });
});
