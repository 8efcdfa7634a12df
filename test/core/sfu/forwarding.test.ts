import { describe, expect, it } from "vitest";
import { writeNack, writePli } from "../../../core/wire/rtcp-feedback.ts";
import { vp8PictureId, vp8Tl0PicIdx } from "../../../core/wire/vp8.ts";
import {
  command,
  createShardWorld,
  join,
  passMillis,
  type ReceivedRtp,
  type ShardWorld,
  sendRtcp,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { opusPacket, rtpPacket, vp8Packet } from "../../support/wire/media.ts";
import { EXTENSION_ID, offerOf, PAYLOAD_TYPE } from "../../support/wire/offers.ts";

const SUBSCRIBE = offerOf([{ kind: "audio" }, { kind: "video" }, { kind: "video" }]);
const SIMULCAST = offerOf([{ kind: "video", rids: ["q", "h", "f"] }]);

function video(ssrc: number, rtxSsrc = ssrc + 1): string {
  return offerOf([{ kind: "video", ssrc, rtxSsrc }]);
}

function nack(world: ShardWorld, client: TestClient, ssrc: number, sequences: number[]): void {
  const bytes = new Uint8Array(200);
  sendRtcp(world, client, bytes.slice(0, writeNack(bytes, 0, 1, ssrc, sequences)));
}

function rtcpOfType(client: TestClient, type: number, format: number): Uint8Array[] {
  return client.rtcp.filter((packet) => packet[1] === type && (packet[0]! & 31) === format);
}

function mediaOf(client: TestClient): ReceivedRtp[] {
  return client.rtp.filter((packet) => packet.payloadType === PAYLOAD_TYPE.VP8);
}

describe("retransmission", () => {
  function lossyPair() {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: video(2000) });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    for (let i = 0; i < 5; i++) {
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 65533 + i, keyframe: i === 0, body: [i, i, i] }));
    }
    return { world, ana, bob };
  }

  it("repeats a packet that a subscriber misses as RTX, with its number in front", () => {
    const { world, bob } = lossyPair();
    const missed = bob.rtp[3]!;
    nack(world, bob, missed.ssrc, [missed.sequence]);
    const repeated = bob.rtp.at(-1)!;
    expect(bob.rtp).toHaveLength(6);
    expect(repeated.payloadType).toBe(PAYLOAD_TYPE.VP8 + 1);
    expect(repeated.ssrc).not.toBe(missed.ssrc);
    expect(repeated.timestamp).toBe(missed.timestamp);
    expect([...repeated.payload]).toEqual([missed.sequence >> 8, missed.sequence & 255, ...missed.payload]);
  });

  it("repeats the identical packet where RTX was not negotiated", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: video(2000) });
    const bob = join(world, { name: "bob", offer: offerOf([{ kind: "video", withoutRtx: true }]) });
    for (let i = 0; i < 3; i++) sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10 + i, keyframe: i === 0 }));
    const sealed = bob.datagrams.at(-2)!;
    nack(world, bob, bob.rtp[1]!.ssrc, [bob.rtp[1]!.sequence]);
    expect(bob.datagrams.at(-1)).toEqual(sealed);
  });

  it("repeats a packet with the picture id that the subscriber saw, as often as it is asked for", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: video(2000) });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10, keyframe: true, pictureId: 1, tl0: 1 }));
    // So far ahead that it begins anew: its picture id of 500 goes out as 2.
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10_000, keyframe: true, pictureId: 500, tl0: 90 }));
    const { ssrc, sequence, payload } = bob.rtp.at(-1)!;
    expect(vp8PictureId(payload, 0)).toBe(2);
    for (let i = 0; i < 3; i++) {
      nack(world, bob, ssrc, [sequence]);
      expect([...bob.rtp.at(-1)!.payload.slice(2)]).toEqual([...payload]);
    }
    expect(bob.rtp).toHaveLength(5);
  });

  it("repeats nothing that was never sent", () => {
    const { world, bob } = lossyPair();
    const { ssrc, sequence } = bob.rtp[0]!;
    nack(world, bob, ssrc, [(sequence - 1) & 0xffff, (sequence + 5) & 0xffff]);
    expect(bob.rtp).toHaveLength(5);
    expect(world.shard.history.counters.retransmitsRefused).toBe(2);
  });

  it("repeats nothing for the SSRC of the retransmissions, whose numbers are no media's", () => {
    const { world, bob } = lossyPair();
    const { ssrc, sequence } = bob.rtp[3]!;
    nack(world, bob, ssrc, [sequence]);
    const rtx = bob.rtp.at(-1)!;
    nack(world, bob, rtx.ssrc, [rtx.sequence, sequence]);
    expect(bob.rtp).toHaveLength(6);
  });

  it("repeats no more than the budget allows, however often it is asked", () => {
    const { world, bob } = lossyPair();
    const all = bob.rtp.map((packet) => packet.sequence);
    for (let i = 0; i < 200; i++) nack(world, bob, bob.rtp[0]!.ssrc, all);
    expect(world.shard.history.counters.rtpRetransmitted).toBeLessThanOrEqual(500);
    expect(world.shard.history.counters.retransmitsRefused).toBeGreaterThanOrEqual(500);
  });

  it("asks the publisher for what is missing, and forwards what RTX brings back under its own number", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: video(2000) });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    for (const sequence of [10, 11, 13, 14, 15, 16]) {
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence, keyframe: sequence === 10, body: [sequence] }));
    }
    passMillis(world, 60);
    const asked = rtcpOfType(ana, 205, 1);
    expect(asked.length).toBeGreaterThanOrEqual(1);
    expect([...asked[0]!.slice(12, 14)]).toEqual([0, 12]);
    const lost = vp8Packet({ ssrc: 2000, sequence: 12, body: [12] });
    const payload = [0, 12, ...lost.slice(12)];
    sendRtp(
      world,
      ana,
      rtpPacket({ payloadType: PAYLOAD_TYPE.VP8 + 1, ssrc: 2001, sequence: 900, timestamp: 36000, payload }),
    );
    const first = bob.rtp[0]!.sequence;
    expect(bob.rtp.at(-1)!.sequence).toBe((first + 2) & 0xffff);
    expect(bob.rtp.at(-1)!.payload.at(-1)).toBe(12);
  });
});

