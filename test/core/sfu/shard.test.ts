import { describe, expect, it } from "vitest";
import { emptyShardResidue, shardHandle, shardResidue } from "../../../core/index.ts";
import {
  command,
  createShardWorld,
  datagram,
  join,
  passMillis,
  sayGoodbye,
  sendData,
  sendRtp,
} from "../../support/shards/shard-world.ts";
import { opusPacket, vp8Packet } from "../../support/wire/media.ts";
import { offerOf, PUBLISH, PUBLISH_LINES } from "../../support/wire/offers.ts";

const SUBSCRIBE = offerOf([{ kind: "audio" }, { kind: "video" }, { kind: "video" }]);
const BOTH = offerOf([...PUBLISH_LINES, { kind: "audio" }, { kind: "video" }]);

describe("a shard", () => {
  it("forwards a publisher's picture to a subscriber, from the keyframe on", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: PUBLISH });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10 }));
    expect(bob.rtp).toHaveLength(0);
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 11, keyframe: true }));
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 12 }));
    expect(bob.rtp).toHaveLength(2);
    expect(bob.rtp[1]!.sequence).toBe((bob.rtp[0]!.sequence + 1) & 0xffff);
    expect(bob.rtp[1]!.timestamp).toBe((bob.rtp[0]!.timestamp + 3000) >>> 0);
  });

  it("never sends a packet back to its publisher", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: BOTH });
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 11, keyframe: true }));
    sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence: 1, level: 20 }));
    expect(ana.rtp).toHaveLength(0);
  });

  it("lets nothing cross from one room to another", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", room: "one", offer: PUBLISH });
    const bob = join(world, { name: "bob", room: "two", offer: SUBSCRIBE });
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 11, keyframe: true }));
    sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence: 1, level: 20 }));
    expect(bob.rtp).toHaveLength(0);
  });

  it("asks the publisher for a keyframe when a subscriber begins to watch", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: PUBLISH });
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10, keyframe: true }));
    passMillis(world, 1000);
    ana.rtcp.length = 0;
    join(world, { name: "bob", offer: SUBSCRIBE });
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 11 }));
    const pli = ana.rtcp.filter((packet) => packet[1] === 206 && (packet[0]! & 31) === 1);
    expect(pli).toHaveLength(1);
  });

  it("leaves nothing behind when everybody has gone, each in a way of his own", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: BOTH });
    const bob = join(world, { name: "bob", offer: BOTH.replaceAll("2000", "3000").replaceAll("2001", "3001") });
    const eve = join(world, { name: "eve", offer: SUBSCRIBE });
    join(world, { name: "late", offer: SUBSCRIBE, connect: false });
    for (let i = 0; i < 20; i++) {
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 100 + i, keyframe: i === 0 }));
      sendRtp(world, bob, vp8Packet({ ssrc: 3000, sequence: 500 + i, keyframe: i === 0 }));
      passMillis(world, 33);
    }
    expect(eve.rtp.length).toBeGreaterThan(30);
    expect(shardResidue(world.shard)).not.toEqual(emptyShardResidue());
    command(world, { type: "leave", room: "room", resource: ana.resource });
    sayGoodbye(world, bob);
    passMillis(world, 40_000);
    expect(world.events.filter((event) => event.type === "left").map((event) => event.reason)).toEqual([
      "left",
      "closed-by-peer",
      "connect-timeout",
      "consent-expired",
    ]);
    expect(shardResidue(world.shard)).toEqual(emptyShardResidue());
  });

  it("releases a flow that means nothing to it at once, and answers nothing", () => {
    const world = createShardWorld();
    datagram(world, 5, Uint8Array.of(0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1));
    datagram(world, 6, Uint8Array.of(0x16, 0xfe, 0xff, 0, 0));
    datagram(world, 7, Uint8Array.of(0, 1, 0, 0));
    expect(world.released).toEqual([5, 6, 7]);
    expect(world.shard.flows.size).toBe(0);
  });

  it("keeps nothing of application data, which nobody has negotiated", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: PUBLISH });
    const { dtls } = world.shard.participants.get(ana.participant)!.peer;
    for (let i = 0; i < 100; i++) sendData(world, ana, new Uint8Array(1_000));
    expect([dtls.received.length, dtls.droppedRecords]).toEqual([0, 0]);
  });

  it("refuses joins while it drains, after closing every session", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: PUBLISH });
    expect(command(world, { type: "drain" })).toMatchObject({ type: "drained", sessions: 1 });
    expect(ana.dtls.status).toBe("closed");
    expect(command(world, { type: "join", room: "room", name: "bob", offer: SUBSCRIBE })).toMatchObject({
      type: "refused",
      code: "draining",
    });
  });

  it("waits for nothing when it is empty", () => {
    const world = createShardWorld();
    shardHandle(world.shard, world.ports, { kind: "timer", now: world.now });
    expect(world.events).toEqual([]);
  });
});
