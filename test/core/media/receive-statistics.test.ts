import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, type Micros, millis, seconds } from "../../../core/base/micros.ts";
import { LIMITS } from "../../../core/limits.ts";
import {
  createReceiveStatistics,
  type ReceiveStatistics,
  type ReportBlock,
  receiveStatisticsBitrate,
  receiveStatisticsFlowing,
  receiveStatisticsPacket,
  receiveStatisticsReport,
  receiveStatisticsSenderReport,
} from "../../../core/media/receive-statistics.ts";

const STARTS = [0, 1, 0x7fff, 0x8000, 65_534, 65_535];

function at(milliseconds: number): Micros {
  return (MICROS_ORIGIN + millis(milliseconds)) as Micros;
}

function report(stats: ReceiveStatistics, now: Micros): ReportBlock {
  const block = {
    ssrc: 0,
    fractionLost: 0,
    cumulativeLost: 0,
    extendedHighest: 0,
    jitter: 0,
    lastSr: 0,
    delaySinceLastSr: 0,
  };
  receiveStatisticsReport(stats, now, block);
  return block;
}

/** Packets 20 ms apart on a clock of 48 kHz, those with these places in the stream. */
function receive(stats: ReceiveStatistics, start: number, places: readonly number[]): void {
  for (const place of places) {
    receiveStatisticsPacket(stats, at(place * 20), (start + place) & 0xffff, (place * 960) >>> 0, 100);
  }
}

function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}

