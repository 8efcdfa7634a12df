/** Which publication stands in which video slot, when there are fewer slots than cameras. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allocatorHandle, createAllocator } from "../../../core/sfu/allocator.ts";
import { type Activity, createMail, type Offering } from "../../../core/sfu/mail.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import { createShardCluster, passTogether } from "../../support/shards/shard-cluster.ts";
import {
  createShardWorld,
  join,
  passMillis,
  type ShardWorld,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { vp8Packet } from "../../support/wire/media.ts";
import { offerOf } from "../../support/wire/offers.ts";

const camera = (ssrc: number) => offerOf([{ kind: "video", codecs: ["VP8"], ssrc }]);
const screens = (count: number) =>
  offerOf(Array.from({ length: count }, () => ({ kind: "video", codecs: ["VP8"] }) as const));

/** Whose camera stands in each slot of a client, by the last bindings that were told; and how often they were. */
function seenBy(world: ShardWorld, { participant }: TestClient): string {
  const event = world.events.findLast((each) => each.type === "bindings" && each.participant === participant);
  const names = new Map(world.clients.map((client) => [client.participant, client.name]));
  return event?.type === "bindings" ? event.slots.map((slot) => names.get(slot.participant) ?? "-").join(" ") : "";
}

function timesTold(world: ShardWorld, { participant }: TestClient): number {
  return world.events.filter((each) => each.type === "bindings" && each.participant === participant).length;
}

/** A world in which cameras are filming until they are taken off the list. */
function filmingWorld(names: readonly string[], slots: number) {
  const world = createShardWorld();
  const cameras = names.map((name, index) => join(world, { name, offer: camera(1_000 + index) }));
  const viewer = join(world, { name: "viewer", offer: screens(slots) });
  const filming = new Set(names);
  let sequence = 0;
  const film = (millis: number) => {
    for (let passed = 0; passed < millis; passed += 40) {
      for (const [index, client] of cameras.entries()) {
        if (!filming.has(client.name)) continue;
        sendRtp(world, client, vp8Packet({ ssrc: 1_000 + index, sequence, keyframe: sequence % 10 === 0 }));
      }
      sequence++;
      passMillis(world, 40);
    }
  };
  return { world, viewer, filming, film };
}

/** How long a camera may be silent and keep its slot. */
const PATIENCE_MILLIS = (USUAL_TUNABLES.publicationSilentMicros + USUAL_TUNABLES.slotYieldMicros) / 1_000;

