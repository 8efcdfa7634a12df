/**
 * Whether a world that breaks is made small, and breaks in the same way.
 */
import { describe, expect, it } from "vitest";
import { at, freezes, join, kill, link, ms, mute, only, percent, plays, seconds } from "../../../io-sim/index.ts";
import { attempt } from "../../../io-sim/search/attempt.ts";
import { oneJudge } from "../../../io-sim/search/judging.ts";
import { plainer } from "../../../io-sim/search/plainer.ts";
import { shrinkPlan } from "../../../io-sim/search/shrink.ts";
import type { Plan } from "../../../io-sim/story/plan.ts";
import { smallStory } from "../../support/stories/small-story.ts";

/** Six people in two rooms, and one promise that can't be kept: a microphone is off. */
function crowd(): Plan {
  const names = ["ana", "bob", "eve", "dan", "mia", "tom"];
  const peers = Object.fromEntries(
    names.map((name, index) => [
      name,
      {
        room: index < 4 ? "garden" : "kitchen",
        sends: { microphone: 20 + index },
        receives: { audio: 2, video: 1 },
        link: { delay: ms(13), jitter: 1_500 },
      },
    ]),
  );
  return smallStory({
    name: "a crowd",
    peers,
    timeline: [
      at(ms(100), "one vanishes", kill("eve")),
      at(ms(277), "the microphone is off", mute("dan", "microphone")),
      at(ms(300), "a slow line", link("mia", { loss: percent(1), delay: ms(30) })),
    ],
    runFor: ms(1_400),
    finally: [plays("bob", "ana/microphone"), plays("ana", "dan/microphone")],
  });
}

const fair = { goesOn: (events: number) => events < 150_000, isFair: () => true };

