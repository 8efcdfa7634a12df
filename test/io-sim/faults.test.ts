/** Every fault that a plan can hold, in a small call of its own: it happens, and what it must not break holds. */
import { describe, expect, it } from "vitest";
import { createChecksumCrypto, createNodeCrypto } from "../../io-crypto/index.ts";
import {
  at,
  clock,
  cut,
  freezes,
  heal,
  inherit,
  join,
  kill,
  leave,
  link,
  move,
  ms,
  type Plan,
  pause,
  percent,
  plays,
  reconnect,
  restart,
  scenario,
  seconds,
  signalling,
  stays,
  swizzle,
} from "../../io-sim/index.ts";
import { replayJournal } from "../../io-sim/journal/journal.ts";
import { linkCounters } from "../../io-sim/link/index.ts";
import { run } from "../../io-sim/world/run.ts";
import type { Peer } from "../../io-sim/world/topology.ts";

type Story = Parameters<typeof scenario>[0];

const PEERS: Story["peers"] = {
  ana: { sends: { camera: "vp8", microphone: true } },
  bob: { receives: { audio: 1, video: 1 } },
};

/** The same, and somebody who comes when a step says so. */
const WITH_LATECOMER: Story["peers"] = { ...PEERS, cleo: { receives: { audio: 1, video: 1 }, joinsLater: true } };

/** Ana sends, bob watches; what else there is the test says. */
function call(changes: Partial<Story>): Plan {
  return scenario({
    name: "a small call",
    story: "Something happened, and the call went on.",
    seeds: { 1: "the first that was tried" },
    peers: PEERS,
    runFor: seconds(5),
    finally: [plays("bob", "ana/camera"), plays("bob", "ana/microphone")],
    ...changes,
  });
}

/** Runs a call that must hold, and answers its world. */
function held(plan: Plan, seed = 1) {
  const verdict = run(plan, seed);
  expect(verdict.broken?.detail).toBeUndefined();
  const peer = (name: string): Peer => verdict.world.peers.get(name)!;
  return { ...verdict, peer };
}

describe("the network", () => {
  it("may bring late replays, truncated and overtaken packets", () => {
    const { peer } = held(
      call({
        timeline: [
          at(
            seconds(1),
            "everything at once",
            link("ana", {
              duplicate: { share: percent(20), by: seconds(5) },
              truncate: percent(8),
              corrupt: percent(8),
              reorder: { share: percent(5), by: ms(200), packets: [2, 50] },
            }),
          ),
          at(seconds(3), "as before", link("ana", { duplicate: { share: 0, by: 0 }, truncate: 0, corrupt: 0 })),
        ],
        runFor: seconds(6),
      }),
    );
    const { duplicated, truncated, corrupted, reordered } = linkCounters(peer("ana").up);
    for (const count of [duplicated, truncated, corrupted, reordered]) expect(count).toBeGreaterThan(2);
  });

  it("may clog half of the links one by one, and unclog them in another order", () => {
    const names = ["ana", "bob", "cleo"];
    const { world } = held(
      call({
        peers: {
          ana: { sends: { camera: "vp8", microphone: true } },
          bob: { receives: { audio: 1, video: 1 } },
          cleo: { receives: { audio: 1, video: 1 } },
        },
        timeline: [at(seconds(1), "a swizzle", swizzle(names, seconds(2)))],
        runFor: seconds(6),
      }),
    );
    const waited = [...world.peers.values()].filter((peer) => linkCounters(peer.down).stations.host.delayed > 0);
    expect(waited.length).toBe(2);
    expect(world.peers.get("ana")!.up.plan.clogged).toBe(false);
  });

  it("may be partitioned one way, and lower its MTU", () => {
    const { peer } = held(
      call({
        timeline: [
          at(seconds(1), "bob hears nothing", cut("bob", "down")),
          at(seconds(3), "bob hears", heal("bob")),
          at(seconds(4), "a tunnel", link("bob", { mtu: 600 })),
          at(seconds(5), "no tunnel", link("bob", { mtu: 1_500 })),
        ],
        runFor: seconds(8),
      }),
    );
    const { droppedByCut, droppedByMtu } = linkCounters(peer("bob").down);
    expect(droppedByCut).toBeGreaterThan(20);
    expect(droppedByMtu).toBeGreaterThan(3);
  });
});

