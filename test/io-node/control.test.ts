import { describe, expect, it } from "vitest";
import type { Command } from "../../core/index.ts";
import {
  controlCommand,
  controlDrain,
  controlEvent,
  controlLost,
  controlReply,
  controlServes,
  createControl,
  findDeparture,
  findParticipant,
  roomParticipants,
  watchParticipant,
} from "../../io-node/control.ts";
import { createPlacement } from "../../io-node/placement.ts";
import { createFakeShard, resourceOf } from "./fake-shard.ts";

const JOIN = { type: "join", room: "blue", name: "Ana", offer: "v=0" } as const;

describe("a command", () => {
  it("resolves with its own reply when replies come in another order", async () => {
    const { control, refuse } = createFakeShard();
    const first = controlCommand(control, JOIN);
    refuse("room-full", "Full.");
    const second = controlCommand(control, JOIN);
    expect(await second).toMatchObject({ type: "refused", code: "room-full" });
    expect(await first).toMatchObject({ type: "joined", participant: 1 });
    expect(control.waiting.size).toBe(0);
  });
});

describe("the view of a room", () => {
  it("follows the roster, and is empty again when the room has closed", async () => {
    const { control } = createFakeShard();
    await controlCommand(control, JOIN);
    expect(roomParticipants(control, "blue")).toEqual([{ participant: 1, name: "Ana", publications: [] }]);
    expect(roomParticipants(control, "red")).toEqual([]);
    await controlCommand(control, { type: "leave", room: "blue", resource: resourceOf(1) });
    expect(roomParticipants(control, "blue")).toEqual([]);
  });

  it("leaves nothing behind when everybody has left", async () => {
    const { control, event } = createFakeShard();
    await controlCommand(control, JOIN);
    await controlCommand(control, JOIN);
    for (const participant of [1, 2]) {
      await controlCommand(control, { type: "leave", room: "blue", resource: resourceOf(participant) });
    }
    event({ type: "bindings", room: "blue", participant: 2, slots: [] });
    event({ type: "roster", room: "blue", participants: [] });
    const { rooms, byNumber, byResource, waiting, placement } = control;
    expect([rooms, byNumber, byResource, waiting, placement.rooms].map(({ size }) => size)).toEqual([0, 0, 0, 0, 0]);
    expect(placement.places[0]!.participants).toBe(0);
  });
});

describe("a participant's resource", () => {
  it("leads to the participant in its own room alone", async () => {
    const { control } = createFakeShard();
    await controlCommand(control, JOIN);
    expect(findParticipant(control, "blue", resourceOf(1))?.participant).toBe(1);
    expect(findParticipant(control, "red", resourceOf(1))).toBeUndefined();
    expect(findParticipant(control, "blue", "")).toBeUndefined();
  });

  it("leads nowhere before its join was replied to", () => {
    const { control, event } = createFakeShard();
    event({ type: "joined", room: "blue", participant: 9, name: "" });
    expect(findParticipant(control, "blue", "")).toBeUndefined();
  });
});

describe("those who have left", () => {
  it("are remembered up to a bound, the latest of them", async () => {
    const { control } = createFakeShard();
    const count = 1_100;
    for (let participant = 1; participant <= count; participant++) {
      await controlCommand(control, JOIN);
      await controlCommand(control, { type: "leave", room: "blue", resource: resourceOf(participant) });
    }
    expect(control.departed.size).toBe(1_024);
    expect(findDeparture(control, "blue", resourceOf(1))).toBeUndefined();
    expect(findDeparture(control, "blue", resourceOf(count))).toEqual({ reason: "left", detail: "" });
    expect(findDeparture(control, "red", resourceOf(count))).toBeUndefined();
  });
});

