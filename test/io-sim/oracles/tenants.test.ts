/**
 * Whom a shard has to take for the tenant of an address: what decides it is the last check that was answered there.
 */
import { describe, expect, it } from "vitest";
import { at, buggify, inherit, join, kill, move, percent, plays, seconds } from "../../../io-sim/index.ts";
import { createTenants, type Tenants } from "../../../io-sim/oracles/tenants.ts";
import { type Scenario, scenario } from "../../../io-sim/story/scenario.ts";
import { run } from "../../../io-sim/world/run.ts";

/** Bob dies, and heir joins another room from bob's address. */
const HAND_ME_DOWN: Omit<Scenario, "seeds"> = {
  name: "hand me down",
  story: "I got an address that had been somebody else's.",
  peers: {
    ana: { sends: { camera: "vp8", microphone: true } },
    bob: { receives: { audio: 1, video: 1 }, shard: 0 },
    heir: { room: "study", receives: { audio: 1 }, joinsLater: true },
    host: { room: "study", sends: { microphone: true } },
  },
  timeline: [
    at(seconds(1), "bob dies", kill("bob")),
    at(seconds(1.2), "his address is given to another", inherit("heir", "bob")),
    at(seconds(1.4), "who joins", join("heir")),
  ],
  runFor: seconds(3),
  finally: [plays("heir", "host/microphone")],
};

/** Runs a story of which everything has to hold; answers the tenants at its end, and the world. */
function endOf(story: Omit<Scenario, "seeds">) {
  let tenants: Tenants | undefined;
  const { broken, world } = run(scenario({ seeds: { 1: "the only one" }, ...story }), 1, {
    withoutDrain: true,
    onWorld: (made) => {
      tenants = createTenants(made);
      made.watchers.push(tenants);
    },
  });
  expect(broken).toBeUndefined();
  return { tenants: tenants!, world };
}

/** Who lives where at the end of a story, by the places of shards. */
function tenantsAfter(story: Omit<Scenario, "seeds">) {
  const { tenants, world } = endOf(story);
  return (place: number, address: string) => tenants.at(world.nodes[place]!, address)?.plan.name;
}

describe("the tenant of an address", () => {
  const address = "10.0.0.2:20001";

  it("is who was answered there last", () => {
    expect(tenantsAfter(HAND_ME_DOWN)(0, address)).toBe("heir");
  });

  it("is another for a shard that nobody has told of the new one", () => {
    const peers = { ...HAND_ME_DOWN.peers, heir: { ...HAND_ME_DOWN.peers.heir, shard: 1 } };
    const tenant = tenantsAfter({ ...HAND_ME_DOWN, peers, shards: { count: 2 } });
    expect([tenant(0, address), tenant(1, address)]).toEqual(["bob", "heir"]);
  });

  it("has been checked as soon as the shard answers, whatever becomes of the answer", () => {
    const timeline = [
      at(seconds(1), "nothing leaves the server", buggify(["host/send-refused"], percent(100))),
      at(seconds(1), "bob moves", move("bob")),
    ];
    const { tenants, world } = endOf({ ...HAND_ME_DOWN, timeline, runFor: seconds(5), finally: [] });
    expect(tenants.at(world.node, "10.1.0.2:20008")?.plan.name).toBe("bob");
    expect(tenants.checkedAt(world.node, "10.1.0.2:20008")).toBeGreaterThan(world.zeroAt + seconds(1));
    expect(tenants.checkedAt(world.node, "10.9.9.9:9")).toBe(0);
  });

  it("is still who has moved away, and nobody where nobody ever was", () => {
    const timeline = [at(seconds(1), "bob moves", move("bob"))];
    const tenant = tenantsAfter({ ...HAND_ME_DOWN, timeline, finally: [] });
    expect([tenant(0, address), tenant(0, "10.1.0.2:20008"), tenant(0, "10.9.9.9:9")]).toEqual([
      "bob",
      "bob",
      undefined,
    ]);
  });

  it("has lost his only way when it becomes another's, unless he has been heard elsewhere since", () => {
    const moves = [at(seconds(0.8), "bob moves", move("bob", "network")), ...HAND_ME_DOWN.timeline!.slice(1)];
    const lost = [HAND_ME_DOWN, { ...HAND_ME_DOWN, timeline: moves }].map((story) => {
      const { tenants, world } = endOf(story);
      expect(tenants.at(world.node, address)?.plan.name).toBe("heir");
      return tenants.displacedAt(world.peers.get("bob")!.client!) > 0;
    });
    expect(lost).toEqual([true, false]);
  });
});
