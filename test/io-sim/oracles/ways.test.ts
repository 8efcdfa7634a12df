/** What links explain, and that nothing else is explained by them. */
import { describe, expect, it } from "vitest";
import { at, link, misbehave, ms, pause, reconnect, seconds } from "../../../io-sim/index.ts";
import { type LinkPlan, PLAIN_LINK } from "../../../io-sim/link/index.ts";
import {
  holdsUpMicros,
  longestQueueMicros,
  mayQueue,
  momentBytes,
  momentMicros,
  shortestTripSoFar,
  slowestUpSoFar,
} from "../../../io-sim/oracles/ways.ts";
import type { ProfileName } from "../../../io-sim/profiles/profiles.ts";
import { type LinkOptions, linkChange } from "../../../io-sim/story/link-options.ts";
import type { CameraKind } from "../../../io-sim/story/plan.ts";
import { scenario } from "../../../io-sim/story/scenario.ts";
import { kbps } from "../../../io-sim/story/units.ts";
import { run } from "../../../io-sim/world/run.ts";
import { createWorld, type World, type WorldWatcher } from "../../../io-sim/world/world.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const up = (profile: ProfileName): LinkPlan => ({ ...PLAIN_LINK, ...linkChange({ profile }).up });
const plain = (change: Partial<LinkPlan>): LinkPlan => ({ ...PLAIN_LINK, ...change });

describe("what a link holds up", () => {
  it("is nothing for one that only takes its time, or loses a packet here and there", () => {
    expect(holdsUpMicros(plain({ delayMicros: 300_000, lossPpm: 30_000 }))).toBe(0);
    expect(holdsUpMicros(plain({ rateBps: 5_000_000 }))).toBe(0);
  });

  it("is as long as it may be gone, stand still, or be late", () => {
    const outages = { everyMicros: [1, 1], lastsMicros: [1_000_000, 4_000_000] } as const;
    expect(holdsUpMicros(plain({ outages }))).toBe(4_000_000);
    expect(holdsUpMicros(plain({ stalls: outages }))).toBe(4_000_000);
    expect(holdsUpMicros(plain({ jitterMicros: 5_000, batchMicros: 2_000 }))).toBe(17_000);
    expect(holdsUpMicros(plain({ burstBadMicros: 12_000, burstGoodMicros: 1, burstLossPpm: 1 }))).toBe(48_000);
  });

  it("is a whole queue only where one may stand", () => {
    const queue = { queueBytes: 125_000 };
    expect(holdsUpMicros(plain({ ...queue, rateBps: 10_000_000 }))).toBe(0);
    expect(holdsUpMicros(plain({ ...queue, rateBps: 1_000_000 }))).toBe(1_000_000);
    expect(holdsUpMicros(plain({ ...queue, rateBps: 10_000_000, shared: "cafe" }))).toBe(100_000);
  });
});

describe("the longest wait in a queue", () => {
  it("is until a full one has drained at the least rate, and a guess only where that is never or unknown", () => {
    const queue = { queueBytes: 125_000 };
    const steps = (least: number): Partial<LinkPlan> => ({
      ...queue,
      capacity: {
        kind: "steps",
        steps: [
          { atMicros: 0, bps: 2_000_000 },
          { atMicros: 1_000_000, bps: least },
        ],
        repeatMicros: 2_000_000,
      },
    });
    expect(longestQueueMicros(plain({ ...queue, rateBps: 1_000_000 }))).toBe(1_000_000);
    expect(longestQueueMicros(plain(steps(500_000)))).toBe(2_000_000);
    expect(longestQueueMicros(plain(steps(0)))).toBe(2_500_000);
    expect(longestQueueMicros(plain({ ...queue, rateBps: 10_000_000 }))).toBe(0);
  });
});

