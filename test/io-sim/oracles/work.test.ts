/** Whether the oracle of work knows what one input may lead to, and what lies behind a keyframe that comes late. */
import { describe, expect, it } from "vitest";
import { ms, percent, seconds } from "../../../io-sim/index.ts";
import type { Effect } from "../../../io-sim/world/recording-outbox.ts";
import { type RunOptions, run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

/** More effects than all who are in the story explain, if nothing is caught up with. */
const MANY = 100;

describe("a keyframe that was lost at first", () => {
  const viewer = { receives: { video: 1 } } as const;
  const story = smallStory({
    knobs: { retransmitBurstPackets: 10 },
    peers: {
      ana: { sends: { camera: "vp8" }, link: { direction: "up", loss: percent(35), delay: ms(250) } },
      ...Object.fromEntries(["bob", "dan", "eve", "fay", "gil", "ida", "kai", "mia"].map((name) => [name, viewer])),
    },
    runFor: seconds(3),
  });

  /** Looks at what each datagram leads to, which is told otherwise. */
  function told(change: (effects: readonly Effect[]) => readonly Effect[]): RunOptions & { most(): number } {
    let most = 0;
    return {
      withoutDrain: true,
      most: () => most,
      onWorld: ({ watchers }) => {
        for (const watcher of watchers) {
          const afterInput = watcher.afterInput?.bind(watcher);
          if (afterInput === undefined) continue;
          watcher.afterInput = (input, effects, node) => {
            if (input.kind !== "datagram") return afterInput(input, effects, node);
            most = Math.max(most, effects.length);
            afterInput(input, change(effects), node);
          };
        }
      },
    };
  }

  it("leads to more than those who are there explain, as all behind it goes out to everybody who begins there", () => {
    const options = told((effects) => effects);
    expect(run(story, 75, options).broken).toBeUndefined();
    expect(options.most()).toBeGreaterThan(MANY);
  });

  it("leads to no more than lies behind it", () => {
    const options = told((effects) => (effects.length > MANY ? [...effects, ...effects, ...effects] : effects));
    expect(run(story, 75, options).broken?.detail).toMatch(/^One datagram led to \d+ effects\.$/);
  });

  it("explains nothing that goes out for a packet that comes in time", () => {
    const options = told((effects) =>
      effects.length === 8 ? Array.from({ length: 20 }, () => effects).flat() : effects,
    );
    expect(run(story, 75, options).broken?.detail).toBe("One datagram led to 160 effects.");
  });
});
