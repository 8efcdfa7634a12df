/**
 * Rooms that span shards: what crosses, how often, and what remains when somebody goes. The room lives on shard 0 of three;
 * who publishes and who watches may be anywhere.
 */

import { describe, expect, it } from "vitest";
import {
  emptyShardResidue,
  LIMITS,
  seededScheduler,
  shardHandle,
  shardResidue,
  shardRestore,
  shardSnapshot,
} from "../../../core/index.ts";
import { firstId, shardOf } from "../../../core/sfu/ids.ts";
import { createRoom } from "../../../core/sfu/room.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import { writeNack, writePli } from "../../../core/wire/rtcp-feedback.ts";
import {
  createShardCluster,
  hand,
  lose,
  passTogether,
  relay,
  type ShardCluster,
} from "../../support/shards/shard-cluster.ts";
import {
  command,
  join,
  type ShardWorld,
  sendRtcp,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { opusPacket, vp8Packet } from "../../support/wire/media.ts";
import { offerOf, PAYLOAD_TYPE } from "../../support/wire/offers.ts";

const CAMERA = offerOf([{ kind: "video", ssrc: 2000, rtxSsrc: 2001 }]);
const VIEWER = offerOf([{ kind: "audio" }, { kind: "video" }]);
const TALKER = offerOf([
  { kind: "audio", ssrc: 1000 },
  { kind: "video", ssrc: 2000 },
  { kind: "audio" },
  { kind: "video" },
]);
const SIMULCAST = offerOf([{ kind: "video", rids: ["q", "h"] }]);

/** Lets somebody in on a shard; the room lives on shard 0. */
function enter(cluster: ShardCluster, shard: number, name: string, offer: string): TestClient {
  const client = join(cluster.worlds[shard]!, { name, offer, home: 0 });
  relay(cluster);
  return client;
}

function send(cluster: ShardCluster, shard: number, client: TestClient, packet: Uint8Array): void {
  sendRtp(cluster.worlds[shard]!, client, packet);
  relay(cluster);
}

/** Frames of one packet each; the first is a keyframe. */
function film(cluster: ShardCluster, shard: number, client: TestClient, from: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const keyframe = i === 0;
    send(cluster, shard, client, vp8Packet({ ssrc: 2000, sequence: from + i, keyframe, pictureId: i, body: [i, 7] }));
  }
}

function leave(cluster: ShardCluster, shard: number, client: TestClient): void {
  command(cluster.worlds[shard]!, { type: "leave", room: client.room, resource: client.resource });
  relay(cluster);
}

function picturesOf(client: TestClient): number[] {
  return client.rtp.filter(({ payloadType }) => payloadType === PAYLOAD_TYPE.VP8).map(({ payload }) => payload.at(-2)!);
}

function askedForKeyframe(client: TestClient): number {
  return client.rtcp.filter((packet) => packet[1] === 206 && (packet[0]! & 31) === 1).length;
}

function expectNothingLeft(cluster: ShardCluster): void {
  for (const { shard } of cluster.worlds) expect(shardResidue(shard)).toEqual(emptyShardResidue());
}

describe("numbers", () => {
  it("say which shard gave them out, and are 1, 2, 3 on the first", () => {
    expect([firstId(0), shardOf(1), shardOf(firstId(0) + 4_000_000_000)]).toEqual([1, 0, 0]);
    for (const shard of [1, 2, 0xf_ffff]) {
      expect([shardOf(firstId(shard)), shardOf(firstId(shard) + 4_000_000_000)]).toEqual([shard, shard]);
      expect(Number.isSafeInteger(firstId(shard) + 4_000_000_000)).toBe(true);
    }
  });

  it("of participants differ from shard to shard", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    const bob = enter(cluster, 1, "bob", VIEWER);
    expect([shardOf(ana.participant), shardOf(bob.participant)]).toEqual([0, 1]);
  });
});

