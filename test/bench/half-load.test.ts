/** Half load of a ramp: which step it is, and what is said of it. */
import { describe, expect, it } from "vitest";
import { halfLoadLines, halfLoadOf } from "../../bench/forward/half-load.ts";
import type { ForwardStep } from "../../bench/forward/measure-forward.ts";

/** A step at which the server needs so many cores. */
function step(rate: number, cores: number | null, p99: number, lossRatio = 0): ForwardStep {
  const packetsPerSecond = rate * 1_000;
  const micros = cores === null ? null : (cores * 1_000_000) / packetsPerSecond;
  return {
    packetsPerSecondPerStream: rate,
    packetsPerSecond,
    cpuMicrosPerForwardedPacket: micros,
    userMicrosPerForwardedPacket: micros,
    systemMicrosPerForwardedPacket: 0,
    lossRatio,
    addedDelayMicros: { p50: p99 / 10, p99, p999: p99 * 2 },
    garbage: null,
    verified: 1,
    wrong: 0,
    refused: 0,
    slotsServed: 1,
    slots: 1,
    generatorBusy: 0.5,
  };
}

describe("half load", () => {
  it("is where the server needs half of what it needs at the last step without loss", () => {
    const steps = [
      step(10, 0.2, 100),
      step(20, 0.44, 900),
      step(30, 0.6, 2_000),
      step(40, 0.8, 3_000),
      step(50, 1, 9_000, 0.2),
    ];
    const half = halfLoadOf(steps);
    expect(half).toMatchObject({ packetsPerSecondPerStream: 20, lostInTheEnd: true, p99Micros: 900, held: true });
    expect([half?.cores, half?.coresCarried].map((cores) => cores?.toFixed(2))).toEqual(["0.44", "0.80"]);
    expect(halfLoadLines(half).join("\n")).toMatch(/^Half load +20 packets\/s .* 55 % .* p99 900 µs, .* is held$/);
  });

  it("is not held where 99 of 100 packets take a millisecond, and says when the server may carry more", () => {
    const half = halfLoadOf([step(10, 0.4, 1_000), step(20, 0.8, 2_000)]);
    expect(half).toMatchObject({ packetsPerSecondPerStream: 10, lostInTheEnd: false, held: false });
    expect(halfLoadLines(half).join("\n")).toMatch(/is not held\n +Nothing was lost at the end/);
  });

  it("is not known from one step, from losses alone, or without the server's processor time", () => {
    expect(halfLoadOf([step(10, 0.4, 500)])).toBeNull();
    expect(halfLoadOf([step(10, 0.4, 500, 0.1), step(20, 0.8, 500, 0.1)])).toBeNull();
    expect(halfLoadOf([step(10, null, 500), step(20, null, 500)])).toBeNull();
    expect(halfLoadLines(null)).toEqual([]);
  });
});