describe("addresses", () => {
  it.each(["port", "rebinding", "network", "ipv6"] as const)("may change during a call: %s", (how) => {
    const plan = call({
      timeline: [at(seconds(1), "ana moves", move("ana", how)), at(seconds(2), "bob moves", move("bob", how))],
      runFor: seconds(8),
    });
    const { peer } = held(plan);
    const { address, formerAddress } = peer("bob");
    expect(address).not.toBe(formerAddress);
    expect(address.startsWith("[")).toBe(how === "ipv6");
    expect(address.split(":")[0] === formerAddress.split(":")[0]).toBe(how === "port");
  });

  it("may be IPv6 from the start, and IPv4 later", () => {
    const plan = call({ timeline: [at(seconds(1), "bob moves", move("bob", "ipv4"))], runFor: seconds(4) });
    const peers = plan.peers.map((peer) => {
      const [up, down] = [
        { ...peer.up, overheadBytes: 48 },
        { ...peer.down, overheadBytes: 48 },
      ];
      return { ...peer, up, down };
    });
    const { peer } = held({ ...plan, peers });
    expect([peer("ana").address.startsWith("["), peer("bob").address.startsWith("[")]).toEqual([true, false]);
  });

  it("may be two at once", () => {
    const plan = call({
      timeline: [at(seconds(1), "bob has two networks", move("bob", "beside"))],
      runFor: seconds(12),
    });
    const { peer, world } = held(plan);
    expect(world.byAddress.get(peer("bob").secondAddress)).toBe(peer("bob"));
    expect(world.rows.some(({ text }) => text.includes("moved to flow"))).toBe(true);
    // Each of the two has been checked; until then, and no longer, what takes the second is a stranger's.
    expect(world.node.shard.history.counters.datagramsFromStrangers).toBeLessThan(10);
  });

  it("may come to somebody else, who gets nothing that was meant for the one before", () => {
    const plan = call({
      peers: WITH_LATECOMER,
      timeline: [
        at(seconds(1), "bob dies", kill("bob")),
        at(seconds(1), "cleo gets bob's address", inherit("cleo", "bob")),
        at(seconds(2), "cleo joins", join("cleo")),
      ],
      finally: [plays("cleo", "ana/camera")],
    });
    const { peer, world } = held(plan);
    expect(peer("cleo").address).toBe("10.0.0.2:20001");
    expect(world.byAddress.get(peer("cleo").address)).toBe(peer("cleo"));
  });

  it("are one's own: whose was given away before he came has another one", () => {
    const plan = call({
      peers: WITH_LATECOMER,
      timeline: [
        at(seconds(1), "bob gets cleo's address", inherit("bob", "cleo")),
        at(seconds(2), "cleo joins", join("cleo")),
      ],
      finally: [plays("bob", "ana/camera"), plays("cleo", "ana/camera")],
    });
    const { peer } = held(plan);
    expect([peer("bob").address, peer("cleo").address]).toEqual(["10.0.0.3:20002", "10.1.0.3:20009"]);
  });
});