describe("a room over two shards", () => {
  it("shows everybody in one roster, told by the shard on which the room lives", () => {
    const cluster = createShardCluster(2);
    enter(cluster, 0, "ana", CAMERA);
    enter(cluster, 1, "bob", VIEWER);
    const roster = cluster.worlds[0]!.events.filter((event) => event.type === "roster").at(-1);
    expect(roster?.participants.map(({ name }) => name)).toEqual(["ana", "bob"]);
    expect(cluster.worlds[1]!.events.some((event) => event.type === "roster")).toBe(false);
  });

  it.each([
    ["from the room's shard to another", 0, 1],
    ["from another to the room's shard", 1, 0],
    ["between two shards that the room does not live on", 1, 2],
  ])("carries pictures %s", (_way, publisher, viewer) => {
    const cluster = createShardCluster(3);
    const ana = enter(cluster, publisher, "ana", CAMERA);
    const bob = enter(cluster, viewer, "bob", VIEWER);
    film(cluster, publisher, ana, 65_530, 12);
    expect(picturesOf(bob)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const sequences = bob.rtp.map(({ sequence }) => sequence);
    expect(sequences.slice(1).every((sequence, i) => sequence === ((sequences[i]! + 1) & 0xffff))).toBe(true);
  });

  it("crosses each packet once for a shard, however many watch there", () => {
    const cluster = createShardCluster(3);
    const ana = enter(cluster, 0, "ana", CAMERA);
    const viewers = [1, 1, 1, 2, 2].map((shard, i) => enter(cluster, shard, `viewer-${i}`, VIEWER));
    film(cluster, 0, ana, 1, 10);
    for (const viewer of viewers) expect(picturesOf(viewer)).toHaveLength(10);
    expect(cluster.worlds[0]!.shard.history.counters.relayPacketsSent).toBe(20);
    expect(cluster.worlds[0]!.shard.history.counters.rtpForwarded).toBe(0);
  });

  it("asks the publisher for a keyframe when a viewer on another shard comes or asks", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    film(cluster, 0, ana, 1, 3);
    const bob = enter(cluster, 1, "bob", VIEWER);
    passTogether(cluster, 30);
    expect(askedForKeyframe(ana)).toBe(1);
    film(cluster, 0, ana, 4, 2);
    passTogether(cluster, 2_200);
    const bytes = new Uint8Array(64);
    sendRtcp(cluster.worlds[1]!, bob, bytes.slice(0, writePli(bytes, 0, 1, bob.rtp[0]!.ssrc)));
    passTogether(cluster, 30);
    expect(askedForKeyframe(ana)).toBe(2);
    passTogether(cluster, 700);
    expect(askedForKeyframe(ana)).toBe(3);
  });

  it("passes a viewer's wish on in the very input that brings it, where it waits for no turn of the publisher's", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    const bob = enter(cluster, 1, "bob", VIEWER);
    film(cluster, 0, ana, 1, 3);
    passTogether(cluster, 2_200);
    const before = askedForKeyframe(ana);
    const bytes = new Uint8Array(64);
    const asks = () => {
      sendRtcp(cluster.worlds[1]!, bob, bytes.slice(0, writePli(bytes, 0, 1, bob.rtp[0]!.ssrc)));
      relay(cluster);
    };
    asks();
    expect(askedForKeyframe(ana)).toBe(before + 1);
    // At home it is known that the next one comes too soon, and elsewhere that this one has not been granted yet.
    asks();
    expect(cluster.worlds[1]!.relayed).toEqual([]);
    film(cluster, 0, ana, 10, 1);
    asks();
    expect(askedForKeyframe(ana)).toBe(before + 1);
    passTogether(cluster, 520);
    expect(askedForKeyframe(ana)).toBe(before + 2);
  });

  it("grants viewers on other shards more and more rarely what they ask for again and again", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    const bob = enter(cluster, 1, "bob", VIEWER);
    film(cluster, 0, ana, 1, 3);
    const before = askedForKeyframe(ana);
    const bytes = new Uint8Array(64);
    let answered = before;
    for (let i = 0; i < 80; i++) {
      sendRtcp(cluster.worlds[1]!, bob, bytes.slice(0, writePli(bytes, 0, 1, bob.rtp[0]!.ssrc)));
      passTogether(cluster, 100);
      if (askedForKeyframe(ana) === answered) continue;
      answered = askedForKeyframe(ana);
      film(cluster, 0, ana, 10 + i, 1);
    }
    expect(askedForKeyframe(ana) - before).toBeGreaterThan(3);
    expect(askedForKeyframe(ana) - before).toBeLessThan(8);
  });

  it("answers a viewer's NACK on his own shard", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    const bob = enter(cluster, 1, "bob", VIEWER);
    film(cluster, 0, ana, 1, 5);
    const missed = bob.rtp[2]!;
    const bytes = new Uint8Array(64);
    sendRtcp(cluster.worlds[1]!, bob, bytes.slice(0, writeNack(bytes, 0, 1, missed.ssrc, [missed.sequence])));
    expect(cluster.worlds[1]!.relayed).toEqual([]);
    expect([...bob.rtp.at(-1)!.payload.subarray(2)]).toEqual([...missed.payload]);
  });

  it("goes over to another layer at its keyframe, and crosses one layer at a time", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", SIMULCAST);
    const bob = enter(cluster, 1, "bob", VIEWER);
    const layer = (rid: string, sequence: number, keyframe: boolean, width: number) =>
      vp8Packet({ ssrc: rid === "q" ? 11 : 22, sequence, keyframe, mid: "0", rid, width, body: [width & 0xff, 9] });
    for (let i = 0; i < 20; i++) {
      send(cluster, 0, ana, layer("q", 100 + i, i === 0, 320));
      if (i >= 5) send(cluster, 0, ana, layer("h", 500 + i, i === 5 || i === 15, 640));
      passTogether(cluster, 20);
    }
    const widths = picturesOf(bob);
    expect(widths.slice(0, 16)).toEqual(Array(16).fill(320 & 0xff));
    expect(widths.slice(16)).toEqual(Array(5).fill(640 & 0xff));
    expect(cluster.worlds[0]!.shard.history.counters.relayPacketsSent).toBe(21);
  });

  it("lets the loudest of all shards into the audio slots", () => {
    const cluster = createShardCluster(2);
    const voice = (ssrc: number) => offerOf([{ kind: "audio", ssrc }]);
    const quiet = enter(cluster, 0, "quiet", voice(1));
    enter(cluster, 0, "silent", voice(3));
    const loud = enter(cluster, 1, "loud", voice(2));
    const listener = enter(cluster, 0, "listener", VIEWER);
    for (let i = 0; i < 100; i++) {
      sendRtp(cluster.worlds[0]!, quiet, opusPacket({ ssrc: 1, sequence: i, timestamp: i * 960, level: 90 }));
      sendRtp(cluster.worlds[1]!, loud, opusPacket({ ssrc: 2, sequence: i, timestamp: i * 960, level: 10 }));
      passTogether(cluster, 20);
    }
    const bindings = cluster.worlds[0]!.events.filter((event) => event.type === "bindings");
    const last = bindings.findLast(({ participant }) => participant === listener.participant);
    expect(last?.slots.find(({ kind }) => kind === "audio")?.participant).toBe(loud.participant);
    expect(listener.rtp.length).toBeGreaterThan(80);
  });

  it("turns away whoever comes from another shard when the room is full", () => {
    const cluster = createShardCluster(2);
    const seats = Array.from({ length: LIMITS.participantsPerRoomMax }, (_, i) => i + 1_000);
    const members = new Map(seats.map((participant) => [participant, member(participant)]));
    cluster.worlds[0]!.shard.rooms.set("room", { ...createRoom(9, "room", 0, USUAL_TUNABLES), members });
    const bob = enter(cluster, 1, "bob", VIEWER);
    passTogether(cluster, 1);
    const left = cluster.worlds[1]!.events.find((event) => event.type === "left");
    expect(left).toMatchObject({ participant: bob.participant, reason: "room-full" });
  });

  function member(participant: number) {
    return { participant, name: "", ready: false, audioSlots: 0, videoSlots: 0, publications: [] };
  }
});

