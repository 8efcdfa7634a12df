import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bitRingClear,
  bitRingCount,
  bitRingHas,
  bitRingSet,
  bitRingSetRange,
  createBitRing,
} from "../../../core/base/bit-ring.ts";

const SIZE = 128;
/** Places where a ring's index or a 32-bit number turns over. */
const STARTS = [0, 31, 32, 127, 128, 65_535, 2 ** 31 - 40, 2 ** 32 - 40, 2 ** 40];

describe("bit ring", () => {
  it("holds what a set of the newest numbers holds", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STARTS),
        fc.array(
          fc.record({ step: fc.integer({ min: 1, max: 200 }), back: fc.array(fc.integer({ min: 0, max: 127 })) }),
        ),
        (start, steps) => {
          const ring = createBitRing(SIZE);
          const model = new Set<number>();
          let newest = start + SIZE;
          for (const { step, back } of steps) {
            bitRingClear(ring, newest + 1, newest + step);
            newest += step;
            for (const number of back) {
              bitRingSet(ring, newest - number);
              model.add(newest - number);
            }
            for (let number = newest - SIZE + 1; number <= newest; number++) {
              expect(bitRingHas(ring, number)).toBe(model.has(number));
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("sets a range, and all of itself for one that is longer than it", () => {
    for (const start of STARTS) {
      for (const length of [1, 2, 33, 127, 128, 129, 1_000]) {
        const ring = createBitRing(SIZE);
        bitRingSetRange(ring, start, start + length - 1);
        for (let i = 0; i < SIZE; i++) expect(bitRingHas(ring, start + i)).toBe(i < length);
      }
    }
  });

  it("counts the bits of any range within it", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STARTS),
        fc.array(fc.integer({ min: 0, max: SIZE - 1 })),
        fc.integer({ min: 0, max: SIZE - 1 }),
        fc.integer({ min: 0, max: SIZE - 1 }),
        (start, offsets, a, b) => {
          const ring = createBitRing(SIZE);
          for (const offset of offsets) bitRingSet(ring, start + offset);
          const first = Math.min(a, b);
          const last = Math.max(a, b);
          const within = new Set(offsets.filter((offset) => offset >= first && offset <= last));
          expect(bitRingCount(ring, start + first, start + last)).toBe(within.size);
        },
      ),
    );
  });

  it("counts all bits of a full ring and none of an empty range", () => {
    const ring = createBitRing(SIZE);
    for (let number = 5; number < 5 + SIZE; number++) bitRingSet(ring, number);
    expect(bitRingCount(ring, 5, 4 + SIZE)).toBe(SIZE);
    expect(bitRingCount(ring, 5, 4)).toBe(0);
  });
});
