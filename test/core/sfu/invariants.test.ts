/**
 * Whether looks at a shard find nothing while it is sound, and each kind of damage once it is done: every sentence that a look
 * can say is said here. The shard comes out of a simulated call over two of them, so there is something of everything in it.
 */

import { beforeEach, describe, expect, it } from "vitest";
import { decodePlain } from "../../../core/base/plain-decode.ts";
import { encodePlain } from "../../../core/base/plain-encode.ts";
import { createShardLooks, LIMITS, lookAtShard, type Shard, type StatePromise } from "../../../core/index.ts";
import type { Route } from "../../../core/sfu/state.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import { ms, seconds } from "../../../io-sim/index.ts";
import { run } from "../../../io-sim/world/run.ts";
import type { World } from "../../../io-sim/world/world.ts";
import { saying, sentencesIn } from "../../support/shards/sentences.ts";
import { smallStory } from "../../support/stories/small-story.ts";

/** Ana and bob are on the shard that is looked at and have room for one more than there are; eve is on another one. */
const CALL = smallStory({
  shards: { count: 2, delay: ms(2) },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 3 }, shard: 0 },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 3 }, shard: 0 },
    eve: { sends: { camera: "vp8" }, receives: { audio: 1, video: 2 }, shard: 1 },
  },
  runFor: seconds(3),
});

/** The shard at two times, a second from each other. */
const [FIRST, SECOND] = [1_000_000, 2_000_000].map((time) => {
  let world: World | undefined;
  const haltBefore = ({ zeroAt, loop }: World) =>
    zeroAt > 0 && loop.heap[0] !== undefined && loop.heap[0].time > zeroAt + time;
  run(CALL, 1, {
    haltBefore,
    onWorld: (entered) => {
      world = entered;
    },
  });
  return encodePlain(world!.nodes[0]!.shard);
});

