/**
 * Whether looks at a shard find nothing while it is sound, and each kind of damage once it is done. The shard comes out of a
 * simulated call, so there is something of everything in it.
 */

import { beforeEach, describe, expect, it } from "vitest";
import { decodePlain } from "../../../core/base/plain-decode.ts";
import { encodePlain } from "../../../core/base/plain-encode.ts";
import { createShardLooks, lookAtShard, type Shard } from "../../../core/index.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import { seconds } from "../../../io-sim/index.ts";
import { run } from "../../../io-sim/world/run.ts";
import type { World } from "../../../io-sim/world/world.ts";
import { smallStory } from "../../support/small-story.ts";

/** The shard of a small call at two times, a second from each other. */
const [FIRST, SECOND] = [1_000_000, 2_000_000].map((time) => {
  let world: World | undefined;
  const haltBefore = ({ zeroAt, loop }: World) =>
    zeroAt > 0 && loop.heap[0] !== undefined && loop.heap[0].time > zeroAt + time;
  run(smallStory({ runFor: seconds(3) }), 1, {
    haltBefore,
    onWorld: (entered) => {
      world = entered;
    },
  });
  return encodePlain(world!.node.shard);
});

describe("looks at a shard", () => {
  let shard: Shard;
  let looks: ReturnType<typeof createShardLooks>;
  beforeEach(() => {
    looks = createShardLooks();
    lookAtShard(decodePlain(FIRST!) as Shard, looks, 100);
    shard = decodePlain(SECOND!) as Shard;
  });

  const broken = () => [
    ...new Set(
      look()
        .filter(({ trouble }) => trouble !== "")
        .map(({ promise }) => promise),
    ),
  ];
  const look = () => lookAtShard(shard, looks, 100);
  const someone = () => [...shard.participants.values()][0]!;
  const someRoom = () => [...shard.rooms.values()][0]!;
  const busySlot = () => [...shard.slots.values()].find(({ packetsSent }) => packetsSent > 20)!;

  it("find nothing in a sound one, and judge each promise", () => {
    expect(broken()).toEqual([]);
    expect([...new Set(look().map(({ promise }) => promise))]).toEqual(["S15", "R2", "S17", "S18", "S2", "S3"]);
  });

  it.each<[string, string, () => void]>([
    ["S15", "a flow that leads to nobody", () => shard.flows.set(99, { ...someone(), id: 77 })],
    ["S15", "a slot in the table that nobody has", () => shard.slots.set(99, busySlot())],
    ["S15", "a participant whom no timer wakes", () => shard.timers.positions.delete(someone().id)],
    ["S15", "a peer's number that nobody has", () => shard.peerIndexes.next++],
    ["S15", "a publication that its room does not know", () => someRoom().publications.clear()],
    [
      "S15",
      "a publication in a room that nobody has",
      () => someRoom().publications.set(99, [...someRoom().publications.values()][0]!),
    ],
    ["S15", "a video too many that is said to flow", () => someone().allocator.flowingVideos++],
    [
      "S15",
      "a route that its slot does not know",
      () => {
        const route = busySlot().route!;
        route.publication.routes.push({ ...route });
      },
    ],
    [
      "S15",
      "a route to a slot that is gone",
      () => {
        const slot = { ...busySlot(), id: 99 };
        const route = { ...slot.route!, slot };
        slot.route = route;
        route.publication.routes.push(route);
      },
    ],
    [
      "R2",
      "a budget above its cap",
      () => {
        someone().retransmitBudget = USUAL_TUNABLES.retransmitBurstPackets + 1;
      },
    ],
    [
      "S17",
      "a round trip that is no number",
      () => {
        someone().rtt.smoothed8 = Number.NaN;
      },
    ],
    ["S18", "a packet that is unaccounted for", () => shard.history.counters.rtpForwarded--],
    [
      "S2",
      "more packets than numbers",
      () => {
        busySlot().packetsSent += 5_000;
      },
    ],
    [
      "S2",
      "numbers that go back",
      () => {
        busySlot().rewriter.lineHighest -= 2_000;
      },
    ],
    [
      "S3",
      "a timestamp that goes back",
      () => {
        busySlot().rewriter.timestamp -= 900_000;
      },
    ],
  ])("find that %s is broken: %s", (promise, _what, damage) => {
    damage();
    expect(broken()).toEqual([promise]);
  });

  it("take in some participants at a time, and come to all of them", () => {
    const [, other] = [...shard.participants.values()];
    other!.rtt.smoothed8 = Number.NaN;
    const found = [1, 2, 3].map(
      () => lookAtShard(shard, looks, 1).find(({ promise }) => promise === "S17")!.trouble !== "",
    );
    expect(found.filter(Boolean)).toEqual([true]);
  });
});