describe("the slowest that a way up has been", () => {
  it("counts what has changed it so far, and nothing that is still to come", () => {
    const timeline = [
      at(seconds(1), "ana goes far away", link("ana", { delay: ms(300) })),
      at(seconds(2), "and her device stands still", pause(ms(700), "ana")),
      at(seconds(2), "and bob is further away", link("bob", { delay: ms(900) })),
      at(seconds(3), "and she is back", link("ana", { delay: ms(1) })),
    ];
    const world = createWorld(smallStory({ timeline }), 1);
    world.zeroAt = world.loop.now;
    const ana = world.peers.get("ana")!;
    const until = (micros: number) => slowestUpSoFar(world, ana, world.zeroAt + micros);
    expect([until(900_000), until(1_500_000), until(9_000_000)]).toEqual([until(0), 300_000, 1_000_000]);
  });
});

describe("frames that are huge", () => {
  /** Ana sends them from so many seconds on. */
  const huge = (from: number, options: LinkOptions) =>
    smallStory({
      peers: {
        ana: { sends: { camera: "vp8-simulcast", microphone: true }, link: { delay: ms(30), ...options } },
        bob: { receives: { audio: 1, video: 1 } },
      },
      timeline: [at(seconds(from), "ana's frames become huge", misbehave("ana", "huge-frames", seconds(1)))],
      runFor: seconds(2),
    });

  it.each<[string, LinkOptions, number]>([
    ["fill the queue of a way with a rate, however wide", { up: kbps(4_000), queue: { time: ms(500) } }, 500_000],
    ["fill none where the way has no rate", {}, 0],
  ])("%s", (_what, options, queue) => {
    const world = createWorld(huge(1, options), 1);
    world.zeroAt = world.loop.now;
    const until = (micros: number) => slowestUpSoFar(world, world.peers.get("ana")!, world.zeroAt + micros);
    expect([until(1_500_000), until(9_000_000)].map((slowest) => slowest - until(900_000))).toEqual([queue, queue]);
  });

  it("let the clock be late that is read from what waits behind them", () => {
    for (const seed of [5, 7]) {
      const { broken } = run(huge(0, { up: kbps(3_500) }), seed, { withoutDrain: true });
      expect(broken?.detail).toBe(undefined);
    }
  });
});

describe("the shortest way there and back so far", () => {
  it("is that of the quickest links that there have been, at their quickest", () => {
    const timeline = [
      at(seconds(1), "ana goes far away", link("ana", { delay: ms(300) })),
      at(seconds(2), "and bob comes near", link("bob", { delay: ms(1) })),
      at(seconds(3), "and she is back, on a way that shivers", link("ana", { delay: ms(10), jitter: ms(3) })),
    ];
    const world = createWorld(smallStory({ timeline }), 1);
    world.zeroAt = world.loop.now;
    const ana = world.peers.get("ana")!;
    const until = (micros: number) => shortestTripSoFar(world, ana, world.zeroAt + micros);
    expect([until(0), until(2_500_000), until(9_000_000)]).toEqual([20_000, 20_000, 2_000]);
  });
});

describe("a queue", () => {
  it.each<[ProfileName, boolean]>([
    ["fiber", false],
    ["wifi-good", false],
    ["5g", false],
    ["cable-bloat", false],
    ["wifi-busy", true],
    ["dsl", true],
    ["lte", true],
    ["3g", true],
    ["policed", true],
  ])("may stand upwards on %s: %s", (profile, may) => {
    expect(mayQueue(up(profile))).toBe(may);
  });
});

