import { describe, expect, it } from "vitest";
import { emptyShardResidue, seededScheduler, shardResidue } from "../../../core/index.ts";
import { createShardLooks, lookAtShard } from "../../../core/sfu/invariants.ts";
import { createShardCluster, passTogether, relay } from "../../support/shards/shard-cluster.ts";
import {
  attributeOf,
  check,
  command,
  createShardWorld,
  datagram,
  join,
  passMillis,
  reconnect,
  type ShardWorld,
  sealRtp,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { opusPacket, vp8Packet } from "../../support/wire/media.ts";
import { offerOf, PUBLISH } from "../../support/wire/offers.ts";

/** The same m-lines with other SSRCs, as a browser offers them on a new connection. */
const AGAIN = offerOf([
  { kind: "audio", ssrc: 1100 },
  { kind: "video", ssrc: 2100, rtxSsrc: 2101 },
]);
const SUBSCRIBE = offerOf([{ kind: "audio" }, { kind: "video" }, { kind: "video" }]);

/** Frames of one packet each; the first is a keyframe. */
function film(world: ShardWorld, client: TestClient, ssrc: number, from: number, count: number): void {
  for (let i = 0; i < count; i++) {
    sendRtp(world, client, vp8Packet({ ssrc, sequence: from + i, keyframe: i === 0, pictureId: i, body: [i, 7] }));
    passMillis(world, 33);
  }
}

function pair(scheduler = seededScheduler(0)) {
  const world = createShardWorld(scheduler);
  const ana = join(world, { name: "ana", offer: PUBLISH });
  const bob = join(world, { name: "bob", offer: SUBSCRIBE });
  film(world, ana, 2000, 10, 5);
  return { world, ana, bob };
}

function rosters(world: ShardWorld) {
  return world.events.flatMap((event) => (event.type === "roster" ? [event.participants] : []));
}

function expectSound(world: ShardWorld): void {
  for (const { promise, trouble } of lookAtShard(world.shard, createShardLooks(), 100)) {
    expect(`${promise} ${trouble}`).toBe(`${promise} `);
  }
}

function pictures(client: TestClient) {
  return client.rtp.filter(({ payloadType }) => payloadType === 96);
}

describe("a publisher with a new connection", () => {
  it("stays who he is: the same number, the same name, the same publications, and nobody hears that he left or came", () => {
    const { world, ana } = pair();
    const before = rosters(world).at(-1)!;
    world.events.length = 0;
    const again = reconnect(world, ana, { offer: AGAIN });
    film(world, again, 2100, 400, 2);
    expect(again.participant).toBe(ana.participant);
    for (const roster of rosters(world)) expect(roster.map(({ name }) => name)).toEqual(["ana", "bob"]);
    expect(rosters(world).at(-1)).toEqual(before);
    const texts = [before, ...rosters(world)].map((roster) => JSON.stringify(roster));
    expect(texts.every((text, index) => text !== texts[index - 1])).toBe(true);
    const kinds = world.events.map(({ type }) => type);
    expect(kinds.filter((type) => type === "left" || type === "joined")).toEqual([]);
    expect(kinds.filter((type) => type === "reconnecting" || type === "connected")).toEqual([
      "reconnecting",
      "connected",
    ]);
    expectSound(world);
  });

  it("goes on in the same slot of whoever watches: one SSRC, numbers without a gap, from a keyframe on", () => {
    const { world, ana, bob } = pair();
    const shown = pictures(bob).length;
    const again = reconnect(world, ana, { offer: AGAIN });
    sendRtp(world, again, vp8Packet({ ssrc: 2100, sequence: 399 }));
    expect(pictures(bob)).toHaveLength(shown);
    film(world, again, 2100, 400, 3);
    expect(pictures(bob)).toHaveLength(shown + 3);
    const [last, next] = pictures(bob).slice(shown - 1);
    expect(next!.ssrc).toBe(last!.ssrc);
    expect(next!.sequence).toBe((last!.sequence + 1) & 0xffff);
    expect((next!.timestamp - last!.timestamp) >>> 0).toBeLessThan(90_000);
  });

  it("is heard no more on the old connection: its media, its checks and its flow are a stranger's", () => {
    const { world, ana, bob } = pair();
    const sealed = sealRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 99, keyframe: true }));
    const shown = bob.rtp.length;
    const { flow } = ana;
    // Where he was nobody answers any more.
    ana.flow = -1;
    world.released.length = 0;
    reconnect(world, ana, { offer: AGAIN });
    expect(world.released).toEqual([flow]);
    const { datagramsFromStrangers, stunDropped } = world.shard.history.counters;
    datagram(world, flow, sealed);
    check(world, ana, flow);
    expect(bob.rtp).toHaveLength(shown);
    expect(world.shard.history.counters).toMatchObject({
      datagramsFromStrangers: datagramsFromStrangers + 1,
      stunDropped: stunDropped + 1,
    });
  });

  it("is told on the old connection, where that still reaches him, that it is over", () => {
    const { world, ana } = pair();
    reconnect(world, ana, { offer: AGAIN });
    expect(ana.dtls.status).toBe("closed");
  });

  it("has keys, credentials and numbers that no connection before it had", () => {
    const { world, ana } = pair();
    const seen = new Set<string>();
    let client = ana;
    for (let i = 0; i < 4; i++) {
      const { peer, feedbackSsrc } = world.shard.participants.get(ana.participant)!;
      const key = Buffer.from(peer.srtp!.writeKey).toString("hex");
      for (const one of [key, attributeOf(client.answer, "ice-ufrag"), attributeOf(client.answer, "ice-pwd")]) {
        expect(seen).not.toContain(one);
        seen.add(one);
      }
      expect(seen).not.toContain(`feedback ${feedbackSsrc}`);
      seen.add(`feedback ${feedbackSsrc}`);
      client = reconnect(world, client, { offer: AGAIN });
    }
    expect(world.shard.peerIndexes.next).toBe(2);
  });

  it("is said to be paused until media comes again", () => {
    const { world, ana } = pair();
    const flows = () =>
      rosters(world)
        .at(-1)![0]!
        .publications.map(({ flowing }) => flowing);
    expect(flows()).toEqual([false, true]);
    const again = reconnect(world, ana, { offer: AGAIN });
    expect(flows()).toEqual([false, false]);
    film(world, again, 2100, 400, 1);
    expect(flows()).toEqual([false, true]);
  });

  it("takes back what the new offer does without, and shows what is new in it once it is connected", () => {
    const { world, ana, bob } = pair();
    const offer = offerOf([
      { kind: "video", ssrc: 3000 },
      { kind: "video", ssrc: 2100, rtxSsrc: 2101 },
    ]);
    const [audio, video] = rosters(world).at(-1)![0]!.publications;
    const again = reconnect(world, ana, { offer, connect: false });
    expect(
      rosters(world)
        .at(-1)![0]!
        .publications.map(({ publication }) => publication),
    ).toEqual([video!.publication]);
    expect(world.shard.publications.has(audio!.publication)).toBe(false);
    expectSound(world);
    const last = reconnect(world, again, { offer });
    const publications = rosters(world).at(-1)![0]!.publications;
    expect(publications.map(({ kind }) => kind)).toEqual(["video", "video"]);
    expect(publications[1]!.publication).toBe(video!.publication);
    const shown = pictures(bob).length;
    sendRtp(world, last, vp8Packet({ ssrc: 3000, sequence: 7, keyframe: true }));
    expect(pictures(bob)).toHaveLength(shown + 1);
    expectSound(world);
  });

  it("may swap its SSRCs between m-lines", () => {
    const world = createShardWorld();
    const both = (one: number, other: number) =>
      offerOf([
        { kind: "video", ssrc: one },
        { kind: "video", ssrc: other },
      ]);
    const ana = join(world, { name: "ana", offer: both(2000, 3000) });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    const again = reconnect(world, ana, { offer: both(3000, 2000) });
    sendRtp(world, again, vp8Packet({ ssrc: 2000, sequence: 1, keyframe: true }));
    sendRtp(world, again, vp8Packet({ ssrc: 3000, sequence: 1, keyframe: true }));
    expect(bob.rtp).toHaveLength(2);
    expectSound(world);
  });
});

