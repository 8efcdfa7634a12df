import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../core/index.ts";
import { ERRNO, type Libc, WORDS } from "../../../io-node/fast/libc.ts";
import { takePiece } from "../../../io-node/fast/memory.ts";
import {
  createSendQueues,
  flushAll,
  queueSlot,
  reservedOffset,
  sendQueuesBytes,
} from "../../../io-node/fast/send-queues.ts";

/** Where the block pretends to lie: above 32 bits, as real memory does. */
const ADDRESS = 0x7f12_3456_7000;
const LENGTH = sendQueuesBytes(2);
const MEMORY = new Uint8Array(LENGTH);

/** What the kernel does at each call: takes so many datagrams, or fails so. */
type Answer = { readonly takes: number } | { readonly errno: number };

/** Queues over a kernel that a test plays; it records what it took, as "fd: first bytes → name". */
function createSubject(answers: Answer[]) {
  const taken: string[] = [];
  let errno = 0;
  const words = new Uint32Array(MEMORY.buffer);
  const pointer = (at: number) => words[at]! + words[at + 1]! * 0x1_0000_0000;
  const sendmmsg = (fd: number, address: number, count: number): number => {
    const answer = answers.shift() ?? { takes: count };
    if ("errno" in answer) {
      errno = answer.errno;
      return -1;
    }
    const takes = Math.min(answer.takes, count);
    for (let i = 0; i < takes; i++) {
      const message = (address - ADDRESS) / 4 + i * WORDS.MESSAGE;
      const vector = (pointer(message + WORDS.MESSAGE_VECTOR) - ADDRESS) / 4;
      const at = pointer(vector) - ADDRESS;
      const bytes = [...MEMORY.subarray(at, at + words[vector + WORDS.VECTOR_LENGTH]!)];
      taken.push(`${fd}: ${bytes} → ${pointer(message)}/${words[message + WORDS.MESSAGE_NAME_LENGTH]}`);
    }
    return takes;
  };
  const libc = { sendmmsg, native: { errno: () => errno } } as unknown as Libc;
  const block = { address: ADDRESS, bytes: MEMORY, used: 0 };
  const queues = createSendQueues(libc, block, [7, 8]);
  const send = (socket: number, number: number) => {
    queues.arena.bytes.set([number >> 8, number & 0xff], reservedOffset(queues));
    queueSlot(queues, socket, 2, 0x7fff_0000_1000 + number, 16);
  };
  return { queues, send, taken };
}

const line = (fd: number, number: number) => `${fd}: ${number >> 8},${number & 0xff} → ${0x7fff_0000_1000 + number}/16`;

describe("the send queues", () => {
  it("hand bytes, length and address of each datagram to the kernel, each socket its own, in order", () => {
    const { queues, send, taken } = createSubject([]);
    for (const number of [1, 2, 3, 4, 5]) send(number % 2, number);
    expect(flushAll(queues)).toBe(true);
    expect(taken).toEqual([line(7, 2), line(7, 4), line(8, 1), line(8, 3), line(8, 5)]);
    expect(queues.counters).toEqual({ sent: 5, sentBytes: 10, dropped: 0, failed: 0, noBuffers: 0 });
  });

  it("go on where the kernel stopped taking", () => {
    const { queues, send, taken } = createSubject([{ takes: 2 }, { takes: 1 }, { errno: ERRNO.EAGAIN }]);
    for (const number of [1, 2, 3, 4, 5]) send(0, number);
    expect(flushAll(queues)).toBe(false);
    expect(taken).toEqual([1, 2, 3].map((number) => line(7, number)));
    // Full: nothing more is tried until poll has said that there's room, and what comes meanwhile queues up behind.
    send(0, 6);
    expect(flushAll(queues)).toBe(false);
    expect(taken).toHaveLength(3);
    queues.queues[0]!.blocked = false;
    expect(flushAll(queues)).toBe(true);
    expect(taken).toEqual([1, 2, 3, 4, 5, 6].map((number) => line(7, number)));
  });

  it("drop the one datagram that the kernel refuses, and count why", () => {
    const { queues, send, taken } = createSubject([{ takes: 1 }, { errno: 101 }, { errno: ERRNO.ENOBUFS }]);
    for (const number of [1, 2, 3, 4]) send(0, number);
    expect(flushAll(queues)).toBe(true);
    expect(taken).toEqual([1, 4].map((number) => line(7, number)));
    expect(queues.counters).toMatchObject({ sent: 2, failed: 2, noBuffers: 1 });
  });

  it("drop and count what comes when every slot waits, and use each slot again after that", () => {
    const { queues, send, taken } = createSubject([{ errno: ERRNO.EAGAIN }]);
    for (let number = 0; number < 5_000; number++) send(0, number);
    const { dropped } = queues.counters;
    expect(dropped).toBe(5_000 - 4_095);
    queues.queues[0]!.blocked = false;
    flushAll(queues);
    expect(taken).toEqual(Array.from({ length: 4_095 }, (_, number) => line(7, number)));
    for (let number = 0; number < 9_000; number++) send(1, number);
    flushAll(queues);
    expect(queues.counters).toMatchObject({ sent: 4_095 + 9_000, dropped });
  });

  it("lose no order and no slot, whatever the kernel does", () => {
    const answer = fc.oneof(
      fc.record({ takes: fc.integer({ min: 1, max: 80 }) }),
      fc.record({ errno: fc.constantFrom<number>(...Object.values(ERRNO)) }),
    );
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 40 }), fc.array(fc.nat(200), { maxLength: 12 }), (answers, bursts) => {
        const { queues, send, taken } = createSubject([...answers]);
        let number = 0;
        for (const burst of bursts) {
          for (let i = 0; i < burst; i++) send(i % 2, number++);
          flushAll(queues);
          for (const queue of queues.queues) queue.blocked = false;
        }
        // Each try lets the player of the kernel say one more of what he has to say.
        for (let i = 0; i <= answers.length; i++) {
          for (const queue of queues.queues) queue.blocked = false;
          flushAll(queues);
        }
        const { sent, failed } = queues.counters;
        expect([sent, sent + failed]).toEqual([taken.length, number]);
        for (const fd of ["7", "8"]) {
          const order = taken.filter((each) => each.startsWith(fd)).map((each) => Number(each.split(/[:,→/]/)[3]));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
        expect(new Set([...queues.freeSlots.subarray(0, queues.freeCount), queues.reserved]).size).toBe(4_096);
      }),
      { numRuns: 60 },
    );
  });

  it("write no further than a slot", () => {
    const { queues } = createSubject([]);
    expect(queues.arena.bytes.length).toBe(4_096 * LIMITS.datagramBytesMax);
    expect(() => takePiece({ address: 0, bytes: MEMORY, used: LENGTH }, 1)).toThrow("fits its block");
  });
});
