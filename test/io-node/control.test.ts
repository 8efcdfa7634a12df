import { describe, expect, it } from "vitest";
import {
  controlCommand,
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
    expect([control.rooms.size, control.byNumber.size, control.byResource.size, control.waiting.size]).toEqual([
      0, 0, 0, 0,
    ]);
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
