/** Serial numbers, walked from start points around the wrap. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  seqAdd16,
  seqAdd32,
  seqDistance16,
  seqDistance32,
  seqNewer16,
  seqNewer32,
  seqUnwrap16,
} from "../../../core/base/sequence.ts";

/** One circle of serial numbers under its three functions. */
interface Circle {
  readonly bits: number;
  readonly add: (a: number, delta: number) => number;
  readonly distance: (from: number, to: number) => number;
  readonly newer: (a: number, b: number) => boolean;
}

const CIRCLES: readonly Circle[] = [
  { bits: 16, add: seqAdd16, distance: seqDistance16, newer: seqNewer16 },
  { bits: 32, add: seqAdd32, distance: seqDistance32, newer: seqNewer32 },
];

describe.each(CIRCLES)("a circle of $bits bits", ({ bits, add, distance, newer }) => {
  const size = 2 ** bits;
  const half = size / 2;
  const starts = [0, 1, half - 1, half, half + 1, size - 2, size - 1];
  const steps = [1, 2, 1_000, half - 1];
  const anywhere = fc.oneof(fc.constantFrom(...starts), fc.integer({ min: 0, max: size - 1 }));

  describe.each(starts)("from %i", (start) => {
    it.each(steps)("a step of %i forwards is newer, and its way back is as long", (step) => {
      const there = add(start, step);
      expect(there).toBe((start + step) % size);
      expect(newer(there, start)).toBe(true);
      expect(newer(start, there)).toBe(false);
      expect(distance(start, there)).toBe(step);
      expect(distance(there, start)).toBe(-step);
      expect(add(there, -step)).toBe(start);
    });

    it("nothing is newer than itself", () => {
      expect(newer(start, start)).toBe(false);
      expect(distance(start, start)).toBe(0);
    });

    it("the number half way round is newer one way or the other, not both", () => {
      const opposite = add(start, half);
      expect(newer(start, opposite)).toBe(!newer(opposite, start));
      expect(Math.abs(distance(start, opposite))).toBe(half);
    });

    it("once round is the same number", () => {
      expect(add(start, size)).toBe(start);
      expect(add(start, -size)).toBe(start);
    });
  });

  it("adding a distance arrives", () => {
    fc.assert(
      fc.property(anywhere, anywhere, (from, to) => {
        expect(add(from, distance(from, to))).toBe(to);
      }),
    );
  });

  it("of two different numbers exactly one is newer", () => {
    fc.assert(
      fc.property(anywhere, anywhere, (a, b) => {
        fc.pre(a !== b);
        expect(newer(a, b)).toBe(!newer(b, a));
      }),
    );
  });

  it("newer agrees with the sign of the distance, but half way round", () => {
    fc.assert(
      fc.property(anywhere, anywhere, (a, b) => {
        fc.pre(Math.abs(distance(a, b)) !== half);
        expect(newer(a, b)).toBe(distance(b, a) > 0);
      }),
    );
  });

  it("takes deltas of many rounds", () => {
    expect(add(5, 3 * size + 7)).toBe(12);
    expect(add(5, -3 * size - 7)).toBe(size - 2);
  });
});

describe("unwrapping", () => {
  it.each([0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x1_0000, 0x1_ffff, 5 * 0x1_0000 + 3, 2 ** 40 + 0xffff])(
    "follows a walk from %i through several rounds, with steps back",
    (start) => {
      let reference = start;
      for (let i = 0; i < 300; i++) {
        const next = reference + (i % 5 === 4 ? -700 : 1_021);
        expect(seqUnwrap16(reference, ((next % 0x1_0000) + 0x1_0000) % 0x1_0000)).toBe(next);
        reference = next;
      }
    },
  );

  it("goes below zero when the first packets come out of order", () => {
    expect(seqUnwrap16(0, 0xffff)).toBe(-1);
    expect(seqUnwrap16(-1, 0xfffe)).toBe(-2);
  });
});
