import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createReplayWindow, replayAllows, replayMark } from "../../../core/dtls/replay-window.ts";

describe("the replay window", () => {
  it("allows a number once", () => {
    const window = createReplayWindow();
    for (const sequence of [0, 1, 5, 3, 63, 64]) {
      expect(replayAllows(window, sequence)).toBe(true);
      replayMark(window, sequence);
      expect(replayAllows(window, sequence)).toBe(false);
    }
  });

  it("reaches back 64 records and no further", () => {
    const window = createReplayWindow();
    replayMark(window, 1_000);
    expect(replayAllows(window, 937)).toBe(true);
    expect(replayAllows(window, 936)).toBe(false);
  });

  it("goes by the highest number, up to 48 bits", () => {
    const window = createReplayWindow();
    replayMark(window, 0xffff_ffff_ffff);
    expect(replayAllows(window, 0xffff_ffff_ffff)).toBe(false);
    expect(replayAllows(window, 0xffff_ffff_fffe)).toBe(true);
    expect(replayAllows(window, 0)).toBe(false);
  });

  it("agrees with a set of all numbers ever marked", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 400 }), (sequences) => {
        const window = createReplayWindow();
        const seen = new Set<number>();
        for (const sequence of sequences) {
          const highest = Math.max(-1, ...seen);
          const expected = !seen.has(sequence) && sequence > highest - 64;
          expect(replayAllows(window, sequence)).toBe(expected);
          if (!expected) continue;
          replayMark(window, sequence);
          seen.add(sequence);
        }
      }),
    );
  });
});