describe("a viewer with a new connection", () => {
  it("is shown again what it was shown, in slots of its own, beginning with a keyframe", () => {
    const { world, ana, bob } = pair();
    world.events.length = 0;
    const again = reconnect(world, bob, { offer: SUBSCRIBE });
    const bindings = world.events.flatMap((event) => (event.type === "bindings" ? [event.slots] : []));
    expect(bindings[0]).toEqual([]);
    expect(bindings.at(-1)!.filter(({ participant }) => participant === ana.participant)).toHaveLength(2);
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 15 }));
    expect(pictures(again)).toHaveLength(0);
    film(world, ana, 2000, 16, 2);
    sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence: 1, level: 20 }));
    expect(pictures(again)).toHaveLength(2);
    expect(again.rtp).toHaveLength(3);
    expectSound(world);
  });

  it("gets nothing before it is connected, and then what came meanwhile is no part of it", () => {
    const { world, ana, bob } = pair();
    const again = reconnect(world, bob, { offer: SUBSCRIBE, connect: false });
    const { rtpOffered } = world.shard.history.counters;
    film(world, ana, 2000, 16, 3);
    expect(world.shard.history.counters.rtpOffered).toBe(rtpOffered);
    expect([bob.datagrams.length > 0, again.datagrams.length]).toEqual([true, 0]);
    expectSound(world);
  });

  it("hears of who comes and goes while it is away", () => {
    const { world, ana, bob } = pair();
    reconnect(world, bob, { offer: SUBSCRIBE, connect: false });
    const cem = join(world, { name: "cem", offer: PUBLISH.replaceAll("1000", "1200").replaceAll("2000", "2200") });
    command(world, { type: "leave", room: "room", resource: ana.resource });
    const again = reconnect(world, bob, { offer: SUBSCRIBE });
    film(world, cem, 2200, 1, 2);
    expect(pictures(again)).toHaveLength(2);
    expectSound(world);
  });
});

