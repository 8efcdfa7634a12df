/** Where a subscriber's picture may begin, or go over to another stream, when packets are lost at just that place. */
import { describe, expect, it } from "vitest";
import {
  createShardWorld,
  join,
  passMillis,
  type ShardWorld,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { rtpPacket } from "../../support/wire/media.ts";
import { offerOf, PAYLOAD_TYPE } from "../../support/wire/offers.ts";

const { H264 } = PAYLOAD_TYPE;
const SSRC = 2000;
const RTX_SSRC = 2001;

/** SPS and PPS in one packet, the slices of an IDR picture behind them, then a slice of the next picture. */
const PARAMETERS = [0x78, 0, 8, 0x67, 0x42, 0xe0, 0x1f, 0x96, 0x54, 0x05, 0x01, 0, 2, 0x68, 0xce];
const IDR_FIRST = [0x7c, 0x85, 0x88, 0x84, 1];
const IDR_SECOND = [0x65, 0x04, 0x22, 2];
const NEXT = [0x61, 0xe0, 3];

function h264Call(): { world: ShardWorld; ana: TestClient; bob: TestClient } {
  const world = createShardWorld();
  const video = { kind: "video", codecs: ["H264"] } as const;
  const ana = join(world, { name: "ana", offer: offerOf([{ ...video, ssrc: SSRC, rtxSsrc: RTX_SSRC }]) });
  const bob = join(world, { name: "bob", offer: offerOf([video]) });
  return { world, ana, bob };
}

function send(world: ShardWorld, ana: TestClient, sequence: number, timestamp: number, payload: readonly number[]) {
  sendRtp(world, ana, rtpPacket({ payloadType: H264, ssrc: SSRC, sequence, timestamp, payload }));
}

function askedForKeyframe(client: TestClient): number {
  return client.rtcp.filter((packet) => packet[1] === 206 && (packet[0]! & 31) === 1).length;
}

describe("a picture in H.264", () => {
  it("begins with its parameter sets: not in the middle of a keyframe whose first packet was lost", () => {
    const { world, ana, bob } = h264Call();
    send(world, ana, 11, 3_000, IDR_FIRST);
    send(world, ana, 12, 3_000, IDR_SECOND);
    send(world, ana, 13, 6_000, NEXT);
    expect(bob.rtp).toEqual([]);
  });

  it("begins when RTX brings the parameter sets back, and the rest of the keyframe follows", () => {
    const { world, ana, bob } = h264Call();
    send(world, ana, 11, 3_000, IDR_FIRST);
    send(world, ana, 12, 3_000, IDR_SECOND);
    const payload = [0, 10, ...PARAMETERS];
    const rtx = { payloadType: H264 + 1, ssrc: RTX_SSRC, sequence: 900, timestamp: 3_000, payload };
    sendRtp(world, ana, rtpPacket(rtx));
    send(world, ana, 13, 6_000, NEXT);
    expect(bob.rtp.map((packet) => [...packet.payload])).toEqual([PARAMETERS, IDR_FIRST, IDR_SECOND, NEXT]);
  });

  it.each([
    ["begins", 0],
    ["waits for another keyframe", 1],
  ])("%s when as much has come behind its parameter sets as may follow them, and %i more", (_what, more) => {
    const { world, ana, bob } = h264Call();
    const behind = world.shard.tunables.catchUpPacketsMax + more;
    send(world, ana, 11, 3_000, IDR_FIRST);
    for (let i = 2; i <= behind; i++) send(world, ana, 10 + i, 3_000 * i, NEXT);
    const asked = askedForKeyframe(ana);
    send(world, ana, 10, 3_000, PARAMETERS);
    passMillis(world, 1_000);
    expect(bob.rtp).toHaveLength(more === 0 ? behind + 1 : 0);
    expect(askedForKeyframe(ana) > asked).toBe(more > 0);
    send(world, ana, 11 + behind, 3_000 * (behind + 1), PARAMETERS);
    expect([...bob.rtp.at(-1)!.payload]).toEqual(PARAMETERS);
  });
});
