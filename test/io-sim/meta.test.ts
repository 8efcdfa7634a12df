/**
 * The simulator tests itself: that chance comes from the seed alone and reaches every corner, that an impairment does what
 * it is called and nothing else, and that two worlds in one process know nothing of each other. Each look is first taken
 * at something that it has to refuse. What stations do to single packets stands in link.test.ts and link/.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Decision } from "../../io-sim/base/decisions.ts";
import { step } from "../../io-sim/base/event-loop.ts";
import { at, garbage, kbps, link, move, ms, percent, seconds, signalling } from "../../io-sim/index.ts";
import { linkConserves, linkCounters, linkDropped } from "../../io-sim/link/index.ts";
import type { Plan } from "../../io-sim/story/plan.ts";
import type { Scenario } from "../../io-sim/story/scenario.ts";
import { nodeFingerprint, nodeReceive } from "../../io-sim/world/node.ts";
import { type RunOptions, run } from "../../io-sim/world/run.ts";
import { createWorld, startWorld, type World } from "../../io-sim/world/world.ts";
import { smallStory } from "../support/stories/small-story.ts";

/** The keys of all generators that were made. */
const keys = vi.hoisted((): string[] => []);
vi.mock("seedrandom", async (load) => {
  const { default: seedrandom } = await load<{ default: (key: string) => unknown }>();
  return {
    default: (key: string) => {
      keys.push(key);
      return seedrandom(key);
    },
  };
});
afterEach(() => {
  keys.length = 0;
});

const PEERS = {
  ana: { sends: { camera: "vp8-simulcast", microphone: true } },
  bob: { receives: { audio: 1, video: 1 }, sends: { microphone: 40 } },
} as const satisfies Scenario["peers"];

function call(change: Partial<Scenario> = {}): Plan {
  return smallStory({ peers: PEERS, runFor: seconds(1), ...change });
}

/** Every station of the links draws, and so does much else. */
const DRAWING = call({
  shards: { count: 2, delay: ms(1), jitter: ms(1), loss: percent(1) },
  timersLateBy: ms(2),
  timeline: [
    at(
      ms(100),
      "all that a link can do",
      link("bob", {
        direction: "both",
        loss: percent(2),
        jitter: ms(3),
        bursts: { good: ms(300), bad: ms(20), loss: percent(50) },
        reorder: { share: percent(2), by: ms(9) },
        duplicate: { share: percent(2), by: ms(9) },
        corrupt: percent(1),
        truncate: percent(1),
        grants: [ms(1), ms(3)],
        arq: { fails: percent(5), costs: [ms(1), ms(4)], tries: 3 },
        swing: { byMicros: ms(3), everyMicros: ms(200) },
        cross: { bps: 50_000, packetBytes: 400, onMicros: ms(50), offMicros: ms(50) },
        up: kbps(5_000),
      }),
    ),
    at(ms(200), "strangers", garbage({ perSecond: 100, duration: ms(300) })),
    at(ms(300), "bad signalling", signalling("ana", { lost: percent(20), late: ms(50) })),
    at(ms(400), "two networks", move("ana", "beside")),
  ],
});

function runQuietly(plan: Plan, seed: number, options: RunOptions = {}) {
  return run(plan, seed, { withoutDrain: true, safetyAlone: true, ...options });
}