describe("the command", () => {
  it("is refused for a connection that is no longer the present one, which goes on", () => {
    const { world, ana, bob } = pair();
    const first = world.shard.participants.get(ana.participant)!.connection;
    expect(first).toBe(ana.participant);
    const again = reconnect(world, ana, { offer: AGAIN, connection: first });
    const second = world.shard.participants.get(ana.participant)!.connection;
    const stale = { type: "reconnect", room: "room", resource: ana.resource, connection: first, offer: AGAIN } as const;
    const replies = world.replies.length;
    expect(command(world, stale)).toMatchObject({ type: "refused", code: "stale-connection" });
    expect(world.replies).toHaveLength(replies + 1);
    expect(second).not.toBe(first);
    const shown = pictures(bob).length;
    film(world, again, 2100, 400, 2);
    expect(pictures(bob)).toHaveLength(shown + 2);
  });

  it("is refused for an offer that can't be used, which leaves the connection as it is", () => {
    const { world, ana, bob } = pair();
    const bad = { type: "reconnect", room: "room", resource: ana.resource, offer: "v=0" } as const;
    expect(command(world, bad)).toMatchObject({ type: "refused", code: "bad-sdp" });
    const shown = pictures(bob).length;
    film(world, ana, 2000, 16, 2);
    expect(pictures(bob)).toHaveLength(shown + 2);
  });

  it("finds nobody under another room's name, or once he has left", () => {
    const { world, ana } = pair();
    const ask = (room: string) => command(world, { type: "reconnect", room, resource: ana.resource, offer: AGAIN });
    expect(ask("other")).toMatchObject({ type: "refused", code: "not-found" });
    command(world, { type: "leave", room: "room", resource: ana.resource });
    expect(ask("room")).toMatchObject({ type: "refused", code: "not-found" });
  });

  it("gives a connection that never comes about as long as a join has, and no longer", () => {
    const { world, ana } = pair();
    passMillis(world, 10_000);
    reconnect(world, ana, { offer: AGAIN, connect: false });
    passMillis(world, world.shard.tunables.connectMicros / 1_000 - 1);
    expect(world.shard.participants.has(ana.participant)).toBe(true);
    passMillis(world, 2);
    const left = world.events.filter((event) => event.type === "left" && event.participant === ana.participant);
    expect(left).toMatchObject([{ reason: "connect-timeout" }]);
    expectSound(world);
  });

  it("may come before the first connection has stood", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: PUBLISH, connect: false });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE, connect: false });
    const again = reconnect(world, ana, { offer: AGAIN });
    const viewer = reconnect(world, bob, { offer: SUBSCRIBE });
    film(world, again, 2100, 1, 2);
    expect(pictures(viewer)).toHaveLength(2);
    expectSound(world);
  });

  it("leaves nothing behind when everybody has gone, in whatever order mail is delivered", () => {
    for (const seed of [1, 2, 3]) {
      const { world, ana, bob } = pair(seededScheduler(seed));
      const again = reconnect(world, ana, { offer: AGAIN });
      const viewer = reconnect(world, bob, { offer: SUBSCRIBE });
      film(world, again, 2100, 400, 4);
      expect(pictures(viewer)).toHaveLength(4);
      expectSound(world);
      for (const { resource } of [again, viewer]) command(world, { type: "leave", room: "room", resource });
      expect(shardResidue(world.shard)).toEqual(emptyShardResidue());
    }
  });
});

