/**
 * Whether the oracle of the server's door can tell what an accident explains from what the server does wrong: what is under
 * way when a process dies, and pieces of a stream whose beginning an injected failure has hidden.
 */
import { describe, expect, it } from "vitest";
import { micros } from "../../../core/index.ts";
import { EVENT_CLASS, schedule } from "../../../io-sim/event-loop.ts";
import { at, buggify, join, ms, percent, restart, seconds } from "../../../io-sim/index.ts";
import { run } from "../../../io-sim/run.ts";
import { smallStory } from "../../support/small-story.ts";

describe("what is sent again", () => {
  const story = smallStory({
    peers: {
      ana: { sends: { camera: "vp8", microphone: true } },
      bob: { receives: { audio: 1, video: 1 }, link: { loss: percent(20), delay: ms(150) } },
    },
    timeline: [at(seconds(2), "the server crashes", restart({ after: seconds(1) }))],
    runFor: seconds(2.5),
  });

  it("may come when the process that sent it has died", () => {
    let afterwards = 0;
    let hasDied = false;
    const verdict = run(story, 1, {
      onWorld: ({ watchers }) => {
        watchers.push({
          crashed: () => {
            hasDied = true;
          },
          repaired: () => {
            if (hasDied) afterwards++;
          },
        });
      },
    });
    expect(verdict.broken).toBeUndefined();
    expect(afterwards).toBeGreaterThan(0);
  });

  it.each([1.9, 2.1])("was sent before, whether its process lives or not", (when) => {
    const { promise } = run(story, 1, {
      onWorld: (world) => {
        schedule(world.loop, micros(world.loop.now + seconds(when)), EVENT_CLASS.STEP, () => {
          const client = world.peers.get("bob")!.client!;
          const { stream } = client.media.slots[1]!;
          client.ports.watcher.repaired?.(client, stream.ssrc, 4_711, 0);
        });
      },
    });
    expect(promise).toBe("S8");
  });
});

describe("what comes late", () => {
  const viewers = { receives: { video: 1 }, joinsLater: true } as const;
  const story = smallStory({
    peers: {
      ana: { sends: { camera: "vp8" }, link: { loss: percent(10), delay: ms(60) } },
      bob: { receives: { video: 1 } },
      dan: viewers,
      eve: viewers,
      mia: viewers,
    },
    timeline: [
      at(seconds(0.5), "parts of the server fail now and then", buggify(["forward/extensions-dropped"], percent(30))),
      at(seconds(1), "dan joins", join("dan")),
      at(seconds(1.7), "eve joins", join("eve")),
      at(seconds(2.4), "mia joins", join("mia")),
    ],
  });

  it.each([6, 8, 9])("may be from before a beginning that a failure has hidden", (seed) => {
    expect(run(story, seed).broken).toBeUndefined();
  });

  it("is judged by what it refers to where every beginning was seen", () => {
    let told = 0;
    const sound = { ...story, steps: story.steps.filter(({ operation }) => operation.type !== "buggify") };
    expect(run(sound, 6).broken).toBeUndefined();
    const { broken } = run(sound, 6, {
      onWorld: ({ watchers }) => {
        watchers.push({
          filmed: (client, ssrc, firstSequence, packets, passport) => {
            if (passport.keyframe || passport.frame < 60) return;
            const before = { ...passport, reference: 0 };
            for (const watcher of watchers.slice(0, -1)) {
              watcher.filmed?.(client, ssrc, firstSequence, packets, before);
            }
            told++;
          },
        });
      },
    });
    expect(told).toBeGreaterThan(0);
    expect(broken?.detail).toMatch(/^\w+'s slot \d was sent frame \d+, which refers to 0\.$/);
  });
});
