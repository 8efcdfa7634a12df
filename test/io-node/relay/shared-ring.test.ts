/** The ring between two shards: order, bounds and wake-ups, wherever it goes round. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createRingMemory,
  entryGoesOn,
  entryLength,
  entryWords,
  openRingReader,
  openRingWriter,
  ringHolds,
  ringPut,
  ringShow,
  ringTake,
} from "../../../io-node/relay/shared-ring.ts";
import { threadCode } from "../../../io-node/thread-code.ts";
import type { RingReaderFound, RingReaderTask } from "../../support/hosts/ring-reader.ts";

/** Where the positions stand in the memory of a ring. */
const POSITIONS = [0, 32];

/** Both ends of an empty ring whose positions have come to `start`. */
function ends(bytes: number, start = 0) {
  const memory = createRingMemory(bytes);
  for (const word of POSITIONS) new Int32Array(memory)[word] = start;
  return { writer: openRingWriter(memory), reader: openRingReader(memory) };
}

/** So many bytes, the first of them `value`. */
function record(value: number, length: number): { words: Int32Array; bytes: Uint8Array } {
  const words = new Int32Array((length + 3) >>> 2);
  const bytes = new Uint8Array(words.buffer, 0, length);
  bytes.forEach((_, index) => {
    bytes[index] = value + index;
  });
  return { words, bytes };
}

/** Takes one batch apart. */
function take(reader: ReturnType<typeof openRingReader>, words: number): { bytes: number[]; goesOn: boolean }[] {
  const batch = new Int32Array(words);
  const taken = ringTake(reader, batch);
  const entries = [];
  for (let at = 0; at < taken; at += entryWords(batch, at)) {
    const bytes = [...new Uint8Array(batch.buffer, 4 * (at + 1), entryLength(batch, at))];
    entries.push({ bytes, goesOn: entryGoesOn(batch, at) });
  }
  return entries;
}

describe("a ring", () => {
  it("hands out what was put in, whole, in order and once, for any interleaving and wherever it goes round", () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ what: fc.constant("put" as const), size: fc.nat(120) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant("show" as const), size: fc.nat(0) }) },
      {
        weight: 2,
        arbitrary: fc.record({ what: fc.constant("take" as const), size: fc.integer({ min: 32, max: 64 }) }),
      },
    );
    const start = fc.constantFrom(0, 60, 2 ** 31 - 70, -(2 ** 31) + 3, -1, -64);
    const spare = fc.constantFrom(0, 64);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), start, spare, (steps, position, spareBytes) => {
        const { writer, reader } = ends(256, position);
        const put: { bytes: number[]; goesOn: boolean }[] = [];
        let [shown, taken, inRing] = [0, 0, 0];
        for (const [index, { what, size }] of steps.entries()) {
          const space = 4 * (1 + Math.ceil(size / 4));
          if (what === "put") {
            const { words, bytes } = record(index, size);
            const fits = inRing + space + spareBytes <= 256;
            expect(ringPut(writer, words, 0, size, index % 3 === 0, spareBytes)).toBe(fits);
            if (!fits) continue;
            put.push({ bytes: [...bytes], goesOn: index % 3 === 0 });
            inRing += space;
          } else if (what === "show") {
            const knows = taken < shown;
            expect(ringShow(writer)).toBe(put.length > shown && !knows);
            shown = put.length;
          } else {
            expect(ringHolds(reader)).toBe(taken < shown);
            const got = take(reader, size);
            expect(got).toEqual(put.slice(taken, taken + got.length));
            taken += got.length;
            expect(taken).toBeLessThanOrEqual(shown);
            for (const { bytes } of got) inRing -= 4 * (1 + Math.ceil(bytes.length / 4));
            if (got.length === 0) expect(taken).toBe(shown);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("takes what begins anywhere in its source", () => {
    const { writer, reader } = ends(256);
    const { words } = record(0, 64);
    expect(ringPut(writer, words, 5, 9, false, 0)).toBe(true);
    ringShow(writer);
    expect(take(reader, 64)).toEqual([{ bytes: [20, 21, 22, 23, 24, 25, 26, 27, 28], goesOn: false }]);
  });

  it("can't be of any size", () => {
    for (const bytes of [0, 32, 1_000, 2 ** 29]) expect(() => createRingMemory(bytes)).toThrow(/power of two/);
  });
});

describe("a ring between two threads", { timeout: 60_000 }, () => {
  it("carries everything, and a reader that sleeps is woken", async () => {
    const entries = 30_000;
    const memory = createRingMemory(1_024);
    const bell = new Int32Array(new SharedArrayBuffer(4));
    const workerData: RingReaderTask = { memory, bell, entries };
    const { text } = threadCode(new URL("../../support/hosts/ring-reader.ts", import.meta.url));
    const thread = new Worker(text, { eval: true, workerData, execArgv: [] });
    await once(thread, "message");
    const found = once(thread, "message") as Promise<[RingReaderFound]>;
    const writer = openRingWriter(memory);
    const show = () => {
      if (!ringShow(writer)) return;
      Atomics.add(bell, 0, 1);
      Atomics.notify(bell, 0);
    };
    let refused = 0;
    for (let number = 1; number <= entries; number++) {
      const words = new Int32Array(40).fill(number);
      while (!ringPut(writer, words, 0, 4 * (1 + (number % 40)), false, 0)) {
        refused += 1;
        show();
      }
      if (number % 3 === 0 || number === entries) show();
    }
    expect(await found).toEqual([{ taken: entries, wrong: 0, overslept: 0 }]);
    expect(refused).toBeGreaterThan(0);
    await once(thread, "exit");
  });
});