describe("the seed", () => {
  /** What a key is besides its seed; undefined for a key without it. */
  const nameOf = (key: string, seed: number) =>
    key.startsWith(`lockstep|${seed}|`) ? key.slice(`lockstep|${seed}|`.length) : undefined;

  it("reaches every stream that a run draws from, and decides nothing else about it", () => {
    expect([nameOf("lockstep|7|link/loss|ana/up", 7), nameOf("lockstep|70|link/loss|ana/up", 7)]).toEqual([
      "link/loss|ana/up",
      undefined,
    ]);
    const names = [7, 8].map((seed) => {
      keys.length = 0;
      runQuietly(DRAWING, seed);
      return new Set(keys.map((key) => nameOf(key, seed)));
    });
    expect(names.flatMap((set) => [...set].filter((name) => name === undefined))).toEqual([]);
    expect(names[0]!.size).toBeGreaterThan(50);
    const sites = new Set([...names[0]!].map((name) => name!.split("|")[0]));
    for (const site of ["boot", "client/ice", "client/encoder", "scheduler", "attacker", "paths", "shards/way"]) {
      expect(sites).toContain(site);
    }
    expect([...sites].filter((site) => site!.startsWith("link/")).length).toBeGreaterThan(12);
  });

  it("and the next one lose other packets: of what both are asked, half is answered alike", () => {
    const loss = (seed: number, share: number): Map<string, number> => {
      const decisionLog: Decision[] = [];
      const lossy = { link: { loss: percent(share) } };
      const peers = { ana: { ...PEERS.ana, ...lossy }, bob: { ...PEERS.bob, ...lossy } };
      run(call({ peers, runFor: seconds(1) }), seed, { decisionLog, withoutDrain: true, safetyAlone: true });
      const asked = decisionLog.filter(({ site }) => site === "link/loss");
      return new Map(asked.map(({ entity, ordinal, answer }) => [`${entity}/${ordinal}`, answer]));
    };
    const alike = (one: Map<string, number>, other: Map<string, number>) => {
      const both = [...one].filter(([key]) => other.has(key));
      return both.filter(([key, answer]) => other.get(key) === answer).length / both.length;
    };
    const first = loss(41, 50);
    expect(first.size).toBeGreaterThan(100);
    expect(alike(first, loss(41, 50))).toBe(1);
    expect(Math.abs(alike(first, loss(42, 50)) - 0.5)).toBeLessThan(0.12);
  });
});

/** What each link did to packets besides carrying them; links that did nothing are left out. */
function meddling(world: World): string[] {
  return [...world.peers.values()].flatMap(({ plan, up, down }) =>
    Object.entries({ up, down }).flatMap(([way, link]) => {
      const counters = linkCounters(link);
      const { duplicated, reordered, corrupted, truncated, stations } = counters;
      const counts = [linkDropped(counters), duplicated, reordered, corrupted, truncated, stations.bottleneck.delayed];
      return counts.some((count) => count > 0) ? [`${plan.name}/${way}`] : [];
    }),
  );
}

describe("an impairment", () => {
  const IMPAIRED = {
    loss: percent(5),
    duplicate: { share: percent(5), by: ms(5) },
    reorder: { share: percent(5), by: ms(9) },
    corrupt: percent(2),
  };
  const impaired = (who: string, direction: "up" | "down" | "both") =>
    call({ timeline: [at(0, "from now on", link(who, { direction, ...IMPAIRED, [direction]: kbps(900) }))] });

  it("of one direction moves the counters of this one alone", () => {
    expect(meddling(runQuietly(impaired("ana", "both"), 1).world)).toEqual(["ana/up", "ana/down"]);
    expect(meddling(runQuietly(call(), 1).world)).toEqual([]);
    expect(meddling(runQuietly(impaired("ana", "up"), 1).world)).toEqual(["ana/up"]);
    expect(meddling(runQuietly(impaired("bob", "down"), 1).world)).toEqual(["bob/down"]);
  });

  it("loses no packet without saying so, at any moment of a run", () => {
    let looked = 0;
    const { world } = runQuietly(DRAWING, 1, {
      haltBefore: ({ peers, loop }) => {
        if (loop.ran % 100 !== 0) return false;
        for (const { up, down } of peers.values()) {
          looked++;
          for (const link of [up, down]) if (!linkConserves(linkCounters(link))) throw new Error("a packet is missing");
        }
        return false;
      },
    });
    expect(looked).toBeGreaterThan(20);
    expect(meddling(world)).toContain("bob/up");
    linkCounters(world.peers.get("bob")!.up).delivered--;
    expect(linkConserves(linkCounters(world.peers.get("bob")!.up))).toBe(false);
  });

  it("that holds a packet back lets the others pass at their own time", () => {
    const reorder = { reorder: { share: percent(10), by: ms(40) } };
    const plan = call({ timeline: [at(0, "from now on", link("ana", { direction: "up", ...reorder }))] });
    const { world, delivered } = carriedBy(plan, "ana", "up");
    const { reordered } = linkCounters(world.peers.get("ana")!.up);
    const times = delivered.map(({ took }) => took);
    expect(reordered).toBeGreaterThan(5);
    expect(times.filter((took) => took > ms(10)).length).toBe(reordered);
    expect(times.every((took) => took >= ms(10))).toBe(true);
  });
});

