import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WallMicros } from "../../../core/base/micros.ts";
import { wallToNtpMiddle } from "../../../core/media/media-clock.ts";
import { createRtt, rttFromReportBlock, rttSample, rttSmoothed } from "../../../core/media/rtt.ts";

describe("round trip", () => {
  it("is what the report block leaves of the time since the report (the example of RFC 3550 §6.4.1)", () => {
    // A = b710:8000, LSR = b705:2000, DLSR = 0005:4000; A - LSR - DLSR = 0006:2000, 6.125 s.
    expect(rttFromReportBlock(0xb710_8000, 0xb705_2000, 0x0005_4000)).toBe(6_125_000);
  });

  it("is found for any time of day, round the wrap of the middle bits", () => {
    const wall = fc.integer({ min: 1_700_000_000, max: 2_200_000_000 });
    fc.assert(
      fc.property(wall, fc.nat(999_999), fc.nat(5_000_000), fc.nat(10_000_000), (second, rest, rtt, delay) => {
        const sent = second * 1_000_000 + rest;
        const now = wallToNtpMiddle((sent + rtt + delay) as WallMicros);
        const units = Math.floor((delay * 65_536) / 1_000_000);
        const found = rttFromReportBlock(now, wallToNtpMiddle(sent as WallMicros) || 1, units);
        expect(Math.abs(found - rtt)).toBeLessThanOrEqual(62);
      }),
    );
  });

  it("is not known from a block without a sender report", () => {
    expect(rttFromReportBlock(1_000, 0, 0)).toBe(-1);
  });

  it("counts as none when rounding makes it a little negative", () => {
    expect(rttFromReportBlock(100_000, 99_000, 1_001)).toBe(0);
  });

  it("is not taken from a block that can't be true", () => {
    expect(rttFromReportBlock(100_000, 99_000, 100_000)).toBe(-1);
    expect(rttFromReportBlock(100_000, 99_000, 0xffff_ffff)).toBe(-1);
    expect(rttFromReportBlock(0x4000_0000, 1, 0)).toBe(-1);
  });

  it("is smoothed by an eighth a sample", () => {
    const rtt = createRtt();
    expect(rttSmoothed(rtt)).toBe(0);
    rttSample(rtt, 80_000);
    expect(rttSmoothed(rtt)).toBe(80_000);
    rttSample(rtt, 160_000);
    expect(rttSmoothed(rtt)).toBe(90_000);
    rttSample(rtt, -1);
    expect(rtt).toMatchObject({ samples: 2, latestMicros: 160_000 });
  });

  it("stays between the least and the greatest sample", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60_000_000), { minLength: 1 }), (samples) => {
        const rtt = createRtt();
        for (const sample of samples) rttSample(rtt, sample);
        expect(rttSmoothed(rtt)).toBeGreaterThanOrEqual(Math.min(...samples));
        expect(rttSmoothed(rtt)).toBeLessThanOrEqual(Math.max(...samples));
        expect(Number.isInteger(rtt.smoothed8) && Number.isInteger(rtt.variation4)).toBe(true);
      }),
    );
  });
});
