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
    expect([
      control.rooms.size,
      control.shards[0]!.byNumber.size,
      control.byResource.size,
      control.waiting.size,
    ]).toEqual([0, 0, 0, 0]);
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
  /** Three shards that take joins without an answer so far; each event and reply is said by hand. */
  function createShards() {
    const sent: [shard: number, commandId: number, type: string][] = [];
    const control = createControl(
      [0, 1, 2].map((shard) => (commandId: number, command: Command) => sent.push([shard, commandId, command.type])),
    );
    const join = async (room: string) => {
      const reply = controlCommand(control, { ...JOIN, room });
      const [shard, commandId] = sent.at(-1)!;
      const participant = commandId;
      controlEvent(control, shard, { type: "joined", room, participant, name: "" });
      controlReply(control, { commandId, type: "joined", participant, resource: resourceOf(participant), answer: "" });
      await reply;
      return { shard, participant, resource: resourceOf(participant) };
    };
    return { control, sent, join };
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
    expect(sent.at(-1)).toMatchObject([1, expect.anything(), "leave"]);
  });

  it("may have participants of one number, and each keeps its own", async () => {
    const { control } = createShards();
    for (const shard of [0, 1])
      controlEvent(control, shard, { type: "joined", room: "ab"[shard]!, participant: 7, name: "" });
    controlEvent(control, 0, { type: "left", room: "a", participant: 7, reason: "left", detail: "" });
    expect(control.shards.map(({ byNumber }) => byNumber.size)).toEqual([0, 1, 0]);
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
    expect(sent.map(([shard, , type]) => [shard, type])).toEqual([
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
