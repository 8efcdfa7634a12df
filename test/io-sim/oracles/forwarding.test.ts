/**
 * Whether the oracle of the server's door can tell what an accident explains from what the server does wrong: what is under
 * way when a process dies, and pieces of a stream whose beginning an injected failure has hidden.
 */
import { describe, expect, it } from "vitest";
import { micros } from "../../../core/index.ts";
import { EVENT_CLASS, schedule } from "../../../io-sim/base/event-loop.ts";
import {
  at,
  buggify,
  inherit,
  join,
  kbps,
  kill,
  link,
  misbehave,
  move,
  ms,
  pause,
  percent,
  reconnect,
  restart,
  seconds,
} from "../../../io-sim/index.ts";
import { type RunOptions, run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

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

describe("a piece that a failure may have ended", () => {
  const viewers = { receives: { video: 1 }, shard: 1, joinsLater: true } as const;
  const story = smallStory({
    shards: { count: 2, delay: ms(1), jitter: ms(3), batch: ms(5), loss: percent(1) },
    peers: {
      ana: {
        sends: { camera: "vp8" },
        shard: 0,
        link: { loss: percent(10), delay: ms(8), batches: ms(5) },
      },
      bob: { receives: { video: 1 }, shard: 1 },
      eve: viewers,
      mia: viewers,
    },
    timeline: [
      at(0, "now and then somebody is left out", buggify(["forward/route-skipped"], percent(15))),
      at(seconds(1), "eve comes", join("eve")),
      at(seconds(1.5), "mia comes", join("mia")),
    ],
  });

  it.each([4, 59])("goes on with the packet that fits it, though a keyframe comes in the same batch", (seed) => {
    const { broken, excused } = run(story, seed, { withoutDrain: true });
    expect(broken).toBeUndefined();
    // Failures are many, beginnings are few: only these are looked at with an eye closed.
    expect(excused.get("failed in hand") ?? 0).toBeGreaterThan(20);
    expect(excused.get("unseen beginning") ?? 0).toBeLessThan(10);
  });
});

describe("a piece of which a failure has hidden the beginning, and a batch the next packets", () => {
  const story = smallStory({
    shards: { count: 2, delay: ms(5), batch: ms(50), loss: percent(3) },
    peers: {
      ana: { sends: { camera: "vp8" }, shard: 0, link: { loss: percent(5), delay: ms(20) } },
      bob: { receives: { video: 1 }, shard: 1 },
    },
    timeline: [
      at(0, "now and then nothing is sealed", buggify(["forward/seal-fails"], percent(10))),
      at(seconds(1), "all is well", buggify(["forward/seal-fails"], 0)),
    ],
    runFor: seconds(2),
  });

  it.each([12, 15])("is found by those of the packets that fit what is sent", (seed) => {
    expect(run(story, seed, { withoutDrain: true }).broken).toBeUndefined();
  });

  it.each([12, 15])("is judged from then on as any other", (seed) => {
    let isTime = () => false;
    let count = 0;
    const leavingOut: RunOptions = {
      withoutDrain: true,
      onWorld: (world) => {
        isTime = () => world.zeroAt > 0 && world.loop.now > world.zeroAt + 1_200_000;
      },
      sabotage: (target, bytes) => {
        const isPicture = target.startsWith("10.0.0.2:") && bytes[0]! >= 128 && (bytes[1]! & 0x7f) === 96;
        return isPicture && isTime() && count++ === 2 ? [] : [{ target, bytes }];
      },
    };
    const { broken } = run(story, seed, leavingOut);
    expect(broken?.detail).toMatch(/^bob's slot 0 was not sent packet \d+, which had come in\.$/);
  });
});

describe("what was stuck", () => {
  const viewers = { receives: { video: 1 }, joinsLater: true } as const;
  const stuck = (from: number) => [
    at(seconds(from), "nothing goes out now and then", buggify(["forward/no-path"], percent(30))),
    at(seconds(from + 0.1), "and then it does", buggify(["forward/no-path"], 0)),
  ];
  const story = smallStory({
    peers: {
      ana: { sends: { camera: "vp8" }, link: { loss: percent(10), delay: ms(60) } },
      bob: { receives: { video: 1 } },
      dan: viewers,
      eve: viewers,
      mia: viewers,
    },
    timeline: [
      at(seconds(1), "dan joins", join("dan")),
      ...stuck(1.05),
      at(seconds(1.7), "eve joins", join("eve")),
      ...stuck(1.75),
      at(seconds(2.4), "mia joins", join("mia")),
      ...stuck(2.45),
    ],
  });

  it.each([31, 40])("goes out with what somebody else is behind with, who begins late", (seed) => {
    expect(run(story, seed).broken).toBeUndefined();
  });

  it("is no reason where nothing was: more than one packet for one that came is too much", () => {
    let count = 0;
    const sound = { ...story, steps: story.steps.filter(({ operation }) => operation.type !== "buggify") };
    const { broken } = run(sound, 31, {
      sabotage: (target, bytes) => {
        const isPicture = target.startsWith("10.0.0.2:") && bytes[0]! >= 128 && (bytes[1]! & 0x7f) === 96;
        if (!isPicture || count++ !== 60) return [{ target, bytes }];
        const another = bytes.slice();
        new DataView(another.buffer).setUint16(2, ((bytes[2]! << 8) + bytes[3]! + 40) & 0xffff);
        return [bytes, another].map((each) => ({ target, bytes: each }));
      },
    });
    expect([broken?.promise, broken?.detail]).toEqual(["R3", "bob's slot 0 was sent 2 packets for one that came in."]);
  });
});

describe("the packets to bob", () => {
  const peers = { ana: { sends: { camera: "vp8" } }, bob: { receives: { video: 1 } } } as const;

  /** What breaks when pictures to bob are tampered with; how many there were before, and how long ago the last one was. */
  function tampered(tamper: (view: DataView, count: number, since: number) => readonly DataView[]): string | undefined {
    const timeline = [at(seconds(2), "ana's page makes a new connection", reconnect("ana"))];
    let count = 0;
    let last = 0;
    let clock = { now: 0 };
    const { broken } = run(smallStory({ peers, timeline }), 1, {
      onWorld: ({ loop }) => {
        clock = loop;
      },
      sabotage: (target, bytes) => {
        const isPicture = target.startsWith("10.0.0.2:") && bytes[0]! >= 128 && (bytes[1]! & 0x7f) === 96;
        if (!isPicture) return [{ target, bytes }];
        const since = clock.now - last;
        last = clock.now;
        return tamper(new DataView(bytes.slice().buffer), count++, since).map(({ buffer }) => {
          return { target, bytes: new Uint8Array(buffer as ArrayBuffer) };
        });
      },
    });
    return broken?.detail;
  }

  it("had come, also those that go out with one that begins", () => {
    const detail = tampered((view, count) => {
      const another = new DataView(view.buffer.slice(0));
      another.setUint16(2, (view.getUint16(2) + 40) & 0xffff);
      return count === 0 ? [view, another] : [view];
    });
    expect(detail).toMatch(/^bob's slot 0 was sent \d+, which had never come in\.$/);
  });

  it("never go back in time, however little", () => {
    // The new connection's pictures come 220 ms too early: less than a step may be off.
    let isNew = false;
    const detail = tampered((view, count, since) => {
      isNew ||= count > 0 && since > 100_000;
      if (isNew) view.setUint32(4, (view.getUint32(4) - 19_800) >>> 0);
      return [view];
    });
    expect(detail).toMatch(/^bob's slot 0 was sent \d+ with a timestamp \d+ in the past\.$/);
  });
});

describe("a batch with keyframes of two layers", () => {
  const narrow = { direction: "up", up: kbps(308), queue: 31_000 } as const;
  // What dan sends again comes over in one piece, once there is room for it: a keyframe of the layer that is shown, from
  // before it was shown, and one of the layer above.
  const story = smallStory({
    shards: { count: 2, delay: ms(5), batch: ms(0.5) },
    peers: {
      ana: { sends: { camera: "vp8" }, receives: { video: 1 }, shard: 1 },
      dan: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { video: 1 }, shard: 0, link: narrow },
    },
    timeline: [
      at(seconds(0.5), "dan asks again for what he has", misbehave("dan", "lying-feedback", 817_000)),
      at(seconds(2), "dan's network is well", link("dan", { direction: "up", up: 0, queue: 150_000 })),
    ],
    runFor: seconds(3),
  });

  it.each([41, 55])("begins no piece with what comes too late for the one before", (seed) => {
    expect(run(story, seed, { withoutDrain: true }).broken).toBeUndefined();
  });

  it("is seen to leave numbers out", () => {
    let isTime = () => false;
    const leavingOut: RunOptions = {
      withoutDrain: true,
      onWorld: (world) => {
        isTime = () => world.zeroAt > 0 && world.loop.now > world.zeroAt + 2_000_000;
      },
      sabotage: (target, bytes) => {
        const isPicture = target.startsWith("10.0.0.1:") && bytes[0]! >= 128 && (bytes[1]! & 0x7f) === 96;
        if (!isPicture || !isTime()) return [{ target, bytes }];
        const later = bytes.slice();
        new DataView(later.buffer).setUint16(2, ((bytes[2]! << 8) + bytes[3]! + 700) & 0xffff);
        return [{ target, bytes: later }];
      },
    };
    expect(run(story, 41, leavingOut).broken?.detail).toMatch(/^ana's slot 1 was sent \d+ behind \d+ where a source/);
  });
});

describe("a frame that comes slowly", () => {
  // A keyframe takes a third of a second over this way, and the one that goes over to the next layer follows it.
  const story = smallStory({
    knobs: { layerSilentMicros: ms(200), keyframeRequestMicros: ms(200) },
    peers: {
      ana: { sends: { camera: "vp8-simulcast", microphone: true }, link: { up: kbps(250) } },
      bob: { receives: { audio: 1, video: 1 } },
      mia: { receives: { audio: 1, video: 1 } },
    },
    timeline: [],
    runFor: seconds(7),
  });

  it("has the next piece's timestamps go on from when it began", () => {
    expect(run(story, 5, { withoutDrain: true }).broken).toBeUndefined();
  });

  it("does not hide a step of the timestamps that is too long", () => {
    let isTime = () => false;
    const jumping: RunOptions = {
      withoutDrain: true,
      onWorld: (world) => {
        isTime = () => world.zeroAt > 0 && world.loop.now > world.zeroAt + 6_300_000;
      },
      sabotage: (target, bytes) => {
        const isPicture = bytes[0]! >= 128 && (bytes[1]! & 0x7f) === 96;
        if (!isPicture || !isTime()) return [{ target, bytes }];
        const later = bytes.slice();
        const view = new DataView(later.buffer);
        view.setUint32(4, view.getUint32(4) + 27_000);
        return [{ target, bytes: later }];
      },
    };
    expect(run(story, 5, jumping).broken?.detail).toMatch(/timestamp goes on by/);
  });
});

describe("a piece of a receiver whose address has become another's", () => {
  const whereItBegins = smallStory({
    scheduler: "fifo",
    peers: { ana: { receives: { video: 1 } }, bob: { sends: { camera: "vp8" } } },
    timeline: [
      at(0, "ana reloads the page", join("ana", { times: 1, every: ms(50) })),
      at(0, "bob's device stands still", pause(seconds(2), "bob")),
      at(seconds(1), "ana has another address and does not know", move("ana")),
      at(seconds(2), "bob gets the address that was ana's", inherit("bob", "ana")),
    ],
  });
  const whereItEnds = smallStory({
    scheduler: "fifo",
    peers: {
      ana: { sends: { camera: "vp8-simulcast" }, persona: "chromium" },
      bob: { receives: { video: 1 } },
      dan: { receives: { video: 1 } },
    },
    timeline: [
      at(seconds(1), "dan vanishes", kill("dan")),
      at(seconds(1), "bob gets the address that was dan's", inherit("bob", "dan")),
    ],
  });

  it("may begin unseen", () => {
    const { broken, excused } = run(whereItBegins, 680300);
    expect(broken).toBeUndefined();
    expect(excused.get("unseen beginning")).toBe(1);
  });

  it("may end unseen", () => {
    const { broken, excused } = run(whereItEnds, 680184, { withoutDrain: true });
    expect(broken).toBeUndefined();
    expect(excused.get("unseen end")).toBeGreaterThan(0);
  });

  it("is judged as any other once something of it was sent to where the receiver is now", () => {
    let isTime = () => false;
    let count = 0;
    const { broken } = run(whereItBegins, 680300, {
      onWorld: (world) => {
        isTime = () => world.zeroAt > 0 && world.loop.now > world.zeroAt + 2_300_000;
      },
      sabotage: (target, bytes) => {
        const isPicture = bytes[0]! >= 128 && (bytes[1]! & 0x7f) === 96;
        return isPicture && isTime() && count++ === 2 ? [] : [{ target, bytes }];
      },
    });
    expect(broken?.detail).toMatch(/^ana#2's slot 0 was not sent packet \d+, which had come in\.$/);
  });
});
