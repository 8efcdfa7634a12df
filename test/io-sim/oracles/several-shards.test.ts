/**
 * Whether the oracles judge each shard of a world of several: what goes wrong here goes wrong on a shard that is not the
 * first, or between two, and the sentence says which oracle has seen it.
 */
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, micros, type ShardEvent } from "../../../core/index.ts";
import { EVENT_CLASS, schedule } from "../../../io-sim/base/event-loop.ts";
import {
  at,
  join,
  leave,
  misbehave,
  ms,
  mute,
  pause,
  percent,
  reconnect,
  seconds,
  unmute,
} from "../../../io-sim/index.ts";
import type { BrokenPromise, PromiseId } from "../../../io-sim/oracles/promises.ts";
import type { Scenario } from "../../../io-sim/story/scenario.ts";
import type { Effect } from "../../../io-sim/world/recording-outbox.ts";
import { type RunOptions, run } from "../../../io-sim/world/run.ts";
import type { World } from "../../../io-sim/world/world.ts";
import { smallStory } from "../../support/stories/small-story.ts";

/** Ana sends from the first shard, bob watches on the second; who else there is sits on the last. */
function storyOver(count: number) {
  return smallStory({
    shards: { count, delay: ms(2), jitter: ms(1), batch: ms(1), loss: percent(1) },
    peers: {
      ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 }, shard: 0 },
      bob: { sends: { microphone: true }, receives: { audio: 2, video: 2 }, shard: 1 },
      eve: { sends: { camera: "vp8" }, receives: { audio: 2, video: 2 }, shard: count - 1, joinsLater: true },
    },
    timeline: [
      at(seconds(0.5), "eve comes", join("eve")),
      at(seconds(1), "ana mutes herself", mute("ana", "microphone")),
      at(seconds(2.5), "and speaks again", unmute("ana", "microphone")),
      at(seconds(3), "eve goes", leave("eve")),
    ],
    runFor: seconds(4),
  });
}

function broken(options: RunOptions, runFor = seconds(4)): BrokenPromise | undefined {
  const story = storyOver(2);
  return run({ ...story, runForMicros: runFor }, 1, { withoutDrain: true, ...options }).broken;
}

const BOB = "10.0.0.2:";

function isMedia(bytes: Uint8Array): boolean {
  return bytes[0]! >= 128 && !(bytes[1]! >= 192 && bytes[1]! <= 223);
}

/** Tampers with one packet of pictures to bob, once all is well. */
function onePacketToBob(tamper: (bytes: Uint8Array) => Uint8Array[]): RunOptions {
  let count = 0;
  return {
    sabotage: (target, bytes) => {
      const isIt = target.startsWith(BOB) && isMedia(bytes) && bytes.length > 400 && count++ === 40;
      return (isIt ? tamper(bytes) : [bytes]).map((sent) => ({ target, bytes: sent }));
    },
  };
}

/** Has the oracles told something else of what the server announces than what it is, from the second second on. */
function announced(change: (event: ShardEvent) => ShardEvent): RunOptions {
  return effectsOf((effects, node) =>
    node < 0
      ? effects
      : effects.map((effect) => (effect.kind === "event" ? { ...effect, event: change(effect.event) } : effect)),
  );
}

function effectsOf(change: (effects: readonly Effect[], node: number) => readonly Effect[]): RunOptions {
  return {
    onWorld: (world) => {
      for (const watcher of world.watchers) {
        const { afterInput } = watcher;
        if (afterInput === undefined) continue;
        watcher.afterInput = (input, effects, node) => {
          const isTime = world.loop.now > MICROS_ORIGIN + seconds(2);
          afterInput(input, isTime ? change(effects, node.shard.number) : effects, node);
        };
      }
    },
  };
}

function later(span: number, act: (world: World) => void): RunOptions {
  return {
    onWorld: (world) => {
      schedule(world.loop, micros(world.loop.now + span), EVENT_CLASS.STEP, () => act(world));
    },
  };
}

