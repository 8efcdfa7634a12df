import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { micros } from "../../../core/base/micros.ts";
import { clockUnits } from "../../../core/media/clock-units.ts";

const rate = fc.constantFrom(8_000, 16_000, 48_000, 90_000);

describe("clock units", () => {
  it("are exact for any time that a Number can hold", () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 41), max: 2 ** 41 }), rate, (thousands, clockRate) => {
        // Spans of whole milliseconds stand just where rounding would go wrong.
        const span = thousands * 1_000;
        const product = BigInt(span) * BigInt(clockRate);
        const floor = (product - (((product % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n;
        expect(BigInt(clockUnits(micros(span), clockRate))).toBe(floor);
      }),
    );
  });
});