describe("processes", () => {
  it("may be the same identity twice", () => {
    const plan = call({
      peers: {
        ana: { sends: { camera: "vp8", microphone: true } },
        bob: { receives: { audio: 1, video: 2 }, sends: { microphone: 60 } },
        twin: { likeness: "ana", sends: { camera: "vp8" }, receives: { audio: 1, video: 1 } },
      },
      finally: [plays("bob", "ana/camera"), plays("bob", "twin/camera")],
    });
    const { peer } = held(plan);
    const [ana, twin] = [peer("ana").client!, peer("twin").client!];
    expect([twin.ufrag, twin.media.videoSsrcs]).toEqual([ana.ufrag, ana.media.videoSsrcs]);
    expect(twin.participant).not.toBe(ana.participant);
  });

  it("may make a new connection, and stay who they are", () => {
    const plan = call({
      timeline: [
        at(seconds(1), "ana's page makes a new connection", reconnect("ana")),
        at(seconds(1.5), "and bob's", reconnect("bob")),
        at(seconds(1.51), "who is impatient", reconnect("bob")),
      ],
      runFor: seconds(4),
      always: [freezes("bob", "ana/microphone").shorterThan(seconds(1))],
      finally: [stays("ana"), stays("bob"), plays("bob", "ana/camera")],
    });
    const { peer } = held(plan);
    for (const name of ["ana", "bob"]) {
      const [former, client] = peer(name).clients;
      expect([peer(name).clients.length, client!.former === former, former!.participant]).toEqual([2, true, 0]);
      expect(client!.ufrag).not.toBe(former!.ufrag);
    }
  });

  it("may ask for a new connection twice, hear nothing of it, and join anew", () => {
    const plan = call({
      timeline: [
        at(seconds(1), "bob's page gets no replies", signalling("bob", { unheard: percent(100) })),
        at(seconds(1), "makes a new connection", reconnect("bob")),
        at(seconds(2), "and hears the next reply", signalling("bob", {})),
      ],
      runFor: seconds(8),
      finally: [plays("bob", "ana/camera")],
    });
    expect(held(plan).peer("bob").clients).toHaveLength(2);
  });

  it("may ask for a new connection when the server knows them no more", () => {
    const plan = call({
      timeline: [
        at(seconds(1), "the server dies", restart({ after: ms(300) })),
        at(seconds(2), "bob's page makes a new connection", reconnect("bob")),
        at(seconds(2), "and ana's", reconnect("ana")),
      ],
      runFor: seconds(9),
      finally: [plays("bob", "ana/camera")],
    });
    held(plan);
  });

  it("may rejoin in a storm", () => {
    const plan = call({
      timeline: [at(seconds(1), "bob reloads and reloads", join("bob", { times: 12, every: ms(90) }))],
      finally: [plays("bob", "ana/camera", seconds(5))],
    });
    expect(held(plan).peer("bob").clients.length).toBe(13);
  });

  it.each([ms(10), ms(700), seconds(10)])("of clients may stall for %i µs", (time) => {
    const plan = call({
      timeline: [
        at(seconds(1), "bob's laptop stalls", pause(time, "bob")),
        at(seconds(1), "ana's too", pause(time, "ana")),
      ],
      runFor: seconds(3) + time,
    });
    const { quality } = held(plan);
    expect(quality.find((row) => row.source === "ana/camera")!.longestGapMicros).toBeGreaterThanOrEqual(time - ms(50));
  });

  it("of the server may pause", () => {
    const { quality } = held(call({ timeline: [at(seconds(1), "a long collection", pause(ms(200)))] }));
    expect(quality.find((row) => row.source === "ana/microphone")!.longestGapMicros).toBeGreaterThan(ms(150));
  });

  it("of the server may pause while it is to learn what time its publishers have", () => {
    const first = at(ms(800), "a long collection", pause(ms(150)));
    held(call({ timeline: [first, at(ms(900), "and another", pause(ms(180)))] }));
  });

  it("of the server may fire timers 50 ms late", () => {
    held(call({ timersLateBy: ms(50), peers: lossy(percent(5)) }));
  });

  it("of a page may be impatient, and a server that answers each check is not taken for silent", () => {
    const plan = call({
      peers: {
        ana: { sends: { camera: "vp8", microphone: true } },
        bob: { receives: { audio: 1, video: 1 }, rejoinsAfter: ms(800) },
      },
      runFor: seconds(8),
    });
    const { world } = held(plan);
    expect(world.peers.get("bob")!.clients.length).toBe(1);
  });

  it("of a network may last, and whose page makes a new connection is who he was", () => {
    const plan = call({
      peers: {
        ana: { sends: { camera: "vp8", microphone: true } },
        bob: { sends: { microphone: true }, receives: { audio: 1, video: 1 }, rejoinsAfter: seconds(2) },
      },
      timeline: [at(seconds(1), "into the tunnel", cut("bob")), at(seconds(5), "and out", heal("bob"))],
      runFor: seconds(12),
      finally: [stays("bob"), plays("bob", "ana/camera", seconds(3))],
    });
    const { world } = held(plan);
    const { clients } = world.peers.get("bob")!;
    expect(clients.length).toBe(2);
    expect(clients[1]!.former).toBe(clients[0]);
  });

  it("of the server may crash, and whose page then joins anew is back in the call", () => {
    const plan = call({
      peers: {
        ana: { sends: { camera: "vp8", microphone: true }, rejoinsAfter: seconds(4) },
        bob: { receives: { audio: 1, video: 1 }, rejoinsAfter: seconds(4) },
      },
      timeline: [at(seconds(2), "the machine reboots", restart({ after: seconds(2) }))],
      runFor: seconds(16),
      finally: [plays("bob", "ana/camera", seconds(3))],
    });
    const verdict = run(plan, 1, { journal: true });
    expect(verdict.broken?.detail).toBeUndefined();
    expect(verdict.world.node.crashes).toBe(1);
    expect([...verdict.world.peers.values()].map((peer) => peer.clients.length)).toEqual([2, 2]);
    const replay = replayJournal(verdict.journal!, () => createChecksumCrypto(createNodeCrypto()));
    expect(replay).toMatchObject({ same: true });
  });
});

