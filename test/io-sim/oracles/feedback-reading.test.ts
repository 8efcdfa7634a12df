import { describe, expect, it } from "vitest";
import { readNtpTime } from "../../../io-sim/oracles/feedback-reading.ts";

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