describe("a room over several shards", () => {
  it.each([2, 3])("holds on %i of them, and is judged as one on a single shard is", (count) => {
    const { broken: breach, judged } = run(storyOver(count), 1);
    expect(breach).toBeUndefined();
    const ids: PromiseId[] = ["S1", "S2", "S3", "S4", "S5", "S7", "S9", "S10", "S11", "S16", "S18", "S19", "S20"];
    for (const id of [...ids, "L1", "L3", "R3"] as PromiseId[]) expect([id, judged.get(id) ?? 0]).not.toEqual([id, 0]);
    // A packet each 20 ms and pictures: what is forwarded is judged packet by packet.
    expect(judged.get("S2")).toBeGreaterThan(1_000);
  });
});

describe("somebody with a copied profile", () => {
  it("is not taken for whom he was copied from, though none of his own streams is known", () => {
    const both = { likeness: "ana", sends: { camera: "vp8" }, shard: 0 } as const;
    const story = smallStory({
      shards: { count: 2, delay: ms(2), jitter: ms(1), batch: ms(1) },
      peers: { ana: both, copy: { ...both, joinsLater: true }, bob: { receives: { video: 2 }, shard: 1 } },
      timeline: [
        at(seconds(0.3), "the copy comes", join("copy")),
        at(seconds(1.9), "and asks for a lot", misbehave("copy", "pli-storm", 1_000)),
      ],
      runFor: seconds(2),
    });
    const { broken: breach, judged } = run(story, 1, { withoutDrain: true });
    expect(breach).toBeUndefined();
    expect(judged.get("S1")).toBeGreaterThan(10);
  });
});

describe("a connection that is replaced by another one of the same participant", () => {
  /** Ana speaks to bob, each of them on a shard. A thin client is sent no feedback that would give her away. */
  function call(ana: number, bob: number, delay: number, timeline: Scenario["timeline"] = []) {
    const thin = { persona: "thin", sends: { microphone: true }, shard: ana } as const;
    const peers = { ana: thin, bob: { receives: { audio: 1 }, shard: bob } };
    return smallStory({ shards: { count: 3, delay, jitter: 0 }, peers, timeline, runFor: seconds(3) });
  }

  // What waits for the server reaches it at once: the last packet of the old connection, and the wish for the new one.
  const REPLACED = [
    at(seconds(1), "the server stands still", pause(ms(200))),
    at(seconds(1), "ana's page makes a new connection", reconnect("ana")),
  ];

  it.each([0, 1])("may be heard for as long as the way from shard %i to another one is", (shard) => {
    const { broken: breach, excused } = run(call(shard, 2, ms(4), REPLACED), 1, { withoutDrain: true });
    // And each packet is known for hers: what nobody could name would leave the next piece with an unseen beginning.
    expect([breach, excused.get("unseen beginning")]).toEqual([undefined, undefined]);
  });

  it.each([0, 1])("may be said to flow until the room's shard has heard of that from shard %i", (shard) => {
    expect(run(call(shard, 2, ms(25), REPLACED), 1, { withoutDrain: true }).broken).toBeUndefined();
  });

  it("may be said to flow no longer", () => {
    const timeline = [
      at(seconds(2.1), "ana mutes herself", mute("ana", "microphone")),
      at(seconds(2.2), "her page makes a new connection", reconnect("ana")),
    ];
    const untold = effectsOf((effects) =>
      effects.filter((effect) => effect.kind !== "event" || effect.event.type !== "roster"),
    );
    // What S20 allows anybody is a second, which is not over when this ends.
    const breach = run(call(0, 2, ms(25), timeline), 1, { withoutDrain: true, ...untold }).broken;
    expect([breach?.promise, breach?.detail]).toEqual([
      "S20",
      expect.stringContaining("ana#2's audio is said to flow"),
    ]);
  });

  it.each([0, 2])("may be heard no longer where bob is on shard %i, and on her own not at all", (shard) => {
    const delay = ms(25);
    let replacedAt = 0;
    const act = (world: World) => {
      const client = world.peers.get("ana")!.client!;
      const { participant } = client;
      client.participant = 0;
      replacedAt = world.loop.now;
      const event = { type: "reconnecting", room: "lounge", participant, connection: participant + 1 } as const;
      for (const watcher of world.watchers) watcher.event?.(event);
    };
    const breach = run(call(0, shard, delay), 1, { withoutDrain: true, ...later(1_500_000, act) }).broken;
    expect([breach?.promise, breach?.detail]).toEqual(["S1", expect.stringContaining("was sent ana's audio")]);
    expect(breach!.time - replacedAt > delay).toBe(shard !== 0);
  });
});