describe("what is sent at one moment", () => {
  /** Steps of seconds and rates, again and again each five seconds where the last one carries nothing. */
  const stepsOf = (...steps: readonly (readonly [number, number])[]) =>
    ({
      kind: "steps",
      steps: steps.map(([at, bps]) => ({ atMicros: seconds(at), bps })),
      repeatMicros: steps.at(-1)![1] === 0 ? seconds(5) : 0,
    }) as const;

  it.each<CameraKind | null>(["vp8", "vp8-simulcast", "vp9", "h264", null])(
    "is little more than the most that a client with this camera sends: %s",
    (camera) => {
      const microphone = true as const;
      const sends = camera === null ? { microphone } : { camera, microphone };
      const moments = new Map<number, number>();
      const watch = (world: World) => {
        const carried: WorldWatcher["carried"] = (peer, direction, fate, { packet }) => {
          if (peer.plan.name !== "ana" || direction !== "up" || fate !== "offered") return;
          const { now } = world.loop;
          moments.set(now, (moments.get(now) ?? 0) + packet.bytes.length + packet.overheadBytes);
        };
        world.watchers.push({ carried });
      };
      const peers = { ana: { sends }, bob: { receives: { audio: 1, video: 1 } } };
      run(smallStory({ peers, runFor: seconds(2) }), 1, { onWorld: watch });
      const more = momentBytes(camera) - Math.max(...moments.values());
      expect(more).toBeGreaterThan(500);
      expect(more).toBeLessThan(3_500);
    },
  );

  it("takes its time on a way of any rate, and none on one without", () => {
    expect(momentMicros(plain({}), 8_000)).toBe(0);
    expect(momentMicros(plain({ rateBps: 10_000_000 }), 8_000)).toBe(6_400);
  });

  it.each<[string, NonNullable<LinkPlan["capacity"]>, number]>([
    ["stands still between two of its steps", stepsOf([0, 2_000_000], [4, 0], [7, 1_000_000]), 3_000_000 + 64_000],
    ["begins the next round as it ended the last", stepsOf([0, 0], [1, 2_000_000], [4, 0]), 2_000_000 + 32_000],
    [
      "walks to its least level and may stay there",
      { kind: "markov", levelsBps: [0, 640_000], dwellMicros: 200_000, reach: 1 },
      1_600_000 + 100_000,
    ],
    ["dips", { kind: "dips", bps: 0, episodes: { everyMicros: [9, 9], lastsMicros: [1, 700_000] } }, 700_000],
    ["grows from nothing", { kind: "ramp", fromBps: 0, toBps: 1_000_000, overMicros: 2_000_000 }, 505_965 + 64_000],
    [
      "swings down to nothing",
      { kind: "oscillation", leastBps: 0, greatestBps: 1_000_000, periodMicros: 4_000_000 },
      2 * 505_965 + 64_000,
    ],
    [
      "lets something pass now and then",
      { kind: "trace", opportunitiesMicros: [0, 1, 2, 3, 4, 5, 6, 900_000], periodMicros: 1_000_000 },
      999_998 + 666_667,
    ],
    ["never carries anything", stepsOf([0, 0]), 0],
  ])("waits for no longer than a way carries nothing that %s", (_how, capacity, micros) => {
    expect(momentMicros(plain({ capacity }), 8_000)).toBe(micros);
  });

  it("comes late by that, in each picture, and so does the clock that is read from it", () => {
    const story = scenario({
      name: "a wide way",
      story: "We said hello.",
      seeds: { 530132: "three layers at once over 10 Mbit/s" },
      scheduler: "fifo",
      peers: {
        ana: { sends: { camera: "vp8-simulcast" }, link: { delay: ms(30), up: kbps(10_000), down: kbps(20_000) } },
        eve: { receives: { video: 1 }, link: { direction: "up", delay: ms(8) } },
      },
      runFor: seconds(0.8),
    });
    expect(run(story, 530132, { withoutDrain: true }).broken?.detail).toBe(undefined);
  });

  it("comes later still when a connection begins with keyframes, and what is said in the meantime waits behind them", () => {
    const story = scenario({
      name: "a first word",
      story: "I said one word, and my page made another connection.",
      seeds: {
        710920: "a piece of sound waits for a keyframe in each of three layers, and is all that is known of its clock",
      },
      scheduler: "fifo",
      peers: {
        eve: { receives: { audio: 1 }, link: { direction: "down", delay: ms(90) } },
        dan: {
          sends: { camera: "vp8-simulcast", microphone: true },
          link: { delay: ms(300), up: kbps(3_000), down: kbps(20_000) },
        },
      },
      timeline: [at(ms(10), "dan makes a new connection", reconnect("dan"))],
      runFor: seconds(1),
    });
    expect(run(story, 710920, { withoutDrain: true }).broken?.detail).toBe(undefined);
  });
});
