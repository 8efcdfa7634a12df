import type { Socket } from "node:dgram";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../core/index.ts";
import { createSendArena, reserveSlot, sendSlot, slotsUnderWay } from "../../../io-node/portable/send-arena.ts";

type Finished = (error: Error | null) => void;

/** A socket that takes everything and finishes when the test says so. */
function createSocket() {
  const finish: Finished[] = [];
  const offsets: number[] = [];
  const send = (_bytes: Uint8Array, offset: number, _length: number, _port: number, _ip: string, done: Finished) => {
    offsets.push(offset);
    finish.push(done);
  };
  return { socket: { send } as unknown as Socket, finish, offsets };
}

describe("the send arena", () => {
  it("answers the same slot until it is sent, and then another", () => {
    const arena = createSendArena(4);
    const { socket, offsets } = createSocket();
    const first = reserveSlot(arena);
    expect(reserveSlot(arena)).toBe(first);
    sendSlot(arena, socket, 10, 1, "192.0.2.1");
    expect(offsets).toEqual([first]);
    expect(reserveSlot(arena)).not.toBe(first);
    expect(arena.bytes.length).toBe(4 * LIMITS.datagramBytesMax);
  });

  it("gives a slot away again only when the system is done with it", () => {
    const arena = createSendArena(3);
    const { socket, finish, offsets } = createSocket();
    sendSlot(arena, socket, 10, 1, "192.0.2.1");
    sendSlot(arena, socket, 10, 1, "192.0.2.1");
    expect(offsets).not.toContain(reserveSlot(arena));
    finish[0]!(null);
    expect(reserveSlot(arena)).toBe(offsets[0]);
  });

  it("drops and counts when every slot is under way, and still has one to reserve", () => {
    const arena = createSendArena(3);
    const { socket, finish, offsets } = createSocket();
    for (let i = 0; i < 5; i++) sendSlot(arena, socket, 100, 1, "192.0.2.1");
    expect(offsets).toHaveLength(2);
    expect(arena.counters).toEqual({ sent: 2, sentBytes: 200, dropped: 3, failed: 0 });
    expect(offsets).not.toContain(reserveSlot(arena));
    expect(slotsUnderWay(arena)).toBe(2);
    for (const done of finish) done(null);
    expect(slotsUnderWay(arena)).toBe(0);
  });

  it("counts what the system refuses, at once or later, and throws nothing", () => {
    const arena = createSendArena(3);
    const { socket, finish } = createSocket();
    sendSlot(arena, socket, 10, 1, "192.0.2.1");
    finish[0]!(new Error("unreachable"));
    const closed = {
      send() {
        throw new Error("not running");
      },
    } as unknown as Socket;
    sendSlot(arena, closed, 10, 1, "192.0.2.1");
    expect(arena.counters).toEqual({ sent: 1, sentBytes: 10, dropped: 0, failed: 2 });
    expect(slotsUnderWay(arena)).toBe(0);
  });
});
