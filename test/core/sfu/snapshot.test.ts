import { describe, expect, it } from "vitest";
import { encodePlain, type Shard, shardRestore, shardSnapshot } from "../../../core/index.ts";
import { writeNack } from "../../../core/wire/rtcp-feedback.ts";
import { generatePlan } from "../../../io-sim/search/generate.ts";
import { run } from "../../../io-sim/world/run.ts";
import type { World } from "../../../io-sim/world/world.ts";
import {
  createShardWorld,
  join,
  passMillis,
  type ShardWorld,
  sendRtcp,
  sendRtp,
} from "../../support/shards/shard-world.ts";
import { opusPacket, vp8Packet } from "../../support/wire/media.ts";
import { offerOf } from "../../support/wire/offers.ts";

/** A call with everything in it; `cut` is asked after each step whether to go through bytes. */
function call(cut: (step: number, world: ShardWorld) => void): Uint8Array[] {
  const world = createShardWorld();
  const offer = (ssrc: number) =>
    offerOf([
      { kind: "audio", ssrc },
      { kind: "video", ssrc: ssrc + 1, rtxSsrc: ssrc + 2 },
      { kind: "audio" },
      { kind: "video" },
    ]);
  const ana = join(world, { name: "ana", offer: offer(1000) });
  cut(0, world);
  const bob = join(world, { name: "bob", offer: offer(2000) });
  for (let i = 1; i < 60; i++) {
    cut(i, world);
    if (i % 7 !== 3) sendRtp(world, ana, vp8Packet({ ssrc: 1001, sequence: 65520 + i, keyframe: i % 20 === 1 }));
    sendRtp(world, bob, opusPacket({ ssrc: 2000, sequence: i, level: i }));
    if (i % 10 === 5) {
      const { ssrc, sequence } = bob.rtp.findLast((packet) => packet.payloadType === 96)!;
      const bytes = new Uint8Array(16);
      writeNack(bytes, 0, 1, ssrc, [sequence]);
      sendRtcp(world, bob, bytes);
    }
    passMillis(world, 33);
  }
  return [...ana.datagrams, ...bob.datagrams];
}

describe("a snapshot", () => {
  it("goes on byte for byte as the run that was never cut, wherever it is cut", () => {
    const whole = call(() => {});
    const cutOften = call((_step, world) => {
      world.shard = shardRestore(shardSnapshot(world.shard), world.crypto);
    });
    expect(cutOften).toEqual(whole);
    expect(whole.length).toBeGreaterThan(100);
  });

  it("has the same bytes after it was restored", () => {
    call((step, world) => {
      if (step !== 30) return;
      const bytes = shardSnapshot(world.shard);
      expect(shardSnapshot(shardRestore(bytes, world.crypto))).toEqual(bytes);
    });
  });

  it("takes nothing for what stands in one place alone that stands in two", () => {
    const judge = (shard: Shard) => {
      const plain = encodePlain({ format: "lockstep-shard-3", shard });
      expect(Buffer.compare(shardSnapshot(shard), plain)).toBe(0);
    };
    call((step, world) => {
      if (step % 10 === 0) judge(world.shard);
    });
    let judged = 0;
    let events = 0;
    // A generated world has something of everything in it; its first part is enough.
    const haltBefore = ({ nodes }: World) => {
      if (events++ % 1_000 !== 0) return false;
      for (const { shard } of nodes) judge(shard);
      judged += nodes.length;
      return events > 25_000;
    };
    run(generatePlan(2, "torture"), 2, { haltBefore });
    expect(judged).toBeGreaterThan(25);
  });

  it("is refused when its bytes are none", () => {
    const world = createShardWorld();
    expect(() => shardRestore(Uint8Array.of(1, 2, 3), world.crypto)).toThrow(/snapshot/);
  });
});
