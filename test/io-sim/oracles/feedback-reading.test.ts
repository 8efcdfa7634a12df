import { describe, expect, it } from "vitest";
import { readNtpTime, readTransportFeedback } from "../../../io-sim/oracles/feedback-reading.ts";

const ERA_MICROS = (2 ** 32 - 2_208_988_800) * 1_000_000;

describe("the NTP time in a report", () => {
  it("counts seconds from 1900, with a fraction of 32 bits", () => {
    const bytes = Uint8Array.of(0xff, 0x83, 0xaa, 0x7e, 0x81, 0x80, 0, 0, 0);
    expect(readNtpTime(bytes, 1, 0)).toBe(1_500_000);
  });

  it("is the last second before seconds begin anew in 2036, seen from right behind, and the first one seen from before", () => {
    const [last, first] = [new Uint8Array(8).fill(255, 0, 4), new Uint8Array(8)];
    expect(readNtpTime(last, 0, ERA_MICROS + 10)).toBe(ERA_MICROS - 1_000_000);
    expect(readNtpTime(first, 0, ERA_MICROS - 10)).toBe(ERA_MICROS);
  });
});

describe("transport-wide feedback", () => {
  it("tells what is missing from what came before its clock wrapped", () => {
    // From 7 on three packets: 64 ms after the wrap, 4 s before that, and missing. A vector of two bits: 1, 2, 0.
    const chunk = 0xc000 | (1 << 12) | (2 << 10);
    const deltas = [0, (-16_000 >> 8) & 255, -16_000 & 255];
    const bytes = Uint8Array.of(...Array(12).fill(0), 0, 7, 0, 3, 0, 0, 1, 0, chunk >> 8, chunk & 255, ...deltas, 0);
    expect(readTransportFeedback(bytes, 0)).toEqual([
      { sequence: 7, at: 64_000 },
      { sequence: 8, at: 64_000 - 4_000_000 },
      { sequence: 9, at: undefined },
    ]);
  });
});