describe("a keyframe that is lost on the way to the server", () => {
  it("begins the picture when RTX brings it back, and what came meanwhile goes on behind it", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: video(2000) });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 9, body: [9] }));
    for (let i = 11; i < 16; i++) sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: i, body: [i] }));
    expect(bob.rtp).toHaveLength(0);
    const lost = vp8Packet({ ssrc: 2000, sequence: 10, keyframe: true, body: [10] });
    const payload = [0, 10, ...lost.slice(12)];
    const payloadType = PAYLOAD_TYPE.VP8 + 1;
    sendRtp(world, ana, rtpPacket({ payloadType, ssrc: 2001, sequence: 900, timestamp: 30000, payload }));
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 16, body: [16] }));
    expect(bob.rtp.map((packet) => packet.payload.at(-1))).toEqual([10, 11, 12, 13, 14, 15, 16]);
    const first = bob.rtp[0]!;
    expect(bob.rtp.map((packet) => (packet.sequence - first.sequence) & 0xffff)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(bob.rtp.map((packet) => (packet.timestamp - first.timestamp) / 3000)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

describe("keyframe requests", () => {
  it("go to the publisher once for many subscribers that ask at the same time", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: video(2000) });
    const viewers = ["bob", "cat", "dan"].map((name) => join(world, { name, offer: SUBSCRIBE }));
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10, keyframe: true }));
    passMillis(world, 2000);
    ana.rtcp.length = 0;
    for (const viewer of viewers) {
      const bytes = new Uint8Array(12);
      writePli(bytes, 0, 1, viewer.rtp[0]!.ssrc);
      sendRtcp(world, viewer, bytes);
    }
    expect(rtcpOfType(ana, 206, 1)).toHaveLength(1);
  });

  it("are repeated until a keyframe arrives", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: video(2000) });
    join(world, { name: "bob", offer: SUBSCRIBE });
    for (let i = 0; i < 60; i++) {
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10 + i }));
      passMillis(world, 50);
    }
    const before = rtcpOfType(ana, 206, 1).length;
    expect(before).toBeGreaterThan(2);
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 70, keyframe: true }));
    for (let i = 0; i < 60; i++) {
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 71 + i }));
      passMillis(world, 50);
    }
    expect(rtcpOfType(ana, 206, 1)).toHaveLength(before);
  });

  it.each(["forward/route-skipped", "forward/not-begun"])(
    "go on while a subscriber has not begun with the keyframe that came, by %s",
    (failing) => {
      const failures = { left: 1 };
      const faults = { fires: (site: string) => site === failing && failures.left-- > 0 };
      const plain = createShardWorld();
      const world = { ...plain, ports: { ...plain.ports, faults } };
      const ana = join(world, { name: "ana", offer: video(2000) });
      const bob = join(world, { name: "bob", offer: SUBSCRIBE });
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10, keyframe: true }));
      ana.rtcp.length = 0;
      for (let i = 1; i < 40; i++) {
        sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10 + i }));
        passMillis(world, 50);
      }
      expect(bob.rtp).toEqual([]);
      expect(rtcpOfType(ana, 206, 1).length).toBeGreaterThan(1);
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 50, keyframe: true }));
      expect(bob.rtp).toHaveLength(1);
    },
  );
});

