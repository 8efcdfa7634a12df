/**
 * No nonce has two contents (RFC 7714 §8.4): whoever publishes may not make the server seal other bytes under a sequence
 * number that a subscriber has had, however old, and however it is repeated. Two contents would give away the key that
 * authenticates everything that the server sends to that subscriber.
 */
import { describe, expect, it } from "vitest";
import { readU16, readU32 } from "../../../core/base/bytes.ts";
import { FIRST_COME_FIRST_SERVED, type FirstNumbers } from "../../../core/index.ts";
import { DEMUX, demux } from "../../../core/wire/demux.ts";
import { writeNack } from "../../../core/wire/rtcp-feedback.ts";
import {
  createShardWorld,
  join,
  passMillis,
  type ShardWorld,
  sendRtcp,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { rtpPacket, vp8Packet } from "../../support/wire/media.ts";
import { offerOf, PAYLOAD_TYPE } from "../../support/wire/offers.ts";

const SSRC = 2000;

function pair(firstNumbers?: FirstNumbers) {
  const world = createShardWorld(FIRST_COME_FIRST_SERVED, 0, firstNumbers);
  const ana = join(world, { name: "ana", offer: offerOf([{ kind: "video", ssrc: SSRC, rtxSsrc: SSRC + 1 }]) });
  const bob = join(world, { name: "bob", offer: offerOf([{ kind: "video", withoutRtx: true }]) });
  return { world, ana, bob };
}

/** Says that packet `original` was this one, whatever it really was. */
function lie(world: ShardWorld, client: TestClient, sequence: number, original: number, body: readonly number[]): void {
  const payload = [original >> 8, original & 0xff, 0x10, 0x01, ...body];
  const timestamp = original * 3000;
  sendRtp(
    world,
    client,
    rtpPacket({ payloadType: PAYLOAD_TYPE.VP8 + 1, ssrc: SSRC + 1, sequence, timestamp, payload }),
  );
}

function nack(world: ShardWorld, client: TestClient, sequence: number): void {
  const bytes = new Uint8Array(64);
  sendRtcp(world, client, bytes.slice(0, writeNack(bytes, 0, 1, client.rtp[0]!.ssrc, [sequence])));
}

/** The numbers that came with more than one content. */
function reusedNonces(client: TestClient): string[] {
  const contents = new Map<string, Set<string>>();
  for (const bytes of client.datagrams) {
    if (demux(bytes, 0, bytes.length) !== DEMUX.RTP) continue;
    const key = `${readU32(bytes, 8)}/${readU16(bytes, 2)}`;
    contents.set(key, (contents.get(key) ?? new Set()).add(bytes.join()));
  }
  return [...contents].filter(([, different]) => different.size > 1).map(([key]) => key);
}

describe("a sequence number that a subscriber has had", () => {
  it("is not sent with other bytes when the publisher's RTX lies about an old packet", () => {
    const { world, ana, bob } = pair();
    for (let i = 0; i < 5; i++) sendRtp(world, ana, vp8Packet({ ssrc: SSRC, sequence: 100 + i, keyframe: i === 0 }));
    passMillis(world, 2_500);
    lie(world, ana, 1, 102, [9, 9, 9]);
    expect(reusedNonces(bob)).toEqual([]);
  });

  it("is not sent with other bytes when the packet has left the cache", () => {
    const { world, ana, bob } = pair();
    for (let i = 0; i < 800; i++) sendRtp(world, ana, vp8Packet({ ssrc: SSRC, sequence: 100 + i, keyframe: i === 0 }));
    lie(world, ana, 1, 102, [9, 9, 9]);
    expect(reusedNonces(bob)).toEqual([]);
  });

  it("is not sent with other bytes when a subscriber asks for it after the publisher has lied", () => {
    const { world, ana, bob } = pair();
    for (let i = 0; i < 5; i++) sendRtp(world, ana, vp8Packet({ ssrc: SSRC, sequence: 100 + i, keyframe: i === 0 }));
    const wanted = bob.rtp[2]!.sequence;
    passMillis(world, 2_500);
    lie(world, ana, 1, 102, [9, 9, 9]);
    nack(world, bob, wanted);
    expect(reusedNonces(bob)).toEqual([]);
  });

  it("is not sent with other bytes when the publisher's numbers have gone round", () => {
    const { world, ana, bob } = pair();
    const send = (sequence: number, body: readonly number[]) =>
      sendRtp(world, ana, vp8Packet({ ssrc: SSRC, sequence: sequence & 0xffff, keyframe: true, body }));
    send(150, [1]);
    send(150 + 30_000, [2]);
    send(150 + 60_000, [3]);
    passMillis(world, 2_500);
    send(150 + 65_536, [4]);
    expect(bob.rtp).toHaveLength(4);
    nack(world, bob, bob.rtp[0]!.sequence);
    expect(reusedNonces(bob)).toEqual([]);
  });

  it("is sent again with the bytes that it had", () => {
    const { world, ana, bob } = pair();
    for (let i = 0; i < 5; i++) sendRtp(world, ana, vp8Packet({ ssrc: SSRC, sequence: 100 + i, keyframe: i === 0 }));
    const before = bob.datagrams.length;
    nack(world, bob, bob.rtp[2]!.sequence);
    expect(bob.datagrams).toHaveLength(before + 1);
    expect(reusedNonces(bob)).toEqual([]);
  });
});

describe("a key whose indices are used up", () => {
  const send = (world: ShardWorld, ana: TestClient, sequence: number) =>
    sendRtp(
      world,
      ana,
      vp8Packet({ ssrc: SSRC, sequence: sequence & 0xffff, keyframe: true, body: [sequence & 0xff] }),
    );

  it("seals no more media, new or old", () => {
    const { world, ana, bob } = pair({ timestamp: 7, srtpIndex: 65_500, srtcpIndex: 0, feedbackCount: 0 });
    send(world, ana, 65_500);
    const toEnd = 2 ** 48 - 2 ** 16;
    const slot = [...world.shard.slots.values()].find(({ media }) => media.slotSsrc === bob.rtp[0]!.ssrc)!;
    slot.sendStream.highest += toEnd;
    bob.srtp!.rtpStreams.windows[0]!.highest += toEnd;
    for (let sequence = 65_501; sequence < 65_600; sequence++) send(world, ana, sequence);
    expect(bob.rtp.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 36 }, (_, index) => 65_500 + index));
    const before = bob.datagrams.length;
    nack(world, bob, 65_530);
    expect(bob.datagrams).toHaveLength(before);
    expect(reusedNonces(bob)).toEqual([]);
  });

  it("seals no more reports, and everything else goes on", () => {
    const { world, ana, bob } = pair({ timestamp: 7, srtpIndex: 65_500, srtcpIndex: 2 ** 31 - 2, feedbackCount: 0 });
    for (let sequence = 65_500; sequence < 65_600; sequence++) {
      send(world, ana, sequence);
      passMillis(world, 100);
    }
    expect([bob.rtcp.length, bob.rtp.length]).toEqual([2, 100]);
    const sealed = bob.datagrams.filter((bytes) => demux(bytes, 0, bytes.length) === DEMUX.RTCP);
    expect(sealed.map((bytes) => readU32(bytes, bytes.length - 4))).toEqual([0xffff_fffe, 0xffff_ffff]);
  });
});

