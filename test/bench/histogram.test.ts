/** The histogram of delays, against a sorted list of the same values. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHistogram, histogramAdd, histogramClear, histogramQuantile } from "../../bench/load/histogram.ts";

describe("a histogram of microseconds", () => {
  it("answers quantiles that are right to a sixty-fourth", () => {
    const values = fc.array(fc.integer({ min: 0, max: 50_000_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.99, 0.999, 1), (list, part) => {
        const histogram = createHistogram();
        for (const value of list) histogramAdd(histogram, value);
        const exact = [...list].sort((a, b) => a - b)[Math.max(0, Math.ceil(list.length * part) - 1)]!;
        const found = histogramQuantile(histogram, part);
        expect(found).toBeGreaterThanOrEqual(exact);
        expect(found).toBeLessThanOrEqual(exact + exact / 64 + 1);
      }),
    );
  });

  it("counts a negative delay as none, and the longest in its last step", () => {
    const histogram = createHistogram();
    histogramAdd(histogram, -5);
    expect(histogramQuantile(histogram, 1)).toBe(0);
    histogramAdd(histogram, 1e15);
    expect(histogramQuantile(histogram, 1)).toBeGreaterThan(2_000_000_000);
  });

  it("is empty at first and when it has been cleared", () => {
    const histogram = createHistogram();
    expect(histogramQuantile(histogram, 0.5)).toBe(0);
    histogramAdd(histogram, 7);
    histogramClear(histogram);
    expect([histogram.total, histogramQuantile(histogram, 0.5)]).toEqual([0, 0]);
  });
});