describe("looks at a shard", () => {
  let shard: Shard;
  let looks: ReturnType<typeof createShardLooks>;
  beforeEach(() => {
    looks = createShardLooks();
    lookAtShard(decodePlain(FIRST!) as Shard, looks, 100);
    shard = decodePlain(SECOND!) as Shard;
  });

  const look = () => lookAtShard(shard, looks, 100);
  const found = () => look().filter(({ trouble }) => trouble !== "");
  const someone = () => [...shard.participants.values()][0]!;
  const camera = () => someone().publications.find(({ kind }) => kind === "video")!;
  const proxy = () => [...shard.proxies.values()][0]!;
  const room = () => [...shard.rooms.values()][0]!;
  const busySlot = () => [...shard.slots.values()].find(({ packetsSent }) => packetsSent > 20)!;
  const emptySlot = () => someone().slots.find(({ route }) => route === null)!;
  const statistics = () => camera().streams[0]!.statistics;
  const member = (participant: number) => ({ ...room().members.get(someone().id)!, participant, ready: false });
  /** Takes a route away from the slot at its end, as if nothing had ever been to be shown there. */
  const unseat = ({ slot }: Route) => {
    slot.route = null;
    for (const seat of slot.owner.allocator.slots) if (seat.slot === slot.id) seat.publication = 0;
  };

  /** What makes a look say each of its sentences, by the promise that is broken then. */
  const DAMAGES: Record<StatePromise, Record<string, () => void>> = {
    S15: {
      "There is mail between two inputs": () => shard.mail.letters.push(undefined as never),
      "Participant … stands under number …": () => shard.participants.set(99, someone()),
      "A lane is in the table that no proxy has": () => shard.lanes.set(99, proxy()),
      "A publication is in the table that nobody has": () => shard.publications.set(99, camera()),
      "A slot is in the table that nobody has": () => shard.slots.set(99, busySlot()),
      "A stream is in the table that nobody has": () => shard.streams.set(99, camera().streams[0]!),
      "A ufrag is in the table that nobody has": () => shard.ufrags.set("ghost", someone()),
      "A resource is in the table that nobody has": () => shard.resources.set("ghost", someone()),
      "Flow … belongs to somebody who is gone": () => shard.flows.set(99, { ...someone(), id: 77 }),
      "Flow … is not its owner's": () => shard.flows.set(99, someone()),
      "A timer waits for participant …, who is gone": () => shard.timers.positions.set(77, 0),
      "A peer's number is taken that nobody has": () => shard.peerIndexes.next++,
      "has a member … who is gone": () => room().members.set(77, member(77)),
      "does not know of a publication of …": () => room().publications.clear(),
      "knows of a publication that nobody has": () =>
        room().publications.set(99, [...room().publications.values()][0]!),
      "the ufrag leads elsewhere": () => shard.ufrags.delete(someone().peer.ice.localUfrag),
      "the resource leads elsewhere": () => shard.resources.set(someone().resource, { ...someone() }),
      "the room does not know of it": () => room().members.delete(someone().id),
      "no timer waits for it": () => shard.timers.positions.delete(someone().id),
      "a publication is not in the table": () => shard.publications.delete(camera().id),
      "a stream is not in the table": () => shard.streams.delete(camera().streams[0]!.id),
      "an SSRC leads elsewhere": () => someone().inbound.clear(),
      "the best layer is gone": () => {
        camera().best = { ...camera().streams[0]! };
      },
      "a route leads into another room": () => {
        const { slot } = camera().routes[0]!;
        slot.owner = { ...slot.owner, room: "elsewhere" };
      },
      "a route leads back to it": () => {
        camera().routes[0]!.slot.owner = someone();
      },
      "a route has a stream that is gone": () => {
        camera().routes[0]!.stream = { ...camera().streams[0]! };
      },
      "the videos that flow are miscounted": () => someone().allocator.flowingVideos++,
      "a slot is not in the table": () => shard.slots.delete(emptySlot().id),
      "a slot has a route that is taken up": () => {
        camera().routes.length = 0;
      },
      "slot … is to show … and has another route": () => {
        someone().allocator.slots[someone().slots.indexOf(emptySlot())]!.publication = camera().id;
      },
      "a slot's SSRC leads elsewhere": () => someone().slotsBySsrc.clear(),
      "the lane leads elsewhere": () => shard.lanes.delete(proxy().lane.id),
      "nobody is shown it": () => {
        for (const route of proxy().routes) unseat(route);
        proxy().routes.length = 0;
      },
      "a stream of it is not in the table": () => shard.streams.delete(proxy().streams[0]!.id),
      "a route does not know its slot": () => camera().routes.push({ ...camera().routes[0]! }),
      "a route leads to a slot that is gone": () => {
        const slot = { ...busySlot(), id: 99 };
        slot.route = { ...slot.route!, slot };
        slot.route.publication.routes.push(slot.route);
      },
    },
    R2: {
      "Too many participants": () =>
        Object.defineProperty(shard.participants, "size", { value: LIMITS.participantsPerShardMax + 1 }),
      "Participant … has too many flows": () =>
        someone().peer.ice.flows.push(...new Array<number>(USUAL_TUNABLES.iceFlowsPerPeerMax).fill(99)),
      "Participant … has too many SSRCs": () => {
        const [inbound] = someone().inbound.values();
        for (let ssrc = 0; ssrc < LIMITS.srtpStreamsPerPeerMax; ssrc++) someone().inbound.set(ssrc, inbound!);
      },
      "Participant … may have too much sent again": () =>
        Object.assign(someone(), { retransmitBudget: USUAL_TUNABLES.retransmitBurstPackets + 1 }),
      "Participant … has too many streams": () => {
        const { streams } = camera();
        streams.push(...new Array<(typeof streams)[0]>(LIMITS.streamsPerPublicationMax).fill(streams[0]!));
      },
      "A packet cache is too large": () => {
        const { cache } = camera().streams[0]!;
        Object.assign(cache!, { lengths: new Uint16Array(2 * USUAL_TUNABLES.packetCachePackets) });
      },
    },
    S17: {
      "Participant …: a round trip of …": () => Object.assign(someone().rtt, { smoothed8: Number.NaN }),
      "Participant …: a clock that is … off": () => Object.assign(someone().ntpOffset, { offsetMicros: 0.5 }),
      "Participant …: a jitter of …": () => Object.assign(statistics(), { jitterScaled: -1 }),
      "Participant …: a rate of … bytes": () => void statistics().bucketBytes.fill(0x1000_0000),
    },
    S18: {
      "Of … packets that were offered to receivers … are unaccounted for": () =>
        void shard.history.counters.rtpForwarded--,
    },
    S2: {
      "Slot … has sent … packets under … numbers": () => Object.assign(busySlot(), { packetsSent: 5_000 }),
      "Slot … has gone back from number … to …": () => Object.assign(busySlot().rewriter, { lineHighest: 0 }),
    },
    S3: {
      "Slot … has gone back by … in its timestamps": () => {
        const { rewriter } = busySlot();
        rewriter.timestamp -= 900_000;
      },
    },
  };
  const SENTENCES = sentencesIn("core/sfu/invariants.ts");

  it("find nothing in a sound one, and judge each promise", () => {
    expect(found()).toEqual([]);
    expect([...new Set(look().map(({ promise }) => promise))]).toEqual(["S15", "R2", "S17", "S18", "S2", "S3"]);
  });

  it("say nothing that no damage here makes them say, and nothing in two places", () => {
    const damaged = Object.values(DAMAGES).flatMap((damages) => Object.keys(damages));
    expect(new Set(SENTENCES)).toEqual(new Set(damaged));
    expect(SENTENCES.length).toBe(new Set(SENTENCES).size);
  });

  const CASES = Object.entries(DAMAGES).flatMap(([promise, damages]) =>
    Object.entries(damages).map(([sentence, damage]) => [promise, sentence, damage] as const),
  );
  it.each(CASES)("find that %s is broken: %s", (promise, sentence, damage) => {
    damage();
    expect(found()).toContainEqual({ promise, trouble: expect.stringMatching(saying(sentence)) });
  });

  it("take in some participants at a time, and come to all of them", () => {
    const [, other] = [...shard.participants.values()];
    other!.rtt.smoothed8 = Number.NaN;
    const troubles = [1, 2, 3].map(
      () => lookAtShard(shard, looks, 1).find(({ promise }) => promise === "S17")!.trouble !== "",
    );
    expect(troubles.filter(Boolean)).toEqual([true]);
  });
});
