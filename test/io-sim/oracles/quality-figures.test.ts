/** Whether the figures of quality say what a run was like, say nothing where there is nothing, and move nothing. */
import { describe, expect, it } from "vitest";
import { at, cut, heal, kbps, link, ms, seconds } from "../../../io-sim/index.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const PEERS = {
  ana: { sends: { camera: "vp8-simulcast" as const, microphone: true as const } },
  bob: { receives: { audio: 1, video: 1 } },
  eve: { receives: { audio: 1, video: 1 } },
};

function figures(change: Parameters<typeof smallStory>[0]) {
  return run(smallStory(change), 1, { measures: true, withoutDrain: true }).figures!;
}

describe("the figures of quality", () => {
  it("are those of a good call where nothing goes wrong", () => {
    const { lipSyncMicros, bestLayerPercent, layerChangesPerMinute, ...others } = figures({ peers: PEERS });
    expect(others).toEqual({
      freezes: 0,
      tornPermille: 0,
      standingQueueMicros: undefined,
      fairnessPercent: 100,
    });
    expect(lipSyncMicros).toBeLessThan(1_000);
    // The first pictures are of the least layer.
    expect(bestLayerPercent).toBeGreaterThan(90);
    expect(layerChangesPerMinute).toBeLessThan(30);
  });

  it("say nothing of what nobody has", () => {
    const peers = { ana: { sends: { microphone: true as const } }, bob: { receives: { audio: 1 } } };
    expect(new Set(Object.values(figures({ peers })))).toEqual(new Set([undefined]));
  });

  it("count freezes, and tell who is shown less and what stands in a queue", () => {
    const timeline = [
      at(ms(500), "bob's line becomes narrow", link("bob", { down: kbps(350), queue: { time: seconds(2) } })),
      at(seconds(5), "eve's line is cut", cut("eve")),
      at(seconds(8), "and whole again", heal("eve")),
    ];
    const peers = { ...PEERS, ana: { sends: { camera: "vp8" as const, microphone: true as const } } };
    const felt = figures({ peers, timeline, runFor: seconds(9) });
    expect(felt.freezes).toBeGreaterThan(0);
    expect(felt.standingQueueMicros).toBeGreaterThan(ms(20));
    expect(felt.fairnessPercent).toBeLessThan(95);
    expect(felt.bestLayerPercent).toBeUndefined();
  });

  it("are measured without changing the run", () => {
    const [measured, plain] = [true, false].map((measures) => run(smallStory(), 1, { measures }));
    expect(measured!.fingerprint).toBe(plain!.fingerprint);
    expect(plain!.figures).toBeUndefined();
  });
});