describe("a new connection in a room over two shards", () => {
  const enter = (cluster: ReturnType<typeof createShardCluster>, shard: number, name: string, offer: string) => {
    const client = join(cluster.worlds[shard]!, { name, offer, home: 0 });
    relay(cluster);
    return client;
  };

  it("of a publisher, at home or abroad, goes on with whoever watches on the other shard", () => {
    for (const [here, there] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const cluster = createShardCluster(2);
      const world = cluster.worlds[here]!;
      const send = (client: TestClient, ssrc: number, from: number, count: number) => {
        for (let i = 0; i < count; i++) {
          sendRtp(world, client, vp8Packet({ ssrc, sequence: from + i, keyframe: i === 0, pictureId: i }));
          passTogether(cluster, 33);
        }
      };
      const ana = enter(cluster, here, "ana", PUBLISH);
      const bob = enter(cluster, there, "bob", SUBSCRIBE);
      send(ana, 2000, 10, 3);
      expect(pictures(bob)).toHaveLength(3);
      const again = reconnect(world, ana, { offer: AGAIN });
      relay(cluster);
      send(again, 2100, 400, 3);
      const [before, after] = pictures(bob).slice(2);
      expect(pictures(bob)).toHaveLength(6);
      expect([after!.ssrc, after!.sequence]).toEqual([before!.ssrc, (before!.sequence + 1) & 0xffff]);
      const names = rosters(cluster.worlds[0]!).map((roster) => roster.map(({ name }) => name).join());
      expect(names.slice(1).every((each) => each === "ana,bob" || each === "bob,ana")).toBe(true);
      for (const each of cluster.worlds) expectSound(each);
    }
  });

  it("may give the same publication other payload types, of which the other shard hears in time", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", PUBLISH);
    const bob = enter(cluster, 1, "bob", SUBSCRIBE);
    const send = (client: TestClient, ssrc: number, payloadType: number) => {
      const packet = vp8Packet({ ssrc, sequence: 1, keyframe: true });
      packet[1] = (packet[1]! & 0x80) | payloadType;
      sendRtp(cluster.worlds[0]!, client, packet);
      passTogether(cluster, 33);
    };
    send(ana, 2000, 96);
    // What was the video's stands for sound now, and the other way round.
    const offer = AGAIN.replace(/\b96\b/g, "X")
      .replace(/\b111\b/g, "96")
      .replace(/\bX\b/g, "111");
    const again = reconnect(cluster.worlds[0]!, ana, { offer });
    relay(cluster);
    send(again, 2100, 111);
    expect(pictures(bob)).toHaveLength(2);
  });

  it("of a viewer is shown again what comes from the other shard, and nothing is left in the end", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", PUBLISH);
    const bob = enter(cluster, 1, "bob", SUBSCRIBE);
    const again = reconnect(cluster.worlds[1]!, bob, { offer: SUBSCRIBE });
    relay(cluster);
    for (let i = 0; i < 3; i++) {
      sendRtp(cluster.worlds[0]!, ana, vp8Packet({ ssrc: 2000, sequence: i, keyframe: i === 0, pictureId: i }));
      passTogether(cluster, 33);
    }
    expect(pictures(again)).toHaveLength(3);
    command(cluster.worlds[0]!, { type: "leave", room: "room", resource: ana.resource });
    command(cluster.worlds[1]!, { type: "leave", room: "room", resource: bob.resource });
    relay(cluster);
    for (const { shard } of cluster.worlds) expect(shardResidue(shard)).toEqual(emptyShardResidue());
  });
});
