/**
 * No nonce has two contents (RFC 7714 §8.4): whoever publishes may not make the server seal other bytes under a sequence
 * number that a subscriber has had, however old, and however it is repeated. Two contents would give away the key that
 * authenticates everything that the server sends to that subscriber.
 */
import { describe, expect, it } from "vitest";
import { readU16, readU32 } from "../../../core/base/bytes.ts";
import { DEMUX, demux } from "../../../core/wire/demux.ts";
import { writeNack } from "../../../core/wire/rtcp-feedback.ts";
import { rtpPacket, vp8Packet } from "../../support/media.ts";
import { offerOf, PAYLOAD_TYPE } from "../../support/offers.ts";
import {
  createShardWorld,
  join,
  passMillis,
  type ShardWorld,
  sendRtcp,
  sendRtp,
  type TestClient,
} from "../../support/shard-world.ts";

const SSRC = 2000;

function pair() {
  const world = createShardWorld();
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