describe("simulcast", () => {
  const SSRC = { q: 100, h: 200, f: 300 } as const;
  const WIDTH = { q: 320, h: 640, f: 1280 } as const;

  function layer(rid: "q" | "h" | "f", sequence: number, keyframe: boolean) {
    const width = WIDTH[rid];
    return vp8Packet({
      ssrc: SSRC[rid],
      sequence,
      keyframe,
      width,
      height: (width * 9) / 16,
      mid: "0",
      rid,
      pictureId: sequence & 0x7fff,
      tl0: sequence & 0xff,
      body: [SSRC[rid] / 100],
    });
  }

  it("goes over to a better layer at its keyframe, without a gap in any number", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: SIMULCAST });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    for (let i = 0; i < 30; i++) {
      sendRtp(world, ana, layer("q", 1000 + i, i === 0));
      if (i >= 10) sendRtp(world, ana, layer("f", 5000 + i, i === 10 || i === 20));
      passMillis(world, 33);
    }
    const shown = bob.rtp.map((packet) => packet.payload.at(-1));
    expect(shown).toEqual([...Array(21).fill(1), ...Array(10).fill(3)]);
    for (const [index, packet] of bob.rtp.entries()) {
      const former = bob.rtp[index - 1];
      if (former === undefined) continue;
      expect(packet.sequence).toBe((former.sequence + 1) & 0xffff);
      expect((packet.timestamp - former.timestamp) >>> 0).toBeLessThan(10_000);
      expect(vp8PictureId(packet.payload, 0)).toBe((vp8PictureId(former.payload, 0) + 1) & 0x7fff);
      expect(vp8Tl0PicIdx(packet.payload, 0)).toBe((vp8Tl0PicIdx(former.payload, 0) + 1) & 0xff);
    }
  });

  it("falls back to another layer when the best one stops", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: SIMULCAST });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    for (let i = 0; i < 100; i++) {
      const asked = rtcpOfType(ana, 206, 1).some((packet) => packet[11] === SSRC.q);
      sendRtp(world, ana, layer("q", 1000 + i, i === 0 || (asked && i % 10 === 0)));
      if (i < 30) sendRtp(world, ana, layer("f", 5000 + i, i === 0 || i === 5));
      passMillis(world, 33);
    }
    expect(bob.rtp.at(-1)!.payload.at(-1)).toBe(1);
    expect(bob.rtp.some((packet) => packet.payload.at(-1) === 3)).toBe(true);
  });

  it("goes back to a layer at a new keyframe, and at no lost one from before what it has sent of it", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: SIMULCAST });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    const wanted = () => rtcpOfType(ana, 206, 1).some((packet) => packet[11] === SSRC.q);
    for (let i = 0; i < 80; i++) {
      sendRtp(world, ana, layer("q", 1000 + i, i === 0 || (i > 30 && wanted())));
      // The upper layer stops for a while, and one of its keyframes is late.
      if (i < 30 && i !== 25) sendRtp(world, ana, layer("f", 5000 + i, i % 10 === 0));
      if (i >= 70) sendRtp(world, ana, layer("f", 4960 + i, false));
      passMillis(world, 33);
    }
    const shown = bob.rtp.map((packet) => packet.payload.at(-1));
    expect([shown.filter((body) => body === 3).length, shown.at(-1)]).toEqual([19, 1]);
    ana.rtcp.length = 0;
    sendRtp(world, ana, layer("f", 5025, true));
    expect(bob.rtp).toHaveLength(shown.length);
    passMillis(world, 2_000);
    expect(rtcpOfType(ana, 206, 1).some((packet) => packet[10] === SSRC.f >> 8)).toBe(true);
    sendRtp(world, ana, layer("f", 5040, true));
    expect(bob.rtp.at(-1)!.payload.at(-1)).toBe(3);
    expect(bob.rtp).toHaveLength(shown.length + 1);
  });

  it("takes no layer that was not offered", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: SIMULCAST });
    join(world, { name: "bob", offer: SUBSCRIBE });
    sendRtp(world, ana, vp8Packet({ ssrc: 9, sequence: 1, keyframe: true, mid: "0", rid: "x" }));
    expect(world.shard.history.counters.rtpUnroutable).toBe(1);
    expect(world.shard.streams.size).toBe(0);
  });
});

