import { describe, expect, it } from "vitest";
import { VIDEO_PARTS } from "../../../core/index.ts";
import { isPli, writePli } from "../../../core/wire/rtcp-feedback.ts";
import {
  command,
  createShardWorld,
  join,
  passMillis,
  type ShardWorld,
  sendRtcp,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { opusPacket, vp8Packet } from "../../support/wire/media.ts";
import { offerOf, PAYLOAD_TYPE, PUBLISH } from "../../support/wire/offers.ts";

const SUBSCRIBE = offerOf([{ kind: "audio" }, { kind: "video" }]);

/** A publisher and so many viewers, and the means to send a picture and a sound. */
function createSubject(viewers: number) {
  const world = createShardWorld();
  const ana = join(world, { name: "ana", offer: PUBLISH });
  const all = Array.from({ length: viewers }, (_, index) => join(world, { name: `v${index}`, offer: SUBSCRIBE }));
  let sequence = 100;
  const send = (keyframe: boolean) => {
    const before = all.map(({ rtp }) => rtp.length);
    sequence += 1;
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence, keyframe }));
    const video = all.map(({ rtp }, index) => rtp.length > before[index]!);
    sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence }));
    const sound = all.map(({ rtp }, index) => rtp.length > before[index]! + (video[index] ? 1 : 0));
    return { video, sound };
  };
  const leaveOut = (parts: number) => command(world, { type: "leave-out-video", parts });
  return { world, ana, all, send, leaveOut };
}

/** Of each slot, in order, whether it was last said to be paused. */
function pausedOf(world: ShardWorld, client: TestClient): boolean[] {
  const told = world.events.findLast((each) => each.type === "bindings" && each.participant === client.participant);
  return told?.type === "bindings" ? told.slots.map(({ paused }) => paused) : [];
}

const count = (flags: readonly boolean[]) => flags.filter(Boolean).length;

describe("video that is left out", () => {
  it("is nobody's at first, more viewers' with each part, and in the end everybody's; sound goes on", () => {
    const { send, leaveOut } = createSubject(40);
    send(true);
    let before = count(send(false).video);
    expect(before).toBe(40);
    for (let parts = 1; parts <= VIDEO_PARTS; parts++) {
      leaveOut(parts);
      const { video, sound } = send(false);
      expect(count(sound)).toBe(40);
      expect(count(video)).toBeLessThan(before);
      before = count(video);
    }
    expect(before).toBe(0);
  });

  it("stays the same viewers' until more or less is left out", () => {
    const { send, leaveOut } = createSubject(24);
    send(true);
    leaveOut(3);
    const first = send(false).video;
    expect(send(true).video).toEqual(first);
    leaveOut(3);
    expect(send(false).video).toEqual(first);
  });

  it("comes back at a keyframe, which is asked for, with numbers that go on", () => {
    const { world, ana, all, send, leaveOut } = createSubject(1);
    send(true);
    send(false);
    leaveOut(VIDEO_PARTS);
    send(false);
    const requests = (client: TestClient) => client.rtcp.filter((packet) => packet[1] === 206).length;
    const asked = requests(ana);
    leaveOut(0);
    expect(send(false).video).toEqual([false]);
    expect(send(true).video).toEqual([true]);
    expect(requests(ana)).toBeGreaterThanOrEqual(asked);
    const numbers = all[0]!.rtp.filter(({ payloadType }) => payloadType === all[0]!.rtp[0]!.payloadType);
    for (let i = 1; i < numbers.length; i++) expect(numbers[i]!.sequence).toBe((numbers[i - 1]!.sequence + 1) & 0xffff);
    expect(world.shard.history.counters.rtpLeftOut).toBeGreaterThan(0);
  });

  it("is asked for by nobody, not even by those who miss what had got lost before, until it comes back", () => {
    const { world, ana, all, send, leaveOut } = createSubject(1);
    const requests = () => ana.rtcp.filter((packet) => isPli(packet, 0)).length;
    const bob = all[0]!;
    send(true);
    const picture = bob.rtp.find(({ payloadType }) => payloadType === PAYLOAD_TYPE.VP8)!;
    passMillis(world, 3_000);
    const bytes = new Uint8Array(64);
    const pli = () => bytes.slice(0, writePli(bytes, 0, 1, picture.ssrc));
    sendRtcp(world, bob, pli());
    const before = requests();
    leaveOut(VIDEO_PARTS);
    for (let i = 0; i < 100; i++) {
      if (i % 10 === 5) sendRtcp(world, bob, pli());
      send(i % 10 === 6);
      passMillis(world, 50);
    }
    expect(requests()).toBe(before);
    leaveOut(0);
    expect(requests()).toBe(before + 1);
  });

  it("is left out of slots that are filled meanwhile, and they are said to be paused", () => {
    const { world, send, leaveOut } = createSubject(0);
    leaveOut(VIDEO_PARTS);
    const bob = join(world, { name: "bob", offer: SUBSCRIBE });
    send(true);
    expect(bob.rtp).toHaveLength(1);
    expect(pausedOf(world, bob)).toEqual([false, true]);
  });

  it("is said to be paused, to everybody who does not get it and to nobody else, and once", () => {
    const { world, all, send, leaveOut } = createSubject(24);
    send(true);
    for (const parts of [3, 6, 1, 0]) {
      const before = world.events.length;
      const paused = all.map((client) => pausedOf(world, client)[1]);
      leaveOut(parts);
      send(true);
      const now = all.map((client) => pausedOf(world, client));
      expect(now).toEqual(send(false).video.map((comes) => [false, !comes]));
      const told = world.events.slice(before).filter(({ type }) => type === "bindings").length;
      expect(told).toBe(count(now.map(([, isPaused], index) => isPaused !== paused[index])));
      leaveOut(parts);
      expect(world.events).toHaveLength(before + told);
    }
  });
});
