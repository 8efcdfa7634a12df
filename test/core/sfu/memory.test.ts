import { describe, expect, it } from "vitest";
import { shardSnapshot } from "../../../core/index.ts";
import { createShardWorld, join } from "../../support/shards/shard-world.ts";
import { offerOf, PUBLISH_LINES } from "../../support/wire/offers.ts";

/** A meeting of ten: nine to see and nine to hear, and a camera and a microphone of one's own. */
const MEETING = offerOf([
  ...PUBLISH_LINES,
  ...Array.from({ length: 9 }, () => ({ kind: "audio" }) as const),
  ...Array.from({ length: 9 }, () => ({ kind: "video" }) as const),
]);

/** One who watches a single picture. */
const VIEWER = offerOf([{ kind: "video" }]);

/** Bytes of the shard's state for each participant with such an offer, in a room of his own. */
function bytesOf(offer: string): number {
  const world = createShardWorld();
  join(world, { name: "first", room: "first", offer });
  const before = shardSnapshot(world.shard).length;
  for (let i = 0; i < 4; i++) join(world, { name: `p${i}`, room: `room-${i}`, offer });
  // Nearly all of it is typed arrays, and those are as long in a snapshot as they are in memory.
  return (shardSnapshot(world.shard).length - before) / 4;
}

describe("a participant of a meeting", () => {
  it("takes less than 64 KiB while nothing flows", () => {
    expect(bytesOf(MEETING)).toBeLessThan(64 * 1_024);
  });
});

describe("a participant who watches", () => {
  it("takes less than 8 KiB", () => {
    expect(bytesOf(VIEWER)).toBeLessThan(8 * 1_024);
  });
});
