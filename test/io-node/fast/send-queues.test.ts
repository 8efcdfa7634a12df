import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../core/index.ts";
import { ERRNO, LINUX, type Libc, WORDS } from "../../../io-node/fast/libc.ts";
import { pieceBytes, takePiece } from "../../../io-node/fast/memory.ts";
import {
  createSendQueues,
  expectDatagrams,
  flushAll,
  queueSlot,
  reservedOffset,
  sendQueuesBytes,
} from "../../../io-node/fast/send-queues.ts";

/** Where the block pretends to lie: above 32 bits, as real memory does. */
const ADDRESS = 0x7f12_3456_7000;
const FLOWS = 5_000;
const NAME_BYTES = WORDS.SOCKADDR * 4;
const LENGTH = sendQueuesBytes() + pieceBytes(FLOWS * NAME_BYTES);
const MEMORY = new Uint8Array(LENGTH);
const NAMES = ADDRESS + sendQueuesBytes();

/** What the kernel does at each call: takes so many messages, or fails so. */
type Answer = { readonly takes: number } | { readonly errno: number };

/**
 * Queues over a kernel that a test plays. It records the datagrams that it took, as "fd: first bytes → flow", those of a
 * train in one line.
 */
function createSubject(answers: Answer[], knowsTrains = true) {
  const taken: string[] = [];
  let errno = 0;
  const words = new Uint32Array(MEMORY.buffer);
  const pointer = (at: number) => words[at]! + words[at + 1]! * 0x1_0000_0000;
  const readMessage = (message: number): string => {
    const count = words[message + WORDS.MESSAGE_VECTORS]!;
    const vectors = (pointer(message + WORDS.MESSAGE_VECTOR) - ADDRESS) / 4;
    const datagrams = Array.from({ length: count }, (_, i) => {
      const vector = vectors + i * WORDS.VECTOR;
      const at = pointer(vector) - ADDRESS;
      return MEMORY.slice(at, at + words[vector + WORDS.VECTOR_LENGTH]!);
    });
    const isTrain = words[message + WORDS.MESSAGE_CONTROL_LENGTH] !== 0;
    expect(isTrain).toBe(count > 1);
    if (isTrain) expectTrain(datagrams, (pointer(message + WORDS.MESSAGE_CONTROL) - ADDRESS) / 4);
    expect(words[message + WORDS.MESSAGE_NAME_LENGTH]).toBe(16);
    const text = datagrams.map((bytes) => (bytes.length > 2 ? `${bytes[0]},${bytes[1]}…${bytes.length}` : `${bytes}`));
    return `${text.join(" ")} → ${(pointer(message) - NAMES) / NAME_BYTES}`;
  };
  /** That the kernel would cut a train as it was put together. */
  const expectTrain = (datagrams: Uint8Array[], control: number) => {
    const segment = datagrams[0]!.length;
    expect([...words.subarray(control, control + 5)]).toEqual([18, 0, LINUX.SOL_UDP, LINUX.UDP_SEGMENT, segment]);
    expect(datagrams.slice(0, -1).every(({ length }) => length === segment)).toBe(true);
    expect(datagrams.at(-1)!.length).toBeLessThanOrEqual(segment);
    expect(datagrams.length).toBeLessThanOrEqual(64);
    expect(datagrams.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(65_507);
  };
  const sendmmsg = (fd: number, address: number, count: number): number => {
    const answer = answers.shift() ?? { takes: count };
    if ("errno" in answer) {
      errno = answer.errno;
      return -1;
    }
    const takes = Math.min(answer.takes, count);
    for (let i = 0; i < takes; i++) taken.push(`${fd}: ${readMessage((address - ADDRESS) / 4 + i * WORDS.MESSAGE)}`);
    return takes;
  };
  const setsockopt = () => (knowsTrains ? 0 : -1);
  const libc = { sendmmsg, setsockopt, native: { errno: () => errno } } as unknown as Libc;
  const block = { address: ADDRESS, bytes: MEMORY, used: sendQueuesBytes() };
  const names = takePiece(block, FLOWS * NAME_BYTES);
  block.used = 0;
  const queues = createSendQueues(libc, block, [7, 8], { names, nameLengths: new Uint8Array(FLOWS).fill(16) });
  const send = (socket: number, number: number, flow = number, length = 2) => {
    queues.arena.bytes.set([number >> 8, number & 0xff], reservedOffset(queues));
    queueSlot(queues, socket, flow, length);
  };
  const unblock = () => {
    for (const queue of queues.queues) queue.blocked = false;
  };
  return { queues, send, taken, unblock };
}

const line = (fd: number, number: number) => `${fd}: ${number >> 8},${number & 0xff} → ${number}`;

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
    for (let number = 0; number < 9_000; number++) send(1, number % FLOWS);
    flushAll(queues);
    expect(queues.counters).toMatchObject({ sent: 4_095 + 9_000, dropped });
  });

  it("lose no order within a flow and no slot, whatever the kernel does", () => {
    const answer = fc.oneof(
      fc.record({ takes: fc.integer({ min: 1, max: 80 }) }),
      fc.record({ errno: fc.constantFrom<number>(...Object.values(ERRNO)) }),
    );
    const burst = fc.array(fc.record({ flow: fc.nat(7), length: fc.constantFrom(1_200, 1_200, 900, 60) }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 40 }), fc.array(burst, { maxLength: 12 }), (answers, bursts) => {
        const { queues, send, taken, unblock } = createSubject([...answers]);
        let number = 0;
        expectDatagrams(queues, 8);
        for (const datagrams of bursts) {
          for (const { flow, length } of datagrams) send(flow & 1, number++, flow, length);
          flushAll(queues);
          unblock();
        }
        // Each try lets the player of the kernel say one more of what he has to say.
        for (let i = 0; i <= answers.length; i++) {
          unblock();
          flushAll(queues);
        }
        const numbers = taken.flatMap((each) => [...each.matchAll(/(\d+),(\d+)…/g)].map(([, a, b]) => +a! * 256 + +b!));
        const { sent, failed } = queues.counters;
        expect([sent, sent + failed]).toEqual([numbers.length, number]);
        for (let flow = 0; flow < 8; flow++) {
          const own = taken.filter((each) => each.startsWith(`${7 + (flow & 1)}:`) && each.endsWith(` → ${flow}`));
          const order = own.flatMap((each) => [...each.matchAll(/(\d+),(\d+)…/g)].map(([, a, b]) => +a! * 256 + +b!));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
        expect(queues.queues.map(({ waiting, apart }) => [waiting, apart])).toEqual([
          [0, false],
          [0, false],
        ]);
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

describe("trains of datagrams", () => {
  /** Sends a picture of three packets, the last one shorter, to each of two flows, as a shard does: packet by packet. */
  const sendPicture = (send: (socket: number, number: number, flow: number, length: number) => void, first: number) => {
    for (const [part, length] of [1_200, 1_200, 700].entries()) {
      for (const flow of [1, 2]) send(0, first + part, flow, length);
    }
  };
  const picture = (first: number, flow: number) =>
    `7: 0,${first}…1200 0,${first + 1}…1200 0,${first + 2}…700 → ${flow}`;

  it("form of what waits for one flow, in order, up to one that is shorter", () => {
    const { queues, send, taken } = createSubject([]);
    expectDatagrams(queues, 6);
    sendPicture(send, 1);
    sendPicture(send, 4);
    expect(flushAll(queues)).toBe(true);
    expect(taken).toEqual([picture(1, 1), picture(1, 2), picture(4, 1), picture(4, 2)]);
    expect(queues.counters).toMatchObject({ sent: 12, sentBytes: 4 * 3_100 });
  });

  it("end where a longer datagram follows, and where the kernel takes no more", () => {
    const { queues, send, taken } = createSubject([]);
    expectDatagrams(queues, 64);
    send(0, 1, 1, 100);
    send(0, 2, 1, 1_200);
    for (let i = 0; i < 70; i++) send(0, 3, 2, 500);
    for (let i = 0; i < 60; i++) send(0, 4, 3, 1_400);
    flushAll(queues);
    const counts = taken.map((each) => [Number(each.split(" → ")[1]), each.split("…").length - 1]);
    expect(counts).toEqual([[1, 1], [1, 1], [2, 64], [2, 6], [3, 46], [3, 14]]); // biome-ignore format: pairs
  });

  it("wait with all behind them when the kernel is full, and grow meanwhile", () => {
    const { queues, send, taken, unblock } = createSubject([{ takes: 1 }, { errno: ERRNO.EAGAIN }]);
    expectDatagrams(queues, 3);
    for (const number of [1, 2]) for (const flow of [1, 2]) send(0, number, flow, 1_200);
    expect(flushAll(queues)).toBe(false);
    expect(taken).toEqual(["7: 0,1…1200 0,2…1200 → 1"]);
    for (const flow of [1, 2]) send(0, 3, flow, 1_200);
    unblock();
    expect(flushAll(queues)).toBe(true);
    expect(taken.slice(1)).toEqual(["7: 0,1…1200 0,2…1200 0,3…1200 → 2", "7: 0,3…1200 → 1"]);
  });

  it("go datagram by datagram where the kernel refuses them", () => {
    const { queues, send, taken, unblock } = createSubject([
      { errno: ERRNO.EINVAL },
      { takes: 2 },
      { errno: ERRNO.EAGAIN },
    ]);
    expectDatagrams(queues, 3);
    sendPicture(send, 1);
    flushAll(queues);
    expect(taken).toEqual(["7: 0,1…1200 → 1", "7: 0,2…1200 → 1"]);
    unblock();
    flushAll(queues);
    // The second had formed before.
    expect(taken.slice(2)).toEqual(["7: 0,3…700 → 1", picture(1, 2)]);
    expect(queues.counters).toMatchObject({ sent: 6, failed: 0 });
  });

  it("form no more where the kernel has refused sixteen in a row", () => {
    const answers = Array.from({ length: 15 }, () => [{ errno: ERRNO.EIO }, { takes: 3 }]).flat();
    const { queues, send, taken } = createSubject(answers);
    expectDatagrams(queues, 3);
    const sendOne = () => {
      taken.length = 0;
      for (const length of [1_200, 1_200, 700]) send(0, 1, 1, length);
      flushAll(queues);
      return taken.length;
    };
    const refused = () => Array.from({ length: 15 }, sendOne);
    expect(refused()).toEqual(new Array(15).fill(3));
    // One that is taken in between, and they count from the start.
    expect(sendOne()).toBe(1);
    for (let i = 0; i < 16; i++) answers.push({ errno: ERRNO.EIO }, { takes: 3 });
    expect([...refused(), sendOne(), sendOne()]).toEqual(new Array(17).fill(3));
    expect(answers).toEqual([]);
    expect(queues.counters).toMatchObject({ sent: 33 * 3, failed: 0 });
  });

  it("are given up for one way alone when that is too narrow for them", () => {
    const { queues, send, taken } = createSubject([{ errno: ERRNO.EMSGSIZE }]);
    expectDatagrams(queues, 3);
    sendPicture(send, 1);
    flushAll(queues);
    expect(taken).toEqual(["7: 0,1…1200 → 1", "7: 0,2…1200 → 1", "7: 0,3…700 → 1", picture(1, 2)]);
    taken.length = 0;
    sendPicture(send, 4);
    flushAll(queues);
    expect(taken).toEqual([picture(4, 1), picture(4, 2)]);
  });

  it("are lost whole when the network refuses them", () => {
    const { queues, send, taken } = createSubject([{ errno: ERRNO.ENOBUFS }]);
    expectDatagrams(queues, 3);
    sendPicture(send, 1);
    flushAll(queues);
    expect(taken).toEqual([picture(1, 2)]);
    expect(queues.counters).toMatchObject({ sent: 3, failed: 3, noBuffers: 3 });
  });

  it("never form on a kernel that does not know them", () => {
    const { queues, send, taken } = createSubject([], false);
    expectDatagrams(queues, 3);
    sendPicture(send, 1);
    flushAll(queues);
    expect(taken).toHaveLength(6);
  });
});