/** The usual two, with loss on both ways of both links. */
function lossy(loss: number): Story["peers"] {
  return {
    ana: { sends: { camera: "vp8", microphone: true }, link: { loss } },
    bob: { receives: { audio: 1, video: 1 }, link: { loss } },
  };
}

describe("a server that dies while it stands still", () => {
  it("answers nothing that it was asked meanwhile, nor does the one after it", () => {
    const timeline = [
      at(seconds(1), "the server stands still", pause(ms(400))),
      at(seconds(1.1), "bob's page makes a new connection", reconnect("bob")),
      at(seconds(1.2), "the server crashes", restart({ after: ms(3) })),
    ];
    expect(run(call({ timeline }), 1).world.node.strayReplies).toBe(0);
  });
});

describe("wall clocks", () => {
  /** 2036-02-07 06:28:16 UTC, when the 32 bits of NTP's seconds begin again. */
  const ERA = (2 ** 32 - 2_208_988_800) * 1_000_000;

  it("may step and drift, and nobody notices", () => {
    const plan = call({
      timeline: [
        at(seconds(1), "ana's clock is set back", clock("ana", { by: -seconds(3_600), drift: 200 })),
        at(seconds(3), "and forward", clock("ana", { by: seconds(90_000), drift: -500 })),
      ],
    });
    expect(held(plan).peer("ana").clock.aheadMicros).toBeGreaterThan(seconds(86_000));
  });

  it("may cross into the next era of NTP", () => {
    const { world } = held(call({ wallClock: ERA - seconds(3) }));
    expect(world.node.shard.bootWall).toBeLessThan(ERA);
    expect(world.node.shard.bootWall + world.loop.now - world.node.shard.bootNow).toBeGreaterThan(ERA);
  });
});

describe("signalling", () => {
  it.each([
    ["requests that get lost", { lost: percent(60) }],
    ["replies that nobody hears", { unheard: percent(60) }],
    ["requests that come twice", { repeated: percent(100) }],
    ["requests that overtake each other", { late: seconds(3) }],
  ])("may have %s", (_what, trouble) => {
    const plan = call({
      timeline: [
        at(0, "the proxy is ill", signalling("bob", trouble)),
        at(ms(500), "bob goes", leave("bob")),
        at(ms(520), "and comes back", join("bob")),
      ],
      runFor: seconds(20),
      finally: [plays("bob", "ana/camera", seconds(17))],
    });
    const { world, peer } = held(plan, 2);
    expect(peer("bob").clients.length).toBe(2);
    expect(world.commands).toBeGreaterThanOrEqual("lost" in trouble ? 3 : 4);
  });
});
