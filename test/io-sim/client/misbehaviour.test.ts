/** Peers with bad habits, strangers who attack, and kinds of clients: each in a small call that nobody else may suffer in. */
import { describe, expect, it } from "vitest";
import { HABITS, type Habit } from "../../../io-sim/client/misbehaviour.ts";
import {
  at,
  freezes,
  garbage,
  join,
  leave,
  link,
  misbehave,
  ms,
  percent,
  plays,
  scenario,
  seconds,
} from "../../../io-sim/index.ts";
import { run } from "../../../io-sim/world/run.ts";

type Story = Parameters<typeof scenario>[0];

/** Eve misbehaves or is of a kind, ana behaves, bob watches both; what else there is the test says. */
function call(changes: Partial<Story>, eve: Story["peers"][string] = {}) {
  return scenario({
    name: "a call with somebody odd",
    story: "Eve's computer did strange things, but I could see and hear everybody else.",
    seeds: { 1: "the first that was tried" },
    peers: {
      ana: { sends: { camera: "vp8", microphone: true } },
      bob: { receives: { audio: 2, video: 2 } },
      eve: { sends: { camera: "vp8-simulcast", microphone: 50 }, receives: { audio: 1, video: 1 }, ...eve },
    },
    runFor: seconds(6),
    always: [freezes("bob", "ana/camera").shorterThan(ms(500)), freezes("bob", "ana/microphone").shorterThan(ms(500))],
    finally: [plays("bob", "ana/camera"), plays("bob", "ana/microphone"), plays("bob", "eve/camera")],
    ...changes,
  });
}

function held(plan: ReturnType<typeof call>, seed = 1) {
  const verdict = run(plan, seed);
  expect(verdict.broken?.detail).toBeUndefined();
  const client = (name: string) => verdict.world.peers.get(name)!.client!;
  return { ...verdict, client, counters: verdict.world.node.shard.history.counters };
}

describe("a bad habit", () => {
  it.each(Object.keys(HABITS) as Habit[])("is the peer's own affair: %s", (habit) => {
    const plain = held(call({}));
    const odd = held(call({ timeline: [at(seconds(1), "eve begins", misbehave("eve", habit, seconds(3)))] }));
    // Nobody asks for a keyframe while nothing is lost.
    if (habit !== "no-keyframes") expect(odd.fingerprint).not.toBe(plain.fingerprint);
    expect(odd.client("eve").media.habits.size).toBe(0);
    const more = (counter: keyof typeof odd.counters) => odd.counters[counter] - plain.counters[counter];
    if (habit === "pli-storm") expect(more("keyframesRequested")).toBeLessThan(10);
    if (habit === "nack-storm") expect(more("retransmitsRefused")).toBeGreaterThan(1_000);
    if (habit === "garbage-rtcp") expect(more("rtcpMalformed")).toBeGreaterThan(10);
    if (habit === "unknown-types") expect(more("rtpUnroutable")).toBeGreaterThan(20);
    if (habit === "padding-only") expect(more("rtpPaddingSkipped")).toBeGreaterThan(50);
    if (habit === "no-keyframes")
      expect(odd.client("eve").media.encoders.every(({ keyframes }) => keyframes > 0)).toBe(true);
  });

  it("is not taken up by somebody who has gone", () => {
    const timeline = [
      at(seconds(1), "eve leaves", leave("eve")),
      at(seconds(2), "eve begins", misbehave("eve", "pli-storm", seconds(1))),
    ];
    held(call({ timeline, finally: [plays("bob", "ana/camera")] }));
  });

  it("of never sending a keyframe is forgiven once it ends", () => {
    const plan = call({
      timeline: [
        at(seconds(1), "no keyframes any more", misbehave("eve", "no-keyframes", seconds(4))),
        at(seconds(2), "eve loses packets", link("eve", { loss: percent(15) })),
        at(seconds(4), "no longer", link("eve", { loss: 0 })),
      ],
      runFor: seconds(12),
    });
    expect(held(plan).client("eve").media.keyframesAskedOfUs).toBeGreaterThan(0);
  });
});