describe("a batch", () => {
  it("is its records one after the other, in all that they lead to and in the order of it", () => {
    const [whole, singly] = [
      (records: Uint8Array[]) => [records],
      (records: Uint8Array[]) => records.map((one) => [one]),
    ].map((batchesOf) => {
      const cluster = createShardCluster(2);
      const [home, far] = cluster.worlds as [ShardWorld, ShardWorld];
      const ana = enter(cluster, 0, "ana", TALKER);
      const bob = enter(cluster, 1, "bob", TALKER);
      film(cluster, 0, ana, 1, 3);
      passTogether(cluster, 2_200);
      // He asks for a keyframe and speaks, others come, one of them goes, and he speaks on.
      const pli = new Uint8Array(64);
      sendRtcp(far, bob, pli.slice(0, writePli(pli, 0, 1, bob.rtp[0]!.ssrc)));
      sendRtp(far, bob, opusPacket({ ssrc: 1000, sequence: 1 }));
      join(far, { name: "cleo", offer: VIEWER, home: 0 });
      const eve = join(far, { name: "eve", offer: VIEWER, home: 0 });
      command(far, { type: "leave", room: eve.room, resource: eve.resource });
      sendRtp(far, bob, opusPacket({ ssrc: 1000, sequence: 2 }));
      const records = far.relayed.splice(0).map(({ record }) => record);
      for (const batch of batchesOf(records)) hand(home, 1, batch);
      return { records: records.length, sent: home.sent, relayed: home.relayed, state: shardResidue(home.shard) };
    });
    expect(singly!.records).toBeGreaterThan(4);
    expect(singly!.sent.length).toBeGreaterThan(2);
    expect(singly!.relayed.length).toBeGreaterThan(1);
    expect(whole).toEqual(singly);
  });
});

