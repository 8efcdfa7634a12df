/** Keyed randomness: the same question has the same answer, and answers are spread as if by chance. */
import { describe, expect, it } from "vitest";
import { keyedBelow, keyedUint32 } from "../../../core/base/keyed-random.ts";

/** How many of the 32 bits differ. */
function bitsApart(a: number, b: number): number {
  let difference = (a ^ b) >>> 0;
  let count = 0;
  for (; difference !== 0; difference >>>= 1) count += difference & 1;
  return count;
}

const COUNT = 4_000;

/** How each argument alone is varied. */
const VARIED = [
  ["seed", (i: number) => keyedUint32(i, "site", 7, 3)],
  ["site", (i: number) => keyedUint32(42, `site ${i}`, 7, 3)],
  ["entity", (i: number) => keyedUint32(42, "site", i, 3)],
  ["ordinal", (i: number) => keyedUint32(42, "site", 7, i)],
] as const;

describe("keyedUint32", () => {
  it("answers the same question the same way", () => {
    expect(keyedUint32(42, "ssrc", 7, 3)).toBe(keyedUint32(42, "ssrc", 7, 3));
  });

  it("answers with 32 bits, unsigned", () => {
    for (let i = 0; i < COUNT; i++) {
      const word = keyedUint32(1, "range", i, 0);
      expect(Number.isInteger(word) && word >= 0 && word <= 0xffff_ffff).toBe(true);
    }
  });

  it("tells entity from ordinal", () => {
    expect(keyedUint32(42, "site", 1, 2)).not.toBe(keyedUint32(42, "site", 2, 1));
  });
});

describe.each(VARIED)("when the %s alone varies", (_name, answer) => {
  it("hardly any two answers are equal", () => {
    const answers = new Set<number>();
    for (let i = 0; i < COUNT; i++) answers.add(answer(i));
    // By chance two of 4,000 words of 32 bits meet once in 500 such tests.
    expect(answers.size).toBeGreaterThanOrEqual(COUNT - 2);
  });

  it("neighbouring answers differ in half of their bits", () => {
    let bits = 0;
    for (let i = 0; i < COUNT; i++) bits += bitsApart(answer(i), answer(i + 1));
    expect(bits / COUNT).toBeGreaterThan(15.5);
    expect(bits / COUNT).toBeLessThan(16.5);
  });

  it("each bit is set about half the time", () => {
    for (let bit = 0; bit < 32; bit++) {
      let set = 0;
      for (let i = 0; i < COUNT; i++) set += (answer(i) >>> bit) & 1;
      // Five standard deviations of a fair coin.
      expect(Math.abs(set - COUNT / 2), `bit ${bit}`).toBeLessThan(5 * Math.sqrt(COUNT / 4));
    }
  });
});

describe("keyedBelow", () => {
  it.each([1, 2, 7, 100, 0x1_0000_0000])("stays under %i", (bound) => {
    for (let i = 0; i < 1_000; i++) {
      const value = keyedBelow(9, "below", i, 0, bound);
      expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
    }
  });

  it("fills ten drawers evenly", () => {
    const drawers = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) drawers[keyedBelow(9, "drawers", i, 0, 10)]!++;
    let chiSquare = 0;
    for (const count of drawers) chiSquare += ((count - 1_000) * (count - 1_000)) / 1_000;
    // Nine degrees of freedom: chance exceeds 27.9 once in a thousand.
    expect(chiSquare).toBeLessThan(27.9);
  });
});
