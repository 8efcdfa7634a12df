/** What a shard's thread tells the main thread: everything in its order, and of rosters the last. */
import { describe, expect, it } from "vitest";
import type { Micros, ShardEvent } from "../../../core/index.ts";
import { createOutputs, outputEvent, takeOutputs } from "../../../io-node/fast/outputs.ts";

const roster = (room: string, count: number, first = 1): ShardEvent => ({
  type: "roster",
  room,
  participants: Array.from({ length: count }, (_, i) => ({ participant: first + i, name: "", publications: [] })),
});
const joined = (participant: number): ShardEvent => ({ type: "joined", room: "blue", participant, name: "" });
const closed: ShardEvent = { type: "room-closed", room: "blue" };

/** Outputs with what was said so far, and what may be told of it at a time. */
function saying(...events: readonly ShardEvent[]) {
  const outputs = createOutputs();
  const say = (event: ShardEvent) => outputEvent(outputs, event);
  for (const event of events) say(event);
  return { outputs, say, at: (micros: number) => takeOutputs(outputs, micros as Micros)?.events };
}

describe("what a thread tells", () => {
  it("is what has happened, in order, once, with the replies", () => {
    const { outputs, at } = saying(joined(1), joined(2));
    outputs.replies.push({ commandId: 1, type: "left" });
    expect(takeOutputs(outputs, 0 as Micros)).toEqual({
      events: [joined(1), joined(2)],
      replies: [{ commandId: 1, type: "left" }],
    });
    expect(at(0)).toBeUndefined();
  });

  it("has of several rosters the last", () => {
    const { say, at } = saying(roster("blue", 1), joined(2), roster("blue", 2), roster("red", 9));
    expect(at(0)).toEqual([joined(2), roster("blue", 2), roster("red", 9)]);
    say(roster("blue", 3));
    expect(at(0)).toEqual([roster("blue", 3)]);
  });

  it("has a roster of a large room once in a while, and then the last", () => {
    const { say, at } = saying(roster("blue", 1_000), roster("red", 100));
    expect(at(0)).toHaveLength(2);
    say(roster("blue", 1_000, 2));
    say(joined(5));
    expect(at(99_999)).toEqual([joined(5)]);
    expect(at(99_999)).toBeUndefined();
    say(roster("blue", 1_000, 3));
    say(roster("red", 99));
    expect(at(99_999)).toEqual([roster("red", 99)]);
    expect(at(100_000)).toEqual([roster("blue", 1_000, 3)]);
    expect(at(900_000)).toBeUndefined();
  });

  it("has no roster of a room that has closed, and remembers nothing of it", () => {
    const { outputs, say, at } = saying(roster("blue", 1_000));
    at(0);
    say(roster("blue", 0));
    say(closed);
    expect(at(1_000_000)).toEqual([closed]);
    expect([outputs.rosters.size, outputs.waiting]).toEqual([0, 0]);
    say(roster("blue", 1_000));
    expect(at(1_000_000)).toEqual([roster("blue", 1_000)]);
  });
});