describe("receive statistics", () => {
  it("counts what was lost, from any first number on", () => {
    for (const start of STARTS) {
      const stats = createReceiveStatistics(7, 48_000);
      receive(
        stats,
        start,
        range(0, 100).filter((place) => place % 4 !== 1),
      );
      const block = report(stats, at(2_000));
      expect(block.ssrc).toBe(7);
      expect(block.cumulativeLost).toBe(25);
      expect(block.fractionLost).toBe(64);
      expect(block.extendedHighest).toBe(start + 99);
    }
  });

  it("tells the fraction of one interval and the sum of all", () => {
    const stats = createReceiveStatistics(7, 48_000);
    receive(stats, 0, [0, 1, 2, 4]);
    expect(report(stats, at(100))).toMatchObject({ fractionLost: 51, cumulativeLost: 1 });
    receive(stats, 0, [5, 6, 7, 8]);
    expect(report(stats, at(200))).toMatchObject({ fractionLost: 0, cumulativeLost: 1 });
    receive(stats, 0, [9, 12]);
    expect(report(stats, at(300))).toMatchObject({ fractionLost: 128, cumulativeLost: 3 });
  });

  it("counts cycles in the extended highest sequence number", () => {
    const stats = createReceiveStatistics(7, 48_000);
    for (let i = 0; i < 70_000; i++) receiveStatisticsPacket(stats, at(i), (65_000 + i) & 0xffff, i * 48, 1);
    expect(report(stats, at(70_000))).toMatchObject({ extendedHighest: 65_000 + 69_999, cumulativeLost: 0 });
  });

  it("agrees with a plain count for any loss, reordering and repetition", () => {
    const arbitrary = fc.array(fc.integer({ min: -20, max: 30 }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(fc.constantFrom(...STARTS), arbitrary, (start, steps) => {
        const stats = createReceiveStatistics(1, 90_000);
        let highest = 0;
        let received = 1;
        receiveStatisticsPacket(stats, at(0), start, 0, 1);
        for (const step of steps) {
          const place = highest + step;
          highest = Math.max(highest, place);
          received++;
          receiveStatisticsPacket(stats, at(0), (start + place) & 0xffff, 0, 1);
        }
        const block = report(stats, at(0));
        expect(block.extendedHighest).toBe(start + highest);
        expect(block.cumulativeLost).toBe(highest + 1 - received);
        expect(block.fractionLost).toBe(
          Math.min(255, Math.max(0, Math.floor(((highest + 1 - received) * 256) / (highest + 1)))),
        );
      }),
    );
  });

  it("keeps the loss count in 24 signed bits", () => {
    const stats = createReceiveStatistics(1, 90_000);
    let place = 0;
    for (let i = 0; i < 4_000; i++, place += 2_500) receiveStatisticsPacket(stats, at(0), place & 0xffff, 0, 1);
    expect(report(stats, at(0)).cumulativeLost).toBe(0x7f_ffff);
  });

  it("has no jitter when packets come as evenly as they were sent", () => {
    const stats = createReceiveStatistics(1, 48_000);
    receive(stats, 0, range(0, 500));
    expect(report(stats, at(10_000)).jitter).toBe(0);
  });

  it("does not count a late packet as jitter", () => {
    const stats = createReceiveStatistics(1, 48_000);
    receive(stats, 0, [0, 1, 3, 4]);
    receiveStatisticsPacket(stats, at(300), 2, 2 * 960, 100);
    receive(stats, 0, [16]);
    expect(report(stats, at(400)).jitter).toBe(0);
  });

  it("nears the mean difference in transit as jitter", () => {
    for (const first of [0, 0xffff_f000]) {
      const stats = createReceiveStatistics(1, 48_000);
      // Every second packet is 5 ms late: each transit differs from the one before by 240 units.
      for (let i = 0; i < 400; i++) {
        receiveStatisticsPacket(stats, at(i * 20 + (i % 2) * 5), i, (first + i * 960) >>> 0, 1);
      }
      expect(report(stats, at(8_000)).jitter).toBeGreaterThanOrEqual(238);
      expect(report(stats, at(8_000)).jitter).toBeLessThanOrEqual(240);
    }
  });

  it("keeps jitter exact after days on a fast clock", () => {
    const stats = createReceiveStatistics(1, 90_000);
    const start = seconds(40 * 86_400);
    for (let i = 0; i < 300; i++) {
      receiveStatisticsPacket(stats, (at(i * 10) + start) as Micros, i, i * 900, 1);
    }
    expect(report(stats, at(3_000)).jitter).toBe(0);
  });

  it("names the last sender report and how long ago it came", () => {
    const stats = createReceiveStatistics(1, 90_000);
    receiveStatisticsPacket(stats, at(0), 1, 1, 1);
    expect(report(stats, at(0))).toMatchObject({ lastSr: 0, delaySinceLastSr: 0 });
    receiveStatisticsSenderReport(stats, at(1_000), 0x1234_abcd, 0x9876_5432, 0);
    expect(report(stats, at(3_500))).toMatchObject({ lastSr: 0xabcd_9876, delaySinceLastSr: 163_840 });
  });

  it("ignores one stray packet and follows a jump that a second packet confirms", () => {
    const stats = createReceiveStatistics(1, 90_000);
    for (let i = 0; i < 10; i++) receiveStatisticsPacket(stats, at(i), i, 0, 1);
    receiveStatisticsPacket(stats, at(10), 30_000, 0, 1);
    receiveStatisticsPacket(stats, at(11), 10, 0, 1);
    expect(report(stats, at(11))).toMatchObject({ extendedHighest: 10, cumulativeLost: 0 });
    receiveStatisticsPacket(stats, at(12), 30_000, 0, 1);
    receiveStatisticsPacket(stats, at(13), 30_001, 0, 1);
    receiveStatisticsPacket(stats, at(14), 30_002, 0, 1);
    expect(report(stats, at(14))).toMatchObject({ extendedHighest: 30_002, cumulativeLost: 0 });
  });

  it("counts hundreds of late packets in a row as late, and not as another run", () => {
    for (const start of STARTS) {
      const stats = createReceiveStatistics(1, 48_000);
      receive(stats, start, range(0, 50));
      receive(stats, start, range(350, 400));
      expect(report(stats, at(8_000))).toMatchObject({ cumulativeLost: 300 });
      receive(stats, start, range(50, 340));
      receive(stats, start, range(400, 450));
      const block = report(stats, at(9_000));
      expect(block).toMatchObject({ extendedHighest: start + 449, cumulativeLost: 10, fractionLost: 0 });
    }
  });

  it("takes a number from behind the replay window for a jump ahead", () => {
    const stats = createReceiveStatistics(1, 90_000);
    const oldest = 5_002 - LIMITS.srtpReplayWindowPackets;
    for (const sequence of [5_000, 5_001, oldest, oldest + 1]) receiveStatisticsPacket(stats, at(0), sequence, 0, 1);
    expect(report(stats, at(0)).extendedHighest).toBe(5_001);
    for (const sequence of [oldest - 2, oldest - 1]) receiveStatisticsPacket(stats, at(0), sequence, 0, 1);
    expect(report(stats, at(0)).extendedHighest).toBe(oldest - 1);
  });

  it("measures the rate of the last second", () => {
    const stats = createReceiveStatistics(1, 90_000);
    for (let i = 0; i < 300; i++) receiveStatisticsPacket(stats, at(i * 10), i, 0, 1_250);
    expect(receiveStatisticsBitrate(stats, at(3_000))).toBe(1_000_000);
    expect(receiveStatisticsBitrate(stats, at(3_500))).toBeGreaterThan(450_000);
    expect(receiveStatisticsBitrate(stats, at(3_500))).toBeLessThan(600_000);
    expect(receiveStatisticsBitrate(stats, at(5_000))).toBe(0);
    expect(receiveStatisticsBitrate(stats, at(50_000))).toBe(0);
  });

  it("measures the rate of a young stream over its short life", () => {
    const stats = createReceiveStatistics(1, 90_000);
    for (let i = 0; i < 30; i++) receiveStatisticsPacket(stats, at(i * 10), i, 0, 1_250);
    const rate = receiveStatisticsBitrate(stats, at(300));
    expect(rate).toBeGreaterThan(800_000);
    expect(rate).toBeLessThan(1_200_000);
  });

  it("flows while packets come", () => {
    const stats = createReceiveStatistics(1, 90_000);
    const silent = millis(750);
    expect(receiveStatisticsFlowing(stats, at(0), silent)).toBe(false);
    receiveStatisticsPacket(stats, at(0), 1, 1, 1);
    expect(receiveStatisticsFlowing(stats, at(749), silent)).toBe(true);
    expect(receiveStatisticsFlowing(stats, at(750), silent)).toBe(false);
  });

  it("reports nothing lost before anything came", () => {
    expect(report(createReceiveStatistics(5, 8_000), at(0))).toMatchObject({
      ssrc: 5,
      fractionLost: 0,
      cumulativeLost: 0,
      extendedHighest: 0,
    });
  });
});
