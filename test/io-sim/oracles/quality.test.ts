/**
 * Whether each promise of quality breaks when what it speaks of goes wrong in the steady time, and holds otherwise. What
 * goes wrong is no step of the story, so that nothing excuses it.
 */
import { describe, expect, it } from "vitest";
import { micros } from "../../../core/index.ts";
import { EVENT_CLASS, schedule } from "../../../io-sim/base/event-loop.ts";
import { at, buggify, link as changed, join, kbps, kill, ms, mute, percent, seconds } from "../../../io-sim/index.ts";
import { changeLink } from "../../../io-sim/link/index.ts";
import { PROMISES, type PromiseId } from "../../../io-sim/oracles/promises.ts";
import { QUALITY_BARS, type QualityBars, qualityBars } from "../../../io-sim/oracles/quality-bars.ts";
import { type RunOptions, run } from "../../../io-sim/world/run.ts";
import type { World } from "../../../io-sim/world/world.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const FROM = seconds(4);
const PEERS = {
  ana: { sends: { camera: "vp8-simulcast" as const, microphone: true as const }, receives: { audio: 2, video: 2 } },
  bob: { receives: { audio: 2, video: 2 } },
  eve: { receives: { audio: 2, video: 2 } },
};
const STEADY = { peers: PEERS, steady: { from: FROM, among: ["ana", "bob", "eve"] }, runFor: seconds(6.5) };

function broken(options: RunOptions = {}): PromiseId | "" {
  return run(smallStory(STEADY), 1, options).promise;
}

/** Other bars than those of the file. */
function withBars(bars: Partial<QualityBars>): RunOptions {
  return { bars: { ...qualityBars(), ...bars } };
}

/** Does things to the world so long after the steady time has begun (at the end of the connecting, a second is enough). */
function inSteadyTime(...acts: readonly (readonly [number, (world: World) => void])[]): RunOptions {
  return {
    onWorld: (world) => {
      for (const [after, act] of acts) {
        const when = micros(world.loop.now + seconds(1) + FROM + after);
        schedule(world.loop, when, EVENT_CLASS.STEP, () => act(world));
      }
    },
  };
}

const isCut = (name: string, cut: boolean) => (world: World) => changeLink(world.peers.get(name)!.down, { cut });

describe("a steady time", () => {
  it("holds all promises of quality on good links, and judges each of them", () => {
    const verdict = run(smallStory(STEADY), 1);
    expect(verdict.broken).toBeUndefined();
    const ids = Object.keys(PROMISES).filter((id) => /^Q/.test(id)) as PromiseId[];
    expect(ids.map((id) => [id, (verdict.judged.get(id) ?? 0) > 0])).toEqual(ids.map((id) => [id, true]));
  });

  it("is judged in the realistic regime alone, and only where a plan has one", () => {
    const torture = run(smallStory(STEADY), 1, { safetyAlone: true, ...withBars({ firstPictureMicros: 0 }) });
    const without = run(smallStory(), 1, withBars({ freezeMicros: -1, silenceMicros: 0 }));
    for (const { judged, verdict } of [torture, without]) {
      expect(verdict).toBe("held");
      expect([...judged.keys()].filter((id) => /^Q/.test(id))).toEqual([]);
    }
  });

  it("is refused when a step disturbs it, or when it never comes", () => {
    const timeline = [at(seconds(5), "off", mute("ana", "camera"))];
    expect(() => smallStory({ ...STEADY, timeline })).toThrow('has the step "off" in its steady time');
    expect(() => smallStory({ ...STEADY, runFor: FROM })).toThrow("ends before its steady time begins");
    expect(() => smallStory({ ...STEADY, steady: { from: FROM, among: ["zoe"] } })).toThrow('speaks of "zoe"');
  });

  it("has a reason for each bar", () => {
    for (const { reason } of Object.values(QUALITY_BARS)) expect(reason).toMatch(/^[A-Z].{40}.*\.$/s);
  });
});

describe("a promise of quality", () => {
  const change = (name: string, rate: number) => (world: World) =>
    changeLink(world.peers.get(name)!.down, rate === 0 ? {} : { rateBps: rate });
  const skip = (world: World) => {
    for (const { screen } of world.peers.get("bob")!.client!.media.slots)
      if (screen !== undefined) screen.framesSkipped += 20;
  };

  it.each<[PromiseId, string, RunOptions]>([
    ["Q1", "a picture comes too late", withBars({ firstPictureMicros: 0, firstPictureRoundTrips: 0 })],
    ["Q2", "a picture stands still", inSteadyTime([0, isCut("bob", true)], [800_000, isCut("bob", false)])],
    ["Q3", "pictures are left out", inSteadyTime([500_000, skip])],
    ["Q4", "a voice is silent", inSteadyTime([0, isCut("bob", true)], [250_000, isCut("bob", false)])],
    ["Q5", "lips and voice differ", withBars({ lipSyncMicros: -1 })],
    ["Q6", "layers change", withBars({ layerChangesPerMinute: -60 })],
    ["Q7", "a queue stands", inSteadyTime([0, change("bob", kbps(500))])],
    ["Q8", "a lesser layer is shown than there is", withBars({ utilisationPercent: 101 })],
    ["Q9", "one viewer is shown more than another", withBars({ fairnessPercent: 101 })],
  ])("%s breaks when %s", (promise, _what, options) => {
    expect(broken(options)).toBe(promise);
  });
});