describe("first numbers", () => {
  it("are where timestamps, sequence numbers, packet indices and SRTCP indices begin", () => {
    const first = {
      timestamp: 2 ** 32 - 1,
      srtpIndex: 2 ** 48 - 2 ** 16 - 3,
      srtcpIndex: 2 ** 31 - 9,
      feedbackCount: 254,
    };
    const { world, ana, bob } = pair(first);
    for (let i = 0; i < 6; i++) sendRtp(world, ana, vp8Packet({ ssrc: SSRC, sequence: 65_533 + i, keyframe: i === 0 }));
    expect(bob.rtp.map(({ sequence }) => sequence)).toEqual([65_533, 65_534, 65_535, 0, 1, 2]);
    expect(bob.rtp[0]!.timestamp).toBe(2 ** 32 - 1);
    expect(bob.srtp!.rtpStreams.windows[0]!.highest).toBe(2 ** 48 - 2 ** 16 + 2);
    expect(bob.srtp!.rtcpStreams.windows.map(({ highest }) => highest >= first.srtcpIndex)).not.toContain(false);
  });

  it("are refused when they do not fit", () => {
    const first = { timestamp: 0, srtpIndex: 0, srtcpIndex: 0, feedbackCount: 0 };
    const wrongs = [{ timestamp: 2 ** 32 }, { srtpIndex: 2 ** 48 }, { srtcpIndex: 2 ** 31 }, { feedbackCount: 256 }];
    for (const wrong of [...wrongs, { timestamp: 0.5 }]) {
      expect(() => pair({ ...first, ...wrong })).toThrow("32, 48, 31 and 8 bits");
    }
  });
});