describe("a lane that loses packets", () => {
  it("is repaired from the publication's cache, and nothing is missing in the end", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    const bob = enter(cluster, 1, "bob", VIEWER);
    cluster.loses = (packet) => packet % 4 === 1;
    film(cluster, 0, ana, 1, 40);
    passTogether(cluster, 300);
    expect([...picturesOf(bob)].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(cluster.worlds[0]!.shard.history.counters.relayPacketsRepaired).toBeGreaterThan(9);
  });

  it("brings the keyframe late that a route waits for, and then what has come since", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    const bob = enter(cluster, 1, "bob", VIEWER);
    cluster.loses = (packet) => packet === 0;
    film(cluster, 0, ana, 1, 6);
    expect(picturesOf(bob)).toEqual([]);
    passTogether(cluster, 30);
    expect(picturesOf(bob)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("begins with no keyframe that comes too late for what has come since", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    const bob = enter(cluster, 1, "bob", VIEWER);
    const { catchUpPacketsMax } = cluster.worlds[0]!.shard.tunables;
    for (let i = 1; i <= catchUpPacketsMax + 1; i++)
      send(cluster, 0, ana, vp8Packet({ ssrc: 2000, sequence: 100 + i }));
    const asked = askedForKeyframe(ana);
    send(cluster, 0, ana, vp8Packet({ ssrc: 2000, sequence: 100, keyframe: true }));
    passTogether(cluster, 1_000);
    expect(cluster.worlds[0]!.shard.history.counters.relayPacketsSent).toBe(0);
    expect(askedForKeyframe(ana)).toBeGreaterThan(asked);
    film(cluster, 0, ana, 102 + catchUpPacketsMax, 3);
    expect(picturesOf(bob)).toEqual([0, 1, 2]);
  });

  it("asks for another keyframe of the layer that it has gone over to, when it has lost that for good", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", SIMULCAST);
    const bob = enter(cluster, 1, "bob", VIEWER);
    const upper = (sequence: number, keyframe: boolean) =>
      send(cluster, 0, ana, vp8Packet({ ssrc: 22, sequence, keyframe, mid: "0", rid: "h", width: 640 }));
    send(cluster, 0, ana, vp8Packet({ ssrc: 11, sequence: 100, keyframe: true, mid: "0", rid: "q", width: 320 }));
    upper(500, true);
    passTogether(cluster, 600);
    cluster.loses = () => true;
    upper(501, true);
    upper(502, false);
    passTogether(cluster, 1_000);
    cluster.loses = () => false;
    const before = askedForKeyframe(ana);
    for (let i = 0; i < 20; i++) {
      upper(503 + i, askedForKeyframe(ana) > before);
      passTogether(cluster, 20);
    }
    expect(askedForKeyframe(ana)).toBe(before + 1);
    expect(picturesOf(bob).length).toBeGreaterThan(1);
  });

  it("does not take what the publisher's own way has lost for a loss of its own", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    enter(cluster, 1, "bob", VIEWER);
    for (const sequence of [1, 2, 5, 6, 9, 10]) {
      send(cluster, 0, ana, vp8Packet({ ssrc: 2000, sequence, keyframe: sequence === 1 }));
    }
    expect([...cluster.worlds[1]!.shard.proxies.values()][0]!.lane.nack!.missing).toBe(0);
  });

  it("has a keyframe asked for, once, when it has lost what nobody keeps any more", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    enter(cluster, 1, "bob", VIEWER);
    film(cluster, 0, ana, 1, 2);
    let [answered, next] = [askedForKeyframe(ana), 3];
    const askedWithin = (millis: number, loses = false) => {
      const before = answered;
      cluster.loses = () => loses;
      for (let passed = 0; passed < millis; passed += 50) {
        send(cluster, 0, ana, vp8Packet({ ssrc: 2000, sequence: next++, keyframe: askedForKeyframe(ana) > answered }));
        answered = askedForKeyframe(ana);
        passTogether(cluster, 50);
      }
      return askedForKeyframe(ana) - before;
    };
    const tooLong = USUAL_TUNABLES.packetCacheAgeMicros / 900;
    expect([askedWithin(tooLong, true), askedWithin(100), askedWithin(5_000)]).toEqual([0, 1, 0]);
  });

  it("asks for a keyframe when it has lost more than can be repaired", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    enter(cluster, 1, "bob", VIEWER);
    film(cluster, 0, ana, 1, 2);
    const before = askedForKeyframe(ana);
    cluster.loses = (packet) => packet < 300;
    for (let i = 3; i < 310; i++) send(cluster, 0, ana, vp8Packet({ ssrc: 2000, sequence: i }));
    passTogether(cluster, 50);
    expect(askedForKeyframe(ana)).toBeGreaterThan(before);
  });
});