/** What was put on a link and what came out of it, byte for byte as it was at that moment. */
function carriedBy(plan: Plan, who: string, way: "up" | "down") {
  const offered: string[] = [];
  const delivered: { text: string; took: number }[] = [];
  const since = new Map<object, number>();
  const { world } = runQuietly(plan, 1, {
    onWorld: (begun) =>
      begun.watchers.push({
        carried: ({ plan: { name } }, direction, fate, { packet }) => {
          if (name !== who || direction !== way || fate === "dropped") return;
          const text = `${packet.source} ${packet.target} ${Buffer.from(packet.bytes).toString("base64")}`;
          if (fate === "offered") {
            offered.push(text);
            since.set(packet, begun.loop.now);
          } else delivered.push({ text, took: begun.loop.now - (since.get(packet) ?? 0) });
        },
      }),
  });
  return { world, offered, delivered };
}

describe("a perfect link", () => {
  it.each(["up", "down"] as const)("changes no byte and no order on the way %s", (way) => {
    const { offered, delivered } = carriedBy(call(), "bob", way);
    expect(delivered.length).toBeGreaterThan(20);
    expect(delivered.map(({ text }) => text)).toEqual(offered.slice(0, delivered.length));
    // What is still under way at the end is less than a round trip's worth.
    expect(offered.length - delivered.length).toBeLessThan(20);
  });

  it.each([1, 100, 1_000])("keeps its order where what is %i µs apart changes places", (swapsWithin) => {
    const ordinary = carriedBy(call(), "bob", "up");
    const { offered, delivered, world } = carriedBy(call({ swapsWithin }), "bob", "up");
    expect(delivered.map(({ text }) => text)).toEqual(offered.slice(0, delivered.length));
    const took = delivered.map((each) => each.took);
    expect(Math.min(...took)).toBeGreaterThanOrEqual(ms(10));
    expect(Math.max(...took)).toBeLessThanOrEqual(ms(10) + swapsWithin);
    const isPerturbed = nodeFingerprint(world.node) !== nodeFingerprint(ordinary.world.node);
    expect(isPerturbed).toBe(true);
    expect(nodeFingerprint(runQuietly(call({ swapsWithin }), 1).world.node)).toBe(nodeFingerprint(world.node));
  });

  it("is told from one that flips bits", () => {
    const flips = at(0, "from now on", link("bob", { direction: "up", corrupt: percent(20) }));
    const { offered, delivered } = carriedBy(call({ timeline: [flips] }), "bob", "up");
    expect(delivered.map(({ text }) => text)).not.toEqual(offered.slice(0, delivered.length));
  });
});

describe("two worlds in one process", () => {
  const EVENTS = 1_000;

  /** Lets these worlds take turns, event by event; answers what each has come to. */
  function takeTurns(worlds: readonly World[], halfway: () => void = () => {}): string[] {
    for (const world of worlds) startWorld(world);
    for (let turn = 0; turn < EVENTS; turn++) {
      if (turn === EVENTS / 2) halfway();
      for (const world of worlds) step(world.loop);
    }
    return worlds.map(({ node }) => nodeFingerprint(node));
  }

  const create = (seed: number) => createWorld(DRAWING, seed);

  it("do not touch each other", () => {
    const alone = [1, 2].flatMap((seed) => takeTurns([create(seed)]));
    expect(alone[0]).not.toBe(alone[1]);
    expect(takeTurns([create(1), create(2)])).toEqual(alone);
  });

  it("would be seen to if they did", () => {
    const alone = [1, 2].flatMap((seed) => takeTurns([create(seed)]));
    const [one, other] = [create(1), create(2)];
    const [first, second] = takeTurns([one, other], () => {
      nodeReceive(other.node, "192.0.2.1:7", Uint8Array.of(1, 2, 3));
    });
    expect([first === alone[0], second === alone[1]]).toEqual([true, false]);
  });
});
