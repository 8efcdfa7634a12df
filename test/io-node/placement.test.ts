import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPlacement, placeInRoom, removeFromRoom, shardIsLost, shardServes } from "../../io-node/placement.ts";

describe("a room", () => {
  it("is placed where the fewest participants are, and stays there while somebody is in it", () => {
    const placement = createPlacement(2);
    for (let i = 0; i < 3; i++) expect(placeInRoom(placement, "a")).toBe(0);
    expect(placeInRoom(placement, "b")).toBe(1);
    expect(placeInRoom(placement, "c")).toBe(1);
    expect(placeInRoom(placement, "a")).toBe(0);
    removeFromRoom(placement, "b", 1);
    expect(placement.rooms.has("b")).toBe(false);
    expect(placeInRoom(placement, "b")).toBe(1);
  });

  it("is placed on a shard that has time, and nobody comes into one whose shard has none", () => {
    const placement = createPlacement(2);
    placeInRoom(placement, "a");
    placement.places[0]!.overloaded = true;
    for (let i = 0; i < 5; i++) expect(placeInRoom(placement, "b")).toBe(1);
    expect(placeInRoom(placement, "a")).toBe("overloaded");
    placement.places[1]!.overloaded = true;
    expect(placeInRoom(placement, "c")).toBe("overloaded");
    expect(placement.rooms.has("c")).toBe(false);
  });

  it("is gone with its shard, and its name may be placed elsewhere before the last have been counted out", () => {
    const placement = createPlacement(2);
    placeInRoom(placement, "a");
    shardIsLost(placement, 0);
    expect(placeInRoom(placement, "a")).toBe(1);
    removeFromRoom(placement, "a", 0);
    expect(placement.rooms.get("a")).toEqual({ shard: 1, participants: 1 });
    shardIsLost(placement, 1);
    expect(placeInRoom(placement, "a")).toBe("shard-failed");
    shardServes(placement, 0);
    expect(placeInRoom(placement, "a")).toBe(0);
  });
});

describe("the counts of a placement", () => {
  it("agree with who is where, whatever happens", () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant("come" as const), which: fc.nat(4) }),
      fc.record({ what: fc.constant("go" as const), which: fc.nat(50) }),
      fc.record({ what: fc.constantFrom("lose" as const, "serve" as const), which: fc.nat(2) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const placement = createPlacement(3);
        let there: { room: string; shard: number }[] = [];
        for (const { what, which } of steps) {
          const room = `room-${which}`;
          if (what === "come") {
            const shard = placeInRoom(placement, room);
            if (typeof shard === "number") there.push({ room, shard });
          } else if (what === "go" && there.length > 0) {
            const [gone] = there.splice(which % there.length, 1);
            removeFromRoom(placement, gone!.room, gone!.shard);
          } else if (what === "lose") {
            shardIsLost(placement, which);
            there = there.filter(({ shard }) => shard !== which);
          } else if (what === "serve") shardServes(placement, which);
        }
        const count = (shard: number) => there.filter((each) => each.shard === shard).length;
        expect(placement.places.map(({ participants }) => participants)).toEqual([0, 1, 2].map(count));
        expect(placement.rooms.size).toBe(new Set(there.map(({ room }) => room)).size);
        for (const { room, shard } of there) expect(placement.rooms.get(room)!.shard).toBe(shard);
      }),
    );
  });
});