describe("several shards", () => {
  /** Three shards, numbered from 10, that take joins without an answer so far; each event and reply is said by hand. */
  function createShards(roomShare?: number) {
    const sent: [shard: number, commandId: number, command: Command][] = [];
    const met: string[] = [];
    const control = createControl(
      [0, 1, 2].map((shard) => ({
        number: 10 + shard,
        command: (commandId: number, command: Command) => void sent.push([shard, commandId, command]),
      })),
      (one, other) => void met.push(`${one}-${other}`),
      createPlacement(3, roomShare),
    );
    const join = async (room: string) => {
      const reply = controlCommand(control, { ...JOIN, room });
      const [shard, commandId, command] = sent.at(-1)!;
      const participant = commandId;
      controlEvent(control, shard, { type: "joined", room, participant, name: "" });
      controlReply(control, { commandId, type: "joined", participant, resource: resourceOf(participant), answer: "" });
      await reply;
      return { shard, participant, resource: resourceOf(participant), home: command.type === "join" && command.home };
    };
    return { control, sent, met, join };
  }

  it("carry a room each, and everybody who joins a room comes to its shard", async () => {
    const { join } = createShards();
    const shards = [];
    for (const room of ["a", "b", "c", "a", "b", "c"]) shards.push((await join(room)).shard);
    expect(shards).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it("are each asked for their own participants", async () => {
    const { control, sent, join } = createShards();
    const [, second] = [await join("a"), await join("b")];
    void controlCommand(control, { type: "leave", room: "b", resource: second.resource });
    expect(sent.at(-1)).toMatchObject([1, expect.anything(), { type: "leave" }]);
  });

  it("share a room that outgrows one: further ones are told its home, and all that it is on can reach each other", async () => {
    const { control, met, sent, join } = createShards(2);
    const joined = [];
    for (let i = 0; i < 6; i++) joined.push(await join("a"));
    expect(joined.map(({ shard, home }) => [shard, home])).toEqual([
      [0, undefined],
      [0, undefined],
      [1, 10],
      [1, 10],
      [2, 10],
      [2, 10],
    ]);
    expect(new Set(met)).toEqual(new Set(["1-0", "2-0", "2-1"]));
    void controlCommand(control, { type: "leave", room: "a", resource: joined[4]!.resource });
    expect(sent.at(-1)).toMatchObject([2, expect.anything(), { type: "leave" }]);
  });

  it("are heard of a room's roster where it lives alone, and its watchers are woken wherever they are", async () => {
    const { control, join } = createShards(1);
    const [first, second] = [await join("a"), await join("a")];
    let woken = 0;
    watchParticipant(findParticipant(control, "a", second.resource)!, { wake: () => woken++, replaced: () => {} });
    const participants = [first, second].map(({ participant }) => ({ participant, name: "", publications: [] }));
    controlEvent(control, 1, { type: "roster", room: "a", participants: [] });
    controlEvent(control, 1, { type: "room-closed", room: "a" });
    expect([woken, roomParticipants(control, "a")]).toEqual([0, []]);
    controlEvent(control, 0, { type: "roster", room: "a", participants });
    controlEvent(control, 1, { type: "room-closed", room: "a" });
    expect([woken, roomParticipants(control, "a")]).toEqual([1, participants]);
  });

  it("that hold a part of a room leave the rest of it alone when they go, and their participants are counted out", async () => {
    const { control, join } = createShards(1);
    const [first, second] = [await join("a"), await join("a")];
    controlLost(control, 1);
    expect(findDeparture(control, "a", second.resource)?.reason).toBe("shard-failed");
    expect(findParticipant(control, "a", first.resource)?.departure).toBeUndefined();
    expect(control.placement.places.map(({ participants }) => participants)).toEqual([1, 0, 0]);
    expect((await join("a")).shard).toBe(2);
  });

  it("that were a room's home leave its name free at once, and what the others still say of the old one is not heard", async () => {
    const { control, join } = createShards(1);
    const [, second] = [await join("a"), await join("a")];
    controlLost(control, 0);
    const fresh = await join("a");
    expect([fresh.shard, fresh.home]).toEqual([2, undefined]);
    const { participant } = second;
    controlEvent(control, 1, { type: "left", room: "a", participant, reason: "shard-lost", detail: "" });
    controlEvent(control, 1, { type: "room-closed", room: "a" });
    expect(control.placement.places.map(({ participants }) => participants)).toEqual([0, 0, 1]);
    expect([...control.placement.rooms.get("a")!.members]).toEqual([[2, 1]]);
  });

  it("lose their own rooms alone: watchers hear why, open commands are refused, new ones wait for a fresh shard", async () => {
    const { control, join } = createShards();
    const [lost, kept] = [await join("a"), await join("b")];
    controlEvent(control, 0, { type: "roster", room: "a", participants: [] });
    const record = findParticipant(control, "a", lost.resource)!;
    let woken = 0;
    watchParticipant(record, { wake: () => woken++, replaced: () => {} });
    const open = controlCommand(control, { ...JOIN, room: "a" });
    controlLost(control, 0);
    expect([woken, record.departure?.reason]).toEqual([1, "shard-failed"]);
    expect(await open).toMatchObject({ type: "refused", code: "shard-failed" });
    expect(findDeparture(control, "a", lost.resource)).toEqual(record.departure);
    expect(findParticipant(control, "b", kept.resource)?.departure).toBeUndefined();
    expect((await join("a")).shard).toBe(2);
    controlServes(control, 0);
    expect((await join("d")).shard).toBe(0);
  });

  it("say so when none is there", async () => {
    const { control } = createShards();
    for (const shard of [0, 1, 2]) controlLost(control, shard);
    expect(await controlCommand(control, JOIN)).toMatchObject({ type: "refused", code: "shard-failed" });
    const leave = controlCommand(control, { type: "leave", room: "a", resource: resourceOf(1) });
    expect(await leave).toMatchObject({ type: "refused", code: "shard-failed" });
    expect(control.waiting.size).toBe(0);
  });

  it("are all drained, and their sessions counted; a fresh one takes nobody after that", async () => {
    const { control, sent } = createShards();
    controlLost(control, 1);
    const sessions = controlDrain(control);
    expect(sent.map(([shard, , { type }]) => [shard, type])).toEqual([
      [0, "drain"],
      [2, "drain"],
    ]);
    for (const [, commandId] of sent) controlReply(control, { commandId, type: "drained", sessions: 4 });
    expect(await sessions).toBe(8);
    controlServes(control, 1);
    expect(control.placement.places[1]!.serves).toBe(false);
  });
});

describe("a watcher", () => {
  it("is woken by rosters, bindings and the end, and not by other rooms", async () => {
    const { control, event } = createFakeShard();
    await controlCommand(control, JOIN);
    let woken = 0;
    const record = findParticipant(control, "blue", resourceOf(1))!;
    watchParticipant(record, { wake: () => woken++, replaced: () => {} });
    event({ type: "bindings", room: "blue", participant: 1, slots: [] });
    expect(woken).toBe(1);
    await controlCommand(control, { ...JOIN, room: "red" });
    expect(woken).toBe(1);
    await controlCommand(control, JOIN);
    expect(woken).toBe(2);
    event({ type: "left", room: "blue", participant: 1, reason: "consent-expired", detail: "" });
    expect(woken).toBe(3);
    expect(record.departure).toEqual({ reason: "consent-expired", detail: "" });
  });

  it("gives way when a participant has more than four", async () => {
    const { control } = createFakeShard();
    await controlCommand(control, JOIN);
    const record = findParticipant(control, "blue", resourceOf(1))!;
    const replaced: number[] = [];
    for (let i = 0; i < 6; i++) watchParticipant(record, { wake: () => {}, replaced: () => replaced.push(i) });
    expect(replaced).toEqual([0, 1]);
    expect(record.watchers.size).toBe(4);
  });
});