describe("who goes", () => {
  it.each([
    ["a viewer", 1],
    ["a publisher", 0],
  ])("leaves nothing of %s on any shard", (_who, first) => {
    const cluster = createShardCluster(3, seededScheduler(first + 5));
    const ana = enter(cluster, 1, "ana", CAMERA);
    const bob = enter(cluster, 2, "bob", VIEWER);
    film(cluster, 1, ana, 1, 5);
    const leavers = [() => leave(cluster, 1, ana), () => leave(cluster, 2, bob)];
    leavers[first]!();
    expect(cluster.worlds[1]!.shard.publications.size).toBe(first === 0 ? 0 : 1);
    expect(cluster.worlds[2]!.shard.proxies.size).toBe(0);
    expect([...cluster.worlds[1]!.shard.publications.values()].flatMap(({ relays }) => relays)).toEqual([]);
    leavers[1 - first]!();
    expectNothingLeft(cluster);
  });

  it("is told apart from who comes back: packets of the former lane find nobody", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    const bob = enter(cluster, 1, "bob", VIEWER);
    film(cluster, 0, ana, 1, 3);
    sendRtp(cluster.worlds[0]!, ana, vp8Packet({ ssrc: 2000, sequence: 4 }));
    command(cluster.worlds[1]!, { type: "leave", room: "room", resource: bob.resource });
    relay(cluster);
    expect(cluster.worlds[1]!.shard.history.counters.relayPacketsStray).toBe(1);
    const eve = enter(cluster, 1, "eve", VIEWER);
    film(cluster, 0, ana, 5, 3);
    expect(picturesOf(eve)).toEqual([0, 1, 2]);
  });

  it("takes the next publication into its slot at once", () => {
    const cluster = createShardCluster(3);
    const ana = enter(cluster, 0, "ana", CAMERA);
    const cleo = enter(cluster, 1, "cleo", CAMERA);
    const bob = enter(cluster, 2, "bob", VIEWER);
    film(cluster, 0, ana, 1, 3);
    leave(cluster, 0, ana);
    film(cluster, 1, cleo, 100, 3);
    expect(picturesOf(bob)).toEqual([0, 1, 2, 0, 1, 2]);
    expect([...cluster.worlds[2]!.shard.proxies.keys()].map(shardOf)).toEqual([1]);
  });
});