describe("strangers", () => {
  it.each(["mixed", "spoofed", "probes"] as const)("may throw %s and get nothing for it", (kind) => {
    const flood = garbage({ kind, perSecond: 800, duration: seconds(2) });
    const { world, counters, judged } = held(
      call({ timeline: [at(seconds(1), "an attack", flood)], runFor: seconds(4) }),
    );
    expect(world.attacker.thrown).toBeGreaterThan(1_000);
    expect(judged.get("S12") ?? 0).toBeGreaterThan(10);
    if (kind === "probes") expect(counters.stunRefused).toBeGreaterThan(500);
  });
});

describe("a client", () => {
  it("made like Chromium starts with few layers, and adds them as it hears that its packets arrive", () => {
    const { client, counters } = held(call({ runFor: seconds(8) }, { persona: "chromium" }));
    const { bandwidth, encoders } = client("eve").media;
    expect(bandwidth.feedbacks).toBeGreaterThan(50);
    expect(bandwidth.estimateBps).toBeGreaterThan(780_000);
    expect(encoders[2]!.frame).toBeGreaterThan(0);
    expect(encoders[2]!.frame).toBeLessThan(encoders[0]!.frame - 20);
    expect(counters.rtpReceived).toBeGreaterThan(0);
  });

  it("made like Chromium lets its upper layers rest when they no longer fit, and brings them back", () => {
    const plan = call(
      {
        timeline: [
          at(seconds(4), "eve's uplink shrinks", link("eve", { up: 250_000, queue: 12_000 })),
          at(seconds(7), "and grows", link("eve", { up: 0 })),
        ],
        runFor: seconds(20),
      },
      { persona: "chromium" },
    );
    const layers: number[] = [];
    const verdict = run(plan, 1, {
      onWorld: (world) => {
        world.watchers.push({
          perceived: (_client, _mid, kind, passport) => {
            const isNew = kind === "video" && world.sources.get(passport.source)?.peer.plan.name === "eve";
            if (isNew && passport.layer !== layers.at(-1)) layers.push(passport.layer);
          },
        });
      },
    });
    expect(verdict.broken?.detail).toBeUndefined();
    expect(Math.max(...layers)).toBe(2);
    expect(layers.slice(layers.indexOf(2)).some((layer) => layer < 2)).toBe(true);
    expect(layers.at(-1)).toBe(2);
  });

  it("made like Chromium gets through a handshake whose halves are lost and swapped", () => {
    const eve = { persona: "chromium", link: { loss: percent(25), delay: ms(40) }, joinsLater: true } as const;
    for (const seed of [1, 2, 3]) {
      const plan = call({ timeline: [at(0, "eve joins", join("eve"))], runFor: seconds(10), finally: [] }, eve);
      expect(held(plan, seed).client("eve").connectedAt).toBeGreaterThan(0);
    }
  });

  it("that is thin is seen and sees without header extensions and RTX", () => {
    const { client } = held(
      call({ finally: [plays("bob", "eve/camera"), plays("eve", "ana/camera")] }, { persona: "thin" }),
    );
    const { slots, outStreams } = client("eve").media;
    expect(slots.map(({ rtxKey }) => rtxKey)).toEqual([0, 0]);
    expect(outStreams.map(({ extensionIds }) => extensionIds)).toEqual([[], []]);
  });

  it("that is mobile sleeps and is there again", () => {
    const plan = call({ runFor: seconds(70), finally: [plays("bob", "ana/camera")] }, { persona: "mobile" });
    const naps = plan.steps.filter(({ operation }) => operation.type === "stall");
    expect(naps.length).toBeGreaterThan(1);
    const { quality } = held(plan);
    const seen = quality.find(({ viewer, source }) => viewer === "bob" && source === "eve/microphone")!;
    expect(seen.longestGapMicros).toBeGreaterThan(seconds(0.9));
  });

  it("that misbehaves has one bad habit after the other", () => {
    const plan = call({ runFor: seconds(16) }, { persona: "misbehaving" });
    const habits = plan.steps.map(({ operation }) => (operation.type === "misbehave" ? operation.habit : ""));
    expect(new Set(habits).size).toBeGreaterThan(4);
    held(plan);
  });
});
