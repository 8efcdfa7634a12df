/** Whether two runs that differ in a byte differ in their lanes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLanes, lanesHex, lanesWord, mixBytes, mixText, mixWord } from "../../../core/journal/lanes.ts";

function hexOf(bytes: Uint8Array, offset = 0, length = bytes.length): string {
  const lanes = createLanes();
  mixBytes(lanes, bytes, offset, length);
  return lanesHex(lanes);
}

describe("lanes", () => {
  it("are others after any other byte, and the same wherever the bytes lie", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 60 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, at, change) => {
          const shifted = new Uint8Array(bytes.length + 3);
          shifted.set(bytes, 3);
          expect(hexOf(shifted, 3, bytes.length)).toBe(hexOf(bytes));
          const changed = bytes.slice();
          changed[at % bytes.length]! ^= change;
          expect(hexOf(changed)).not.toBe(hexOf(bytes));
        },
      ),
    );
  });

  it("take in words and texts in their order", () => {
    const wordOf = (...words: (number | string)[]) => {
      const lanes = createLanes();
      for (const word of words) {
        if (typeof word === "string") mixText(lanes, word);
        else mixWord(lanes, word);
      }
      return lanesWord(lanes);
    };
    const outcomes = [
      wordOf(),
      wordOf(1, 2),
      wordOf(2, 1),
      wordOf("ab"),
      wordOf("a", "b"),
      wordOf(-1),
      wordOf(2 ** 31),
    ];
    expect(new Set(outcomes).size).toBe(outcomes.length);
  });
});