describe("a slot that is bound while a batch is read", () => {
  const story = smallStory({
    shards: { count: 2, delay: ms(60), batch: ms(200), loss: percent(10) },
    peers: { ana: { sends: { microphone: true }, shard: 0 }, bob: { receives: { audio: 1 }, shard: 1 } },
    timeline: [at(seconds(1), "bob reloads the page", join("bob", { times: 1, every: ms(300) }))],
    runFor: seconds(2),
  });

  /** What breaks when the packet at this place is left out of those to bob's new page, which has an address of its own. */
  function leftOut(seed: number, place: number): string | undefined {
    let count = 0;
    const { broken } = run(story, seed, {
      withoutDrain: true,
      sabotage: (target, bytes) => {
        const isIt = target.startsWith("10.1.0.2:") && isMedia(bytes) && count++ === place;
        return isIt ? [] : [{ target, bytes }];
      },
    });
    return broken?.detail;
  }

  it.each([2, 6, 7])("owes nothing of what stands before", (seed) => {
    expect(leftOut(seed, -1)).toBeUndefined();
  });

  it.each([2, 6])("owes what stands behind", (seed) => {
    expect(leftOut(seed, 1)).toMatch(/^bob#2's slot \d was not sent packet \d+, which had come in\.$/);
  });

  it.each([2, 6])("owes what ends the batch, which is seen with the next one", (seed) => {
    expect(leftOut(seed, 2)).toMatch(
      /^bob#2's slot \d was not sent 1 of the packets that had come in behind its first/,
    );
  });
});

describe("what a shard has counted of a batch", () => {
  const story = smallStory({
    shards: { count: 2, delay: ms(4), batch: ms(200) },
    peers: { ana: { sends: { microphone: true }, shard: 0 }, bob: { receives: { audio: 1 }, shard: 1 } },
    runFor: seconds(2),
  });

  /** What breaks when so many packets of one batch are left out to bob, and so many are counted as for nobody. */
  function leftOutOfOne(batch: { readonly leftOut: number; readonly counted: number }): string | undefined {
    let world: World | undefined;
    let time = 0;
    let count = 0;
    return run(story, 1, {
      withoutDrain: true,
      onWorld: (entered) => {
        world = entered;
        world.watchers.push({
          beforeInput(input, { shard }) {
            if (input.kind === "relay" && shard.number === 1) shard.history.counters.relayPacketsStray += batch.counted;
          },
        });
      },
      sabotage: (target, bytes) => {
        const { now } = world!.loop;
        const isIt = target.startsWith(BOB) && isMedia(bytes) && now > MICROS_ORIGIN + seconds(1);
        if (isIt && time === 0) time = now;
        return isIt && now === time && count++ < batch.leftOut ? [] : [{ target, bytes }];
      },
    }).broken?.detail;
  }

  it("excuses as many packets as it has counted, and not the whole batch", () => {
    const missed = /^bob's slot \d was not sent packet \d+, which had come/;
    expect(leftOutOfOne({ leftOut: 1, counted: 0 })).toMatch(missed);
    // What is seen then is that the report speaks of a packet which was left out behind the shard's back.
    expect(leftOutOfOne({ leftOut: 1, counted: 1 })).not.toMatch(missed);
    expect(leftOutOfOne({ leftOut: 2, counted: 1 })).toMatch(missed);
  });
});

describe("what goes wrong behind the second shard's door", () => {
  it("is seen when a packet that came over is not sent on", () => {
    const breach = broken(onePacketToBob(() => []));
    expect([breach?.promise, breach?.detail]).toEqual([
      "S2",
      expect.stringMatching(/^bob's slot \d was not sent packet/),
    ]);
  });

  it("is seen when a timestamp is another than that of the frame", () => {
    const breach = broken(
      onePacketToBob((bytes) => {
        const copy = bytes.slice();
        copy[7] = copy[7]! ^ 1;
        return [copy];
      }),
    );
    expect([breach?.promise, breach?.detail]).toEqual([
      "S3",
      expect.stringContaining("another timestamp than its frame"),
    ]);
  });

  it("is seen when something is sent that nobody has announced there", () => {
    const act = (world: World) => {
      const { participant } = world.peers.get("bob")!.client!;
      const slots = [1, 2, 3, 4, 5].map((mid) => {
        return { mid: String(mid), kind: "video" as const, publication: 4_711, participant: 99, paused: false };
      });
      for (const { event } of world.watchers) event?.({ type: "bindings", room: "lounge", participant, slots });
    };
    const breach = broken(later(1_500_000, act));
    expect([breach?.promise, breach?.detail]).toEqual([
      "S1",
      expect.stringContaining("which nobody has announced there"),
    ]);
  });

  it("is seen when the shard counts packets that it has not sent", () => {
    const act = ({ nodes }: World) => {
      const { counters } = nodes[1]!.shard.history;
      counters.rtpForwarded++;
      counters.rtpOffered++;
    };
    const breach = broken(later(1_500_000, act));
    expect([breach?.promise, breach?.detail]).toEqual(["S18", expect.stringMatching(/^The server counts \d+ packets/)]);
  });

  it("is seen when one input leads to more than those who are there explain", () => {
    const breach = broken(
      effectsOf((effects, node) => (node === 1 ? Array.from({ length: 90 }, () => effects).flat() : effects)),
    );
    expect(breach?.promise).toBe("R3");
  });

  it("is seen when a report tells the wrong time of day", () => {
    const breach = broken({
      onWorld: (world) => {
        for (const watcher of world.watchers) {
          const { control } = watcher;
          if (control === undefined) continue;
          watcher.control = (client, sealed, plain) => {
            const told = plain.slice();
            if (client.plan.name === "bob" && told[1] === 200) told[11] = told[11]! ^ 8;
            control(client, sealed, told);
          };
        }
      },
    });
    expect([breach?.promise, breach?.detail]).toEqual(["S9", expect.stringMatching(/^bob was told a time of day/)]);
  });

  it("is seen when a voice that was paused is not heard again", () => {
    const deafen = (world: World) => {
      const { slots } = world.peers.get("bob")!.client!.media;
      for (const { speaker } of slots) if (speaker !== undefined) speaker.heard.get = () => undefined;
    };
    expect(broken(later(2_800_000, deafen), seconds(9))?.promise).toBe("L4");
  });
});

describe("what is announced on another shard than where it happens", () => {
  it("is seen when the roster leaves somebody out", () => {
    const breach = broken(
      announced((event) =>
        event.type === "roster"
          ? { ...event, participants: event.participants.filter(({ name }) => name !== "bob") }
          : event,
      ),
    );
    expect([breach?.promise, breach?.detail]).toEqual(["S16", expect.stringMatching(/^The roster of lounge names/)]);
  });

  it("is seen when a slot stays empty", () => {
    const breach = broken(
      announced((event) =>
        event.type === "bindings"
          ? { ...event, slots: event.slots.map((slot) => ({ ...slot, publication: 0, participant: 0 })) }
          : event,
      ),
    );
    expect([breach?.promise, breach?.detail]).toEqual(["L3", expect.stringMatching(/slots filled/)]);
  });

  it("is seen when what flows is said to be paused", () => {
    const breach = broken(
      announced((event) => {
        if (event.type !== "roster") return event;
        const participants = event.participants.map((each) => ({
          ...each,
          publications: each.publications.map((publication) => ({ ...publication, flowing: false })),
        }));
        return { ...event, participants };
      }),
    );
    expect([breach?.promise, breach?.detail]).toEqual(["S20", expect.stringMatching(/is said to be paused and came/)]);
  });
});
