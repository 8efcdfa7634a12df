import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../core/index.ts";
import {
  createPlacement,
  giveBack,
  type Placement,
  placeInRoom,
  ROOM_SHARE,
  roomsSpilledOver,
  shardIsLost,
  shardServes,
  type Ticket,
} from "../../io-node/placement.ts";

/** The shard of one participant more, or why there is none. */
function shardOf(placement: Placement, room: string): number | string {
  const ticket = placeInRoom(placement, room);
  return typeof ticket === "string" ? ticket : ticket.shard;
}

function ticketOf(placement: Placement, room: string): Ticket {
  const ticket = placeInRoom(placement, room);
  if (typeof ticket === "string") throw new Error(ticket);
  return ticket;
}

describe("a room", () => {
  it("is placed where the fewest participants are, and stays there while somebody is in it", () => {
    const placement = createPlacement(2);
    for (let i = 0; i < 3; i++) expect(shardOf(placement, "a")).toBe(0);
    const alone = ticketOf(placement, "b");
    expect(alone.shard).toBe(1);
    expect(shardOf(placement, "c")).toBe(1);
    expect(shardOf(placement, "a")).toBe(0);
    giveBack(placement, alone);
    expect(placement.rooms.has("b")).toBe(false);
    expect(shardOf(placement, "b")).toBe(1);
  });

  it("is placed on a shard that has time, or nowhere", () => {
    const placement = createPlacement(2);
    placement.places[0]!.overloaded = true;
    for (let i = 0; i < 5; i++) expect(shardOf(placement, "b")).toBe(1);
    placement.places[1]!.overloaded = true;
    expect([shardOf(placement, "b"), shardOf(placement, "c")]).toEqual(["overloaded", "overloaded"]);
    expect(placement.rooms.has("c")).toBe(false);
  });

  it("is gone with its home, and its name may be placed elsewhere before the last have been counted out", () => {
    const placement = createPlacement(2);
    const last = ticketOf(placement, "a");
    shardIsLost(placement, 0);
    expect(shardOf(placement, "a")).toBe(1);
    giveBack(placement, last);
    expect(placement.rooms.get("a")).toMatchObject({ home: 1, members: new Map([[1, 1]]) });
    shardIsLost(placement, 1);
    expect(shardOf(placement, "a")).toBe("shard-failed");
    shardServes(placement, 0);
    expect(shardOf(placement, "a")).toBe(0);
  });
});

describe("a room that outgrows its shard", () => {
  it("spills over to the freest of the others, one after the other, and keeps its home", () => {
    const placement = createPlacement(3, 2);
    expect(shardOf(placement, "other")).toBe(0);
    expect([1, 2, 3, 4, 5, 6].map(() => shardOf(placement, "a"))).toEqual([1, 1, 2, 2, 0, 0]);
    expect(placement.rooms.get("a")!.home).toBe(1);
    expect(roomsSpilledOver(placement)).toBe(1);
  });

  it("fills up where it is before it goes further, home first", () => {
    const placement = createPlacement(3, 2);
    const tickets = [1, 2, 3, 4].map(() => ticketOf(placement, "a"));
    giveBack(placement, tickets[2]!);
    giveBack(placement, tickets[0]!);
    expect([1, 2, 3].map(() => shardOf(placement, "a"))).toEqual([0, 1, 2]);
  });

  it("is shared evenly once every shard has its share", () => {
    const placement = createPlacement(2, 2);
    for (let i = 0; i < 4; i++) ticketOf(placement, "a");
    expect([1, 2, 3, 4].map(() => shardOf(placement, "a"))).toEqual([0, 1, 0, 1]);
  });

  it("is so by its share, or because its home has no time", () => {
    const placement = createPlacement(2);
    for (let i = 0; i < ROOM_SHARE; i++) expect(shardOf(placement, "a")).toBe(0);
    expect(shardOf(placement, "a")).toBe(1);
    expect(shardOf(placement, "b")).toBe(1);
    placement.places[1]!.overloaded = true;
    expect(shardOf(placement, "b")).toBe(0);
    expect(shardOf(placement, "a")).toBe(0);
  });

  it("lives on at its home when nobody is left there", () => {
    const placement = createPlacement(2, 1);
    const [first, second] = [ticketOf(placement, "a"), ticketOf(placement, "a")];
    giveBack(placement, first);
    expect([second.shard, placement.rooms.get("a")?.home]).toEqual([1, 0]);
    expect(shardOf(placement, "a")).toBe(0);
    giveBack(placement, second);
    expect(roomsSpilledOver(placement)).toBe(0);
  });

  it("sends the next one home when it has all that a room may have: there he is told", () => {
    const placement = createPlacement(3);
    for (let i = 0; i < LIMITS.participantsPerRoomMax; i++) ticketOf(placement, "a");
    placement.places[0]!.overloaded = true;
    expect(shardOf(placement, "a")).toBe(0);
  });
});

describe("a server that is full", () => {
  it("lets a shard say so", () => {
    const placement = createPlacement(1);
    for (let i = 0; i < LIMITS.participantsPerShardMax; i++) expect(shardOf(placement, `room-${i % 10}`)).toBe(0);
    expect(shardOf(placement, "one more")).toBe(0);
  });
});

describe("the counts of a placement", () => {
  it("agree with who is where, whatever happens", () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant("come" as const), which: fc.nat(4) }),
      fc.record({ what: fc.constant("go" as const), which: fc.nat(50) }),
      fc.record({ what: fc.constantFrom("lose" as const, "serve" as const, "busy" as const), which: fc.nat(2) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 4 }), (steps, roomShare) => {
        const placement = createPlacement(3, roomShare);
        let there: Ticket[] = [];
        for (const { what, which } of steps) {
          if (what === "come") {
            const ticket = placeInRoom(placement, `room-${which}`);
            if (typeof ticket !== "string") there.push(ticket);
          } else if (what === "go" && there.length > 0) {
            const [gone] = there.splice(which % there.length, 1);
            giveBack(placement, gone!);
          } else if (what === "lose") {
            shardIsLost(placement, which);
            for (const { shard, room } of there) if (shard === which) giveBack(placement, { shard, room });
            there = there.filter(({ shard }) => shard !== which);
          } else if (what === "serve") shardServes(placement, which);
          else if (what === "busy") placement.places[which]!.overloaded = !placement.places[which]!.overloaded;
        }
        const count = (shard: number) => there.filter((each) => each.shard === shard).length;
        expect(placement.places.map(({ participants }) => participants)).toEqual([0, 1, 2].map(count));
        for (const room of placement.rooms.values()) {
          const members = there.filter((each) => each.room === room);
          expect(members.length).toBeGreaterThan(0);
          const shards = [0, 1, 2].filter((shard) => (room.members.get(shard) ?? 0) > 0);
          expect(shards).toEqual([0, 1, 2].filter((shard) => members.some((each) => each.shard === shard)));
        }
      }),
    );
  });
});
