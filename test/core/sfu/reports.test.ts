import { describe, expect, it } from "vitest";
import { readU32 } from "../../../core/base/bytes.ts";
import { after, millis } from "../../../core/base/micros.ts";
import type { WallMicros } from "../../../core/index.ts";
import { ntpToWall, wallToNtpHigh, wallToNtpLow } from "../../../core/media/media-clock.ts";
import { reportBlockOffset, writeSenderReport } from "../../../core/wire/rtcp-reports.ts";
import {
  createShardWorld,
  join,
  passMillis,
  type ShardWorld,
  sendRtcp,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { opusPacket, vp8Packet } from "../../support/wire/media.ts";
import { offerOf } from "../../support/wire/offers.ts";

const AUDIO = offerOf([{ kind: "audio", ssrc: 1000 }]);
const LISTEN = offerOf([{ kind: "audio" }]);

/** A sender report of a publisher whose wall clock is `skew` microseconds ahead of the server's. */
function report(world: ShardWorld, client: TestClient, ssrc: number, timestamp: number, skew: number): void {
  const { bootNow, bootWall } = world.shard;
  const wall = (bootWall + (world.now - bootNow) + skew) as WallMicros;
  const bytes = new Uint8Array(28);
  writeSenderReport(bytes, 0, ssrc, wallToNtpHigh(wall), wallToNtpLow(wall), timestamp, 1, 1);
  sendRtcp(world, client, bytes);
}

function senderReports(client: TestClient): Uint8Array[] {
  return client.rtcp.filter((packet) => packet[1] === 200);
}

describe("sender reports to a subscriber", () => {
  it("name the timestamp that belongs to their time within a millisecond, whatever the publisher's clock shows", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: AUDIO });
    const bob = join(world, { name: "bob", offer: LISTEN });
    const start = world.now;
    const timestampNow = () => Math.round(((world.now - start) * 48) / 1000);
    for (let i = 0; i < 300; i++) {
      sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence: i, timestamp: timestampNow() }));
      if (i % 50 === 3) report(world, ana, 1000, timestampNow(), 3_600_000_000);
      passMillis(world, 20);
    }
    const offset = (bob.rtp[0]!.timestamp - 0) >>> 0;
    expect(senderReports(bob).length).toBeGreaterThan(3);
    for (const packet of senderReports(bob).slice(1)) {
      const wall = ntpToWall(readU32(packet, 8), readU32(packet, 12));
      const sinceStart = wall - world.shard.bootWall - (start - world.shard.bootNow);
      const expected = (offset + Math.round((sinceStart * 48) / 1000)) >>> 0;
      expect(Math.abs((readU32(packet, 16) - expected) | 0)).toBeLessThan(48);
    }
  });

  it("count the packets and octets that were sent", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: AUDIO });
    const bob = join(world, { name: "bob", offer: LISTEN });
    for (let i = 0; i < 10; i++) sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence: i }));
    passMillis(world, 1100);
    const packet = senderReports(bob).at(-1)!;
    expect([readU32(packet, 20), readU32(packet, 24)]).toEqual([10, 40]);
  });
});

describe("reports to several", () => {
  it("that were late together come at their own times again", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: AUDIO });
    const viewers = ["bob", "eve"].map((name) => {
      passMillis(world, 70);
      return join(world, { name, offer: LISTEN });
    });
    sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence: 1 }));
    report(world, ana, 1000, 0, 0);
    // The host sleeps, so both reports are due when it wakes.
    world.now = after(world.now, millis(1_500));
    passMillis(world, 0);
    for (const viewer of viewers) viewer.rtcp.length = 0;
    const cameAt = viewers.map(() => 0);
    for (let i = 0; i < 1_000; i++) {
      passMillis(world, 1);
      viewers.forEach((viewer, index) => {
        if (cameAt[index] === 0 && senderReports(viewer).length > 0) cameAt[index] = i;
      });
    }
    expect(cameAt[1]! - cameAt[0]!).toBe(70);
  });
});

describe("receiver reports to a publisher", () => {
  it("tell what was lost on the way", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: offerOf([{ kind: "video", ssrc: 2000, rtxSsrc: 2001 }]) });
    for (const sequence of [10, 11, 12, 13, 15, 16, 17, 19]) {
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence }));
    }
    passMillis(world, 1100);
    const packet = ana.rtcp.findLast((each) => each[1] === 201)!;
    const block = reportBlockOffset(packet, 0, 0);
    expect(readU32(packet, block)).toBe(2000);
    expect(packet[block + 4]).toBe(Math.floor((2 * 256) / 10));
    expect(readU32(packet, block + 4) & 0xffffff).toBe(2);
    expect(readU32(packet, block + 8) & 0xffff).toBe(19);
  });
});

describe("transport-wide feedback", () => {
  it("reaches a publisher several times a second while its media flows, and stops with it", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: offerOf([{ kind: "video", ssrc: 2000, rtxSsrc: 2001 }]) });
    for (let i = 0; i < 100; i++) {
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: i, transportSequence: i }));
      passMillis(world, 10);
    }
    const isFeedback = (packet: Uint8Array) => packet[1] === 205 && (packet[0]! & 31) === 15;
    const first = ana.rtcp.filter(isFeedback);
    expect(first.length).toBeGreaterThanOrEqual(10);
    expect(first.length).toBeLessThanOrEqual(20);
    passMillis(world, 5_000);
    const later = ana.rtcp.filter(isFeedback).length;
    passMillis(world, 5_000);
    expect(ana.rtcp.filter(isFeedback)).toHaveLength(later);
  });
});