describe("a shard that is lost", () => {
  it("takes its participants out of the room, and its pictures off the others' screens", () => {
    const cluster = createShardCluster(3);
    const ana = enter(cluster, 1, "ana", CAMERA);
    const bob = enter(cluster, 2, "bob", VIEWER);
    film(cluster, 1, ana, 1, 3);
    lose(cluster, 1);
    const roster = cluster.worlds[0]!.events.filter((event) => event.type === "roster").at(-1);
    expect(roster?.participants.map(({ name }) => name)).toEqual(["bob"]);
    const far = cluster.worlds[1]!;
    const bindings = far.events.filter((event) => event.type === "bindings").at(-1);
    expect(bindings?.slots.map(({ publication }) => publication)).toEqual([0, 0]);
    expect(far.shard.proxies.size + far.shard.streams.size).toBe(0);
    command(far, { type: "leave", room: "room", resource: bob.resource });
    relay(cluster);
    expectNothingLeft(cluster);
  });

  it("ends the calls of those whose room it held, with a word", () => {
    const cluster = createShardCluster(2);
    enter(cluster, 0, "ana", CAMERA);
    const bob = enter(cluster, 1, "bob", VIEWER);
    lose(cluster, 0);
    const left = cluster.worlds[0]!.events.find((event) => event.type === "left");
    expect(left).toMatchObject({ participant: bob.participant, reason: "shard-lost" });
    expect(bob.dtls.status).toBe("closed");
    expectNothingLeft(cluster);
  });

  it("is relayed to no longer", () => {
    const cluster = createShardCluster(2);
    const ana = enter(cluster, 0, "ana", CAMERA);
    enter(cluster, 1, "bob", VIEWER);
    film(cluster, 0, ana, 1, 3);
    lose(cluster, 1);
    sendRtp(cluster.worlds[0]!, ana, vp8Packet({ ssrc: 2000, sequence: 4 }));
    expect(cluster.worlds[0]!.relayed).toEqual([]);
  });

  it("leaves no proxy behind when it is lost before its publication is asked for", () => {
    const cluster = createShardCluster(3);
    enter(cluster, 1, "ana", CAMERA);
    const [home, lost, far] = cluster.worlds;
    join(far!, { name: "bob", offer: VIEWER, home: 0 });
    const hear = (world: ShardWorld) =>
      shardHandle(world.shard, world.ports, { kind: "shard-lost", now: world.now, shard: 1 });
    // The far shard hears of the loss first, then of the publication, then from the room that it is gone.
    cluster.worlds.splice(cluster.worlds.indexOf(lost!), 1);
    hear(far!);
    relay(cluster);
    expect(far!.shard.proxies.size).toBe(1);
    hear(home!);
    relay(cluster);
    expect(far!.shard.proxies.size).toBe(0);
  });
});

describe("a snapshot in the middle of a relayed call", () => {
  it("goes on as if nothing had been, on both sides", () => {
    const [whole, cut] = [createShardCluster(2), createShardCluster(2)];
    const seen = [whole, cut].map((cluster) => {
      const ana = enter(cluster, 0, "ana", CAMERA);
      const bob = enter(cluster, 1, "bob", VIEWER);
      cluster.loses = (packet) => packet % 5 === 2;
      film(cluster, 0, ana, 1, 10);
      if (cluster === cut) {
        for (const world of cluster.worlds) world.shard = shardRestore(shardSnapshot(world.shard), world.crypto);
      }
      film(cluster, 0, ana, 11, 10);
      passTogether(cluster, 500);
      return bob.datagrams.map((bytes) => [...bytes]);
    });
    expect(seen[1]).toEqual(seen[0]);
  });
});