describe("a world that was shrunk", () => {
  it("is as small as a person would have written it, and breaks in the same way", async () => {
    const plan = crowd();
    const { plan: small, key } = await shrinkPlan(plan, 1, fair);
    expect(key).toBe(attempt(plan, 1).key);
    expect(attempt(small, 1).key).toBe(key);
    expect(small.peers.map(({ name }) => name)).toEqual(["ana", "dan"]);
    expect([small.steps.length, small.always.length, small.finally.length]).toEqual([1, 0, 1]);
    expect(small.peers.every(({ down, nearWrap }) => down.jitterMicros === 0 && !nearWrap)).toBe(true);
    expect([small.peers[0]!.microphone, small.peers[1]!.audioSlots, small.scheduler]).toEqual([null, 0, "fifo"]);
    expect([small.steps[0]!.atMicros % 10_000, small.runForMicros % 100_000]).toEqual([0, 0]);
  });

  it("names the accidents that it needs, and no others happen", async () => {
    const lossy = smallStory({
      peers: {
        ana: { sends: { microphone: true }, link: { direction: "up", loss: percent(6) } },
        bob: { receives: { audio: 1 } },
      },
      runFor: seconds(2),
      always: [freezes("bob", "ana/microphone").shorterThan(ms(55))],
    });
    const { plan: small } = await shrinkPlan(lossy, 1, fair);
    const accidents = small.decisions?.flatMap(({ answers }) => answers) ?? [];
    expect(accidents.length).toBeGreaterThan(0);
    expect(accidents.length).toBeLessThanOrEqual(3);
    expect(attempt({ ...small, decisions: [only("link/loss", "ana/up", [])] }, 1).key).toBe("");
  });

  it("keeps the knobs alone that it needs, and makes them round", async () => {
    const plan = smallStory({
      knobs: { publicationSilentMicros: ms(333), reportMicros: ms(250), nackTriesMax: 2, slotYieldMicros: 5_123_456 },
      peers: {
        ana: { sends: { camera: "vp8" } },
        bob: { sends: { camera: "vp8" }, joinsLater: true },
        eve: { receives: { video: 1 } },
      },
      timeline: [at(ms(200), "bob comes", join("bob")), at(ms(500), "covered", mute("ana", "camera"))],
      finally: [plays("eve", "bob/camera", seconds(4))],
      runFor: seconds(5),
    });
    // In less time nobody would see bob, whatever the knobs.
    const isFair = ({ runForMicros, steps }: Plan) => runForMicros >= seconds(5) && steps.length === 2;
    const { plan: small } = await shrinkPlan(plan, 1, { ...fair, isFair });
    expect(small.knobs).toEqual({ slotYieldMicros: seconds(5) });
  });

  it("never breaks another promise instead", async () => {
    const plan = smallStory({
      peers: {
        ana: { sends: { camera: "vp8", microphone: true } },
        bob: { receives: { audio: 1, video: 1 } },
      },
      timeline: [at(0, "covered", mute("ana", "camera")), at(0, "quiet", mute("ana", "microphone"))],
      finally: [plays("bob", "ana/camera"), plays("bob", "ana/microphone")],
      runFor: ms(1_100),
    });
    const { plan: small } = await shrinkPlan(plan, 1, fair);
    expect(small.finally).toEqual([plays("bob", "ana/camera")]);
  });

  it("is the world itself when nothing breaks, or when there is no time", async () => {
    const sound = smallStory({ runFor: ms(200) });
    expect(await shrinkPlan(sound, 1, fair)).toMatchObject({ key: "", plan: sound });
    const plan = crowd();
    expect((await shrinkPlan(plan, 1, { goesOn: () => false, isFair: () => true })).plan).toBe(plan);
  });

  it("is looked for among few people first, which costs less than the whole world does once", async () => {
    const plan = crowd();
    let first: Plan | undefined;
    const { events } = await shrinkPlan(plan, 1, {
      isFair: () => true,
      goesOn: () => first === undefined,
      onSmaller: (smaller) => {
        first ??= smaller;
      },
    });
    expect(first!.peers.map(({ name }) => name)).toEqual(["ana", "dan"]);
    expect(events).toBeLessThan(2 * attempt(plan, 1, { withoutDrain: true }).events);
  });

  it("is what there is when the tries are given up in their middle", async () => {
    const plan = crowd();
    let looks = 0;
    const judges = oneJudge(() => ++looks > 0);
    const { key, plan: same } = await shrinkPlan(plan, 1, { ...fair, judges });
    expect(looks).toBe(1);
    expect([key, same]).toEqual([attempt(plan, 1).key, plan]);
  });

  it("loses the pauses that nothing needs, and the manner of those who stay", async () => {
    const plan = smallStory({
      peers: {
        ana: { sends: { camera: "vp8" }, persona: "chromium" },
        bob: { receives: { video: 1 }, persona: "thin", shard: 1 },
      },
      shards: { count: 2 },
      timeline: [at(seconds(7.3), "covered", mute("ana", "camera"))],
      finally: [plays("bob", "ana/camera")],
      runFor: seconds(12),
    });
    const { plan: small } = await shrinkPlan(plan, 1, fair);
    expect(small.steps.map(({ atMicros }) => atMicros)).toEqual([seconds(1)]);
    expect([small.runForMicros <= seconds(3), small.shards]).toEqual([true, undefined]);
    expect(small.peers.flatMap((peer) => [peer.persona, peer.shard])).toEqual(Array(4).fill(undefined));
  });

  it("keeps only what is fair", async () => {
    const isFair = ({ peers }: Plan) => peers.length >= 4;
    expect((await shrinkPlan(crowd(), 1, { ...fair, isFair })).plan.peers.length).toBe(4);
  });
});

describe("making plainer", () => {
  it("reaches every field of a peer that is not as a silent peer's", () => {
    const odd = crowd();
    const changed = new Set<string>();
    for (const change of plainer(odd)) {
      for (const [key, value] of Object.entries(change(odd).peers[0]!)) {
        if (JSON.stringify(value) !== JSON.stringify(odd.peers[0]![key as "name"])) changed.add(key);
      }
    }
    const all = ["audioSlots", "down", "microphone", "room", "up", "videoSlots"];
    expect([...changed].sort((a, b) => (a < b ? -1 : 1))).toEqual(all);
  });

  it("lets less and less change places, down to nothing", () => {
    const swaps = (swapsWithin: number) => {
      const plan = smallStory({ swapsWithin });
      return new Set(plainer(plan).map((change) => change(plan).swapsWithinMicros));
    };
    expect(swaps(1_000)).toEqual(new Set([1_000, undefined, 0, 1, 100]));
    expect(swaps(1)).toEqual(new Set([1, undefined, 0]));
  });
});