describe("a first picture", () => {
  const tooLate = withBars({ firstPictureMicros: -seconds(1), firstPictureRoundTrips: 0 });
  /** Bob and eve have such a link when they come, and a wide one two seconds after time zero. */
  const firstOver = (up: number) => {
    const link = { up: kbps(up) };
    const peers = { ...PEERS, bob: { ...PEERS.bob, link }, eve: { ...PEERS.eve, link } };
    const timeline = ["bob", "eve"].map((name) =>
      at(seconds(2), `${name} goes on`, changed(name, { up: kbps(50_000) })),
    );
    return run(smallStory({ ...STEADY, peers, timeline }), 1, tooLate);
  };

  it("is owed over no link that is made good later, not even where time zero is waited for", () => {
    const { promise, judged, excused } = firstOver(2_000);
    expect([promise, judged.get("Q1"), excused.get("disturbed")]).toEqual(["", undefined, 2]);
  });

  it("is owed over one that was good already, until it changes", () => {
    expect(firstOver(40_000).promise).toBe("Q1");
  });
});

describe("a stream of which nothing was heard before its wrap", () => {
  const heard = (share: number) => {
    const peers = { ...PEERS, ana: { ...PEERS.ana, joinsLater: true, nearWrap: true } };
    const timeline = [
      at(0, "nothing of ana is looked at", buggify(["rtp/header-refused"], share)),
      at(0, "ana comes", join("ana")),
      at(seconds(2.5), "and her packets have new numbers", buggify(["rtp/header-refused"], 0)),
    ];
    return run(smallStory({ ...STEADY, peers, timeline }), 1);
  };

  it("is owed to nobody, as nobody can open it any more", () => {
    const { promise, excused } = heard(percent(100));
    expect(promise).toBe("");
    expect(excused.get("past opening")).toBeGreaterThan(0);
  });

  it("is owed to all where something was heard", () => {
    expect(heard(percent(20)).excused.get("past opening")).toBeUndefined();
  });
});

describe("a page that was killed and comes back", () => {
  /** Eve's former page still has its voice in the room, louder than ana's, until the server gives it up. */
  const comesBack = (slots: number) => {
    const voices = {
      ana: { sends: { microphone: 87 }, receives: { audio: 3 } },
      bob: { sends: { microphone: true as const }, receives: { audio: 3 } },
      eve: { sends: { microphone: 20 }, receives: { audio: slots } },
    };
    const timeline = [at(seconds(2), "eve's page is gone", kill("eve")), at(seconds(2.1), "eve is back", join("eve"))];
    return run(smallStory({ ...STEADY, peers: voices, timeline }), 1);
  };

  it("is owed no voice whose slot its own former page may have", () => {
    const { promise, excused, judged } = comesBack(2);
    expect([promise, excused.get("few slots"), judged.get("Q4")]).toEqual(["", 2, 4]);
  });

  it("is owed every voice where it has a slot for its former page too", () => {
    const { promise, excused, judged } = comesBack(3);
    expect([promise, excused.get("few slots"), judged.get("Q4")]).toEqual(["", undefined, 6]);
  });
});

describe("what is lost on the way of a thin client", () => {
  const lossy = (name: "ana" | "bob" | "eve", persona: "thin" | "chromium", loss = percent(5)) =>
    run(smallStory({ ...STEADY, peers: { ...PEERS, [name]: { ...PEERS[name], persona, link: { loss } } } }), 1);

  it.each(["ana", "bob"] as const)(
    "is not sent again, whether %s sends or watches, and tears what it tears",
    (name) => {
      const { promise, judged, excused } = lossy(name, "thin");
      expect(promise).toBe("");
      expect(excused.get("nothing sent again")).toBeGreaterThan(0);
      expect(judged.get("Q1")).toBeGreaterThan(0);
    },
  );

  it("is what tears it: nothing else is excused, no other way and no other client", () => {
    expect(lossy("bob", "thin", 0).excused.has("nothing sent again")).toBe(false);
    expect(lossy("bob", "chromium").excused.has("nothing sent again")).toBe(false);
    const peers = { ...PEERS, eve: { ...PEERS.eve, persona: "thin" as const, link: { loss: percent(5) } } };
    const options = inSteadyTime([0, isCut("bob", true)], [800_000, isCut("bob", false)]);
    expect(run(smallStory({ ...STEADY, peers }), 1, options).promise).toBe("Q2");
  });
});

describe("a bar over a link that explains more", () => {
  const bursts = { good: seconds(2), bad: ms(20), loss: percent(50) };
  const story = smallStory({ ...STEADY, peers: { ...PEERS, bob: { ...PEERS.bob, link: { bursts } } } });
  const silentFor = (micros: number) => inSteadyTime([0, isCut("bob", true)], [micros, isCut("bob", false)]);

  it("is wider by what the link explains, and by no more", () => {
    expect(broken(silentFor(ms(190)))).toBe("Q4");
    expect(run(story, 1, silentFor(ms(190))).promise).toBe("");
    expect(run(story, 1, silentFor(ms(330))).promise).toBe("Q4");
  });
});