describe("video slots", () => {
  it("show who came first, for as long as those go on", () => {
    const { world, viewer, film } = filmingWorld(["ana", "bob", "eve"], 2);
    film(10_000);
    expect(seenBy(world, viewer)).toBe("ana bob");
    expect(timesTold(world, viewer)).toBe(1);
  });

  it("are given to a camera that films when the one in them has been silent for long", () => {
    const { world, viewer, filming, film } = filmingWorld(["ana", "bob", "eve"], 2);
    film(1_000);
    filming.delete("ana");
    film(PATIENCE_MILLIS + 100);
    expect(seenBy(world, viewer)).toBe("eve bob");
    filming.add("ana");
    film(5_000);
    expect(seenBy(world, viewer)).toBe("eve bob");
    expect(timesTold(world, viewer)).toBe(2);
  });

  it("stay as they are when a camera pauses for a moment only", () => {
    const { world, viewer, filming, film } = filmingWorld(["ana", "bob"], 1);
    for (let i = 0; i < 4; i++) {
      film(1_000);
      filming.delete("ana");
      film(PATIENCE_MILLIS - 100);
      filming.add("ana");
    }
    expect(seenBy(world, viewer)).toBe("ana");
    expect(timesTold(world, viewer)).toBe(1);
  });

  it("stay as they are when nobody films", () => {
    const { world, viewer, filming, film } = filmingWorld(["ana", "bob"], 1);
    film(1_000);
    filming.clear();
    film(2 * PATIENCE_MILLIS);
    expect(seenBy(world, viewer)).toBe("ana");
    filming.add("bob");
    film(100);
    expect(seenBy(world, viewer)).toBe("bob");
    filming.add("ana");
    film(100);
    expect(seenBy(world, viewer)).toBe("bob");
  });

  it("show a newcomer who films, not one whose camera has been covered since he came", () => {
    const { world, viewer, filming, film } = filmingWorld(["ana", "bob"], 1);
    filming.delete("ana");
    film(USUAL_TUNABLES.slotYieldMicros / 1_000 + 100);
    expect(seenBy(world, viewer)).toBe("bob");
    const late = join(world, { name: "late", offer: screens(1) });
    expect(seenBy(world, late)).toBe("bob");
    const wide = join(world, { name: "wide", offer: screens(3) });
    expect(seenBy(world, wide)).toBe("bob ana -");
  });

  it("are given away on another shard too", () => {
    const cluster = createShardCluster(2);
    const [home, away] = cluster.worlds as [ShardWorld, ShardWorld];
    const [ana, bob] = ["ana", "bob"].map((name, i) => join(home, { name, offer: camera(1_000 + i) })) as [
      TestClient,
      TestClient,
    ];
    const viewer = join(away, { name: "viewer", offer: screens(1), home: 0 });
    const film = (client: TestClient, ssrc: number, from: number, count: number) => {
      for (let i = from; i < from + count; i++) {
        sendRtp(home, client, vp8Packet({ ssrc, sequence: i, keyframe: i === from }));
        passTogether(cluster, 40);
      }
    };
    const shown = () => {
      const event = away.events.findLast((each) => each.type === "bindings" && each.participant === viewer.participant);
      return event?.type === "bindings" ? event.slots[0]?.participant : 0;
    };
    film(ana, 1_000, 0, 5);
    expect(shown()).toBe(ana.participant);
    film(bob, 1_001, 0, Math.ceil(PATIENCE_MILLIS / 40) + 2);
    expect(shown()).toBe(bob.participant);
    const before = viewer.rtp.length;
    film(bob, 1_001, 200, 5);
    expect(viewer.rtp.length - before).toBe(5);
  });
});

describe("an allocator", () => {
  it("leaves no slot empty while a video waits, and none to a dormant one while one waits that flows", () => {
    const activity = fc.constantFrom<Activity>("flowing", "paused", "dormant");
    const step = fc.record({ what: fc.constantFrom("appeared", "gone", "activity"), publication: fc.nat(9), activity });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const slots = [1, 2, 3].map((slot) => ({ slot, mid: `${slot}`, kind: "video", leftOut: false }) as const);
        const allocator = createAllocator(1, slots);
        const known = new Map<number, Offering>();
        for (const { what, publication: number, activity } of steps) {
          const publication = number + 1;
          const offering = { publication, kind: "video", owner: 100 + publication, activity } as const;
          if (what === "gone") known.delete(publication);
          else if (what === "appeared" || known.has(publication)) known.set(publication, offering);
          const message =
            what === "gone"
              ? ({ to: "allocator", type: "gone", publications: [publication] } as const)
              : what === "appeared"
                ? ({ to: "allocator", type: "appeared", offerings: [offering] } as const)
                : ({ to: "allocator", type: "activity", publications: [publication], activity } as const);
          allocatorHandle(allocator, "room", message, createMail(0), []);
          const shown = allocator.slots.map((slot) => slot.publication);
          const waiting = [...known.values()].filter((each) => !shown.includes(each.publication));
          expect(shown.filter((each) => each !== 0).length).toBe(Math.min(3, known.size));
          const isFrozen = shown.some((each) => known.get(each)?.activity === "dormant");
          expect(isFrozen && waiting.some((each) => each.activity === "flowing")).toBe(false);
        }
      }),
    );
  });
});