describe("what a subscriber gets", () => {
  it("has the subscriber's own header extensions: its mid, and the level of a voice", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: offerOf([{ kind: "audio", ssrc: 1000 }]) });
    const bob = join(world, { name: "bob", offer: offerOf([{ kind: "video" }, { kind: "audio" }]) });
    sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence: 1, level: 33, mid: "0" }));
    const block = [...bob.rtp[0]!.bytes.slice(16, 24)];
    expect(block.slice(0, 4)).toEqual([EXTENSION_ID.mid << 4, "1".charCodeAt(0), EXTENSION_ID.level << 4, 0x80 | 33]);
  });

  it("is no packet of padding alone, and no gap where one was", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: video(2000) });
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10, keyframe: true }));
    const padding = rtpPacket({
      payloadType: PAYLOAD_TYPE.VP8,
      ssrc: 2000,
      sequence: 11,
      timestamp: 30000,
      payload: [0, 0, 3],
    });
    padding[0]! |= 0x20;
    sendRtp(world, ana, padding);
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 12 }));
    expect(bob.rtp.map((packet) => (packet.sequence - bob.rtp[0]!.sequence) & 0xffff)).toEqual([0, 1]);
  });

  it("is nothing of a codec that it did not offer", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: video(2000) });
    const bob = join(world, { name: "bob", offer: offerOf([{ kind: "video", codecs: ["H264"] }]) });
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10, keyframe: true }));
    expect(bob.rtp).toHaveLength(0);
    expect(world.shard.history.counters.rtpCodecMismatch).toBe(1);
  });

  it("fills the slots in order of arrival, and a slot that falls empty with who has waited longest", () => {
    const world = createShardWorld();
    const publishers = ["ana", "ben", "cem"].map((name, index) =>
      join(world, { name, offer: video(2000 + 10 * index) }),
    );
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    const bindings = () => {
      const event = world.events.findLast((each) => each.type === "bindings" && each.participant === bob.participant);
      return event?.type === "bindings" ? event.slots.filter((s) => s.kind === "video").map((s) => s.participant) : [];
    };
    expect(bindings()).toEqual([publishers[0]!.participant, publishers[1]!.participant]);
    const gone = publishers[0]!;
    passMillis(world, 1);
    leave(world, gone);
    expect(bindings()).toEqual([publishers[2]!.participant, publishers[1]!.participant]);
    for (const [index, publisher] of publishers.entries()) {
      if (publisher === gone) continue;
      const ssrc = 2000 + 10 * index;
      sendRtp(world, publisher, vp8Packet({ ssrc, sequence: 10, keyframe: true, body: [index] }));
    }
    expect(mediaOf(bob).map((packet) => packet.payload.at(-1))).toEqual([1, 2]);
  });
});

function leave(world: ShardWorld, client: TestClient): void {
  command(world, { type: "leave", room: client.room, resource: client.resource });
}
