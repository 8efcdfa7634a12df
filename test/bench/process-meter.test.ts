/**
 * Processor time of a process as the benchmarks read it: to the microsecond, though the kernel tells user from system by ticks.
 */
import { describe, expect, it } from "vitest";
import { cpuBetween, readCpu } from "../../bench/server/process-meter.ts";

describe("processor time", () => {
  it("is what the process itself is told", () => {
    const before = readCpu(process.pid);
    const usage = process.cpuUsage();
    let used = 0;
    while (used < 40_000) {
      const { user, system } = process.cpuUsage(usage);
      used = user + system;
    }
    const { userMicros, systemMicros } = cpuBetween(before, readCpu(process.pid));
    expect((userMicros + systemMicros) / used).toBeGreaterThan(0.5);
    expect((userMicros + systemMicros) / used).toBeLessThan(2);
  });

  it("is divided into user and system as the ticks are", () => {
    const from = { totalMicros: 1_000, userTicks: 5, systemTicks: 5 };
    const to = { totalMicros: 5_000, userTicks: 6, systemTicks: 8 };
    expect(cpuBetween(from, to)).toEqual({ userMicros: 1_000, systemMicros: 3_000 });
  });

  it("of less than a tick is counted too", () => {
    const from = { totalMicros: 1_000, userTicks: 5, systemTicks: 5 };
    expect(cpuBetween(from, { ...from, totalMicros: 1_700 })).toEqual({ userMicros: 700, systemMicros: 0 });
  });

  it("of a process that is gone can't be read", () => {
    expect(() => readCpu(2 ** 30)).toThrow("ENOENT");
  });
});
