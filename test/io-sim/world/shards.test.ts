/**
 * One shard or many: the same frames reach the same people, in the same order. Without loss and without delay between the
 * shards nothing but the numbers on the wire may differ.
 */
import { describe, expect, it } from "vitest";
import { createChecksumCrypto, createNodeCrypto } from "../../../io-crypto/index.ts";
import { at, crashShard, join, kbps, leave, link, ms, mute, percent, seconds, unmute } from "../../../io-sim/index.ts";
import { replayJournal } from "../../../io-sim/journal/journal.ts";
import type { Plan } from "../../../io-sim/story/plan.ts";
import { type Scenario, scenario } from "../../../io-sim/story/scenario.ts";
import { type RunOptions, run } from "../../../io-sim/world/run.ts";
import { lostBetweenShards, ONE_SHARD } from "../../../io-sim/world/shards.ts";
import type { World } from "../../../io-sim/world/world.ts";

function story(parts: Partial<Scenario>): Plan {
  return scenario({
    name: "shards",
    story: "-",
    seeds: { 1: "-" },
    scheduler: "fifo",
    peers: {
      ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 3, video: 3 } },
      bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 3, video: 3 } },
      cleo: { receives: { audio: 3, video: 3 } },
    },
    runFor: seconds(2),
    ...parts,
  });
}

/** What each viewer was shown and played, source by source and in order. */
function framesOf(plan: Plan, options: RunOptions = {}) {
  const seen = new Map<string, string[]>();
  const verdict = run(plan, 1, {
    ...options,
    onWorld: (world) => {
      world.watchers.push({
        perceived: (client, _mid, _kind, { source, layer, frame }) => {
          const key = `${client.plan.name} < ${source}`;
          seen.set(key, [...(seen.get(key) ?? []), `${layer}/${frame}`]);
        },
      });
    },
  });
  return { verdict, seen: new Map([...seen].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

const STORIES: readonly [string, Plan][] = [
  ["a call of three", story({})],
  [
    "people coming and going",
    story({
      timeline: [at(seconds(1), "ana leaves", leave("ana")), at(seconds(2), "and comes back", join("ana"))],
      runFor: seconds(4),
    }),
  ],
  [
    "a camera that is muted, and an uplink that narrows",
    story({
      timeline: [
        at(seconds(1), "bob mutes", mute("bob", "camera")),
        at(seconds(1), "ana's uplink narrows", link("ana", { up: kbps(300) })),
        at(seconds(2.5), "bob is back", unmute("bob", "camera")),
      ],
      runFor: seconds(4),
    }),
  ],
  [
    "links that lose and reorder",
    story({
      peers: {
        ana: { sends: { camera: "vp8", microphone: true }, link: { delay: ms(20), loss: percent(3) } },
        bob: { receives: { audio: 1, video: 1 }, link: { delay: ms(30), reorder: { share: percent(2), by: ms(10) } } },
        cleo: { receives: { audio: 1, video: 1 } },
      },
    }),
  ],
];

describe("one shard or many", () => {
  it.each(STORIES)("deliver the same frames in %s", (_name, plan) => {
    const one = framesOf(plan);
    const two = framesOf({ ...plan, shards: { ...ONE_SHARD, count: 2 } });
    const three = framesOf({ ...plan, shards: { ...ONE_SHARD, count: 3 } });
    for (const { verdict } of [one, two, three]) expect(verdict.broken).toBeUndefined();
    expect(one.seen.size).toBeGreaterThan(1);
    expect(two.seen).toEqual(one.seen);
    expect(three.seen).toEqual(one.seen);
  });
});

const LOSSY = {
  ...ONE_SHARD,
  count: 3,
  delayMicros: 2_000,
  jitterMicros: 3_000,
  batchMicros: 1_000,
  lossPpm: 50_000,
};

function crypto(cipher: "real" | "checksum") {
  return cipher === "real" ? createNodeCrypto() : createChecksumCrypto(createNodeCrypto());
}

function lostOnAllWays(world: World): number {
  const numbers = world.nodes.map(({ shard }) => shard.number);
  const lost = numbers.flatMap((from) => numbers.map((to) => lostBetweenShards(world, from, to)));
  return lost.reduce((sum, each) => sum + each, 0);
}

describe("ways between shards", () => {
  it("lose packets, and every picture arrives all the same", () => {
    const one = framesOf(story({ runFor: seconds(3) }));
    const many = framesOf({ ...story({ runFor: seconds(3) }), shards: LOSSY });
    expect(many.verdict.broken).toBeUndefined();
    expect(lostOnAllWays(many.verdict.world)).toBeGreaterThan(50);
    const repaired = many.verdict.world.nodes.map(({ shard }) => shard.history.counters.relayPacketsRepaired);
    expect(repaired.reduce((a, b) => a + b)).toBeGreaterThan(30);
    // Of the last moments something may still be under way; sound is not repaired.
    for (const [who, frames] of one.seen) {
      const shown = new Set(many.seen.get(who));
      const missing = frames.slice(0, -10).filter((frame) => !shown.has(frame));
      expect(missing.length, who).toBeLessThan(frames.length / 5);
    }
  });

  it("drop packets when they are full, and say how many", () => {
    const narrow = { ...ONE_SHARD, count: 2, delayMicros: 20_000, ringBytes: 3_000 };
    const { world } = run({ ...story({}), shards: narrow }, 1);
    expect(lostOnAllWays(world)).toBeGreaterThan(10);
  });

  it("bring a run to the same bits again, whole or cut by snapshots", () => {
    const plan: Plan = { ...story({}), scheduler: "seeded", shards: LOSSY };
    const first = run(plan, 1);
    expect(run(plan, 1).fingerprint).toBe(first.fingerprint);
    expect(run(plan, 1, { restartBefore: (input) => input % 50 === 49 }).fingerprint).toBe(first.fingerprint);
    expect(run(plan, 2).fingerprint).not.toBe(first.fingerprint);
  });

  it("are written down in a journal for each shard, the dead one's too", () => {
    const timeline = [at(seconds(1), "a shard dies", crashShard(2))];
    const { journals, world } = run(story({ timeline, shards: { count: 3 } }), 1, { journal: true });
    expect(world.nodes.map(({ shard }) => shard.number)).toEqual([0, 1, 3]);
    expect(journals.map((journal) => replayJournal(journal, crypto).same)).toEqual([true, true, true, true]);
    expect(journals[0]).toContain('"type":"relay"');
    expect(journals[0]).toContain('"type":"shard-lost"');
  });
});

describe("a plan with shards", () => {
  it("is refused when it speaks of one that it does not have", () => {
    expect(() => story({ timeline: [at(0, "-", crashShard(1))] })).toThrow(/shard 1/);
    expect(() => story({ peers: { ana: { shard: 2 } }, shards: { count: 2 } })).toThrow(/shard 2/);
    expect(() => story({ shards: { count: 0 } })).toThrow(/no shard/);
  });
});
