/** Packet indices and the replay window, beside models that are slow and plain. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../core/limits.ts";
import {
  createReplayWindow,
  packetIndex,
  REPLAY,
  replayWindowCheck,
  replayWindowMark,
  rolloverCounter,
} from "../../../core/srtp/replay-window.ts";

const WINDOW = LIMITS.srtpReplayWindowPackets;
const ROUND = 65_536;
/** Sequence numbers around which arithmetic goes wrong. */
const STARTS = [0, 1, 32_767, 32_768, 65_534, 65_535];

describe("the packet index", () => {
  it("of a new stream is its sequence number, for rollover counter zero", () => {
    for (const sequence of STARTS) expect(packetIndex(-1, sequence)).toBe(sequence);
  });

  it("is found for every distance under half a round, on both sides, in every round", () => {
    for (const start of STARTS) {
      for (const round of [1, 2, 65_535, 0xffff_fffe]) {
        const highest = round * ROUND + start;
        for (const distance of [-32_767, -1_000, -1, 0, 1, 1_000, 32_767]) {
          const index = highest + distance;
          expect(packetIndex(highest, index % ROUND)).toBe(index);
        }
      }
    }
  });

  it("at exactly half a round is of the same round, as the comparisons of RFC 3711 §3.3.1 have it", () => {
    expect(packetIndex(5 * ROUND + 100, 100 + 32_768)).toBe(5 * ROUND + 32_868);
    expect(packetIndex(5 * ROUND + 40_000, 40_000 - 32_768)).toBe(5 * ROUND + 7_232);
  });

  it("of a packet from before the first round is negative", () => {
    expect(packetIndex(0, 65_535)).toBe(-1);
  });

  it("has the rollover counter in its upper 32 bits", () => {
    expect(rolloverCounter(65_535)).toBe(0);
    expect(rolloverCounter(65_536)).toBe(1);
    expect(rolloverCounter(0xffff_ffff * ROUND + 7)).toBe(0xffff_ffff);
  });

  it("agrees with the text of RFC 3711 §3.3.1 for every pair of sequence numbers in a sample", () => {
    const round = 7;
    fc.assert(
      fc.property(fc.nat(65_535), fc.nat(65_535), (last, sequence) => {
        let guess = round;
        if (last < 32_768) {
          if (sequence - last > 32_768) guess = round - 1;
        } else if (last - 32_768 > sequence) guess = round + 1;
        expect(packetIndex(round * ROUND + last, sequence)).toBe(guess * ROUND + sequence);
      }),
    );
  });
});

describe("the replay window", () => {
  it("calls an index fresh until it is marked, and seen afterwards", () => {
    for (const start of [0, 5, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 48 - 2]) {
      const window = createReplayWindow();
      expect(replayWindowCheck(window, start)).toBe(REPLAY.FRESH);
      expect(replayWindowCheck(window, start)).toBe(REPLAY.FRESH);
      replayWindowMark(window, start);
      expect(replayWindowCheck(window, start)).toBe(REPLAY.SEEN);
      expect(replayWindowCheck(window, start + 1)).toBe(REPLAY.FRESH);
    }
  });

  it("reaches as far back as its limit says and no further", () => {
    const window = createReplayWindow();
    replayWindowMark(window, 10_000);
    expect(replayWindowCheck(window, 10_000 - WINDOW + 1)).toBe(REPLAY.FRESH);
    expect(replayWindowCheck(window, 10_000 - WINDOW)).toBe(REPLAY.TOO_OLD);
  });

  it("forgets what a leap leaves behind, and only that", () => {
    const window = createReplayWindow();
    for (let index = 0; index < 10; index++) replayWindowMark(window, index);
    replayWindowMark(window, WINDOW + 4);
    expect([4, 5, 9, 10].map((index) => replayWindowCheck(window, index))).toEqual([
      REPLAY.TOO_OLD,
      REPLAY.SEEN,
      REPLAY.SEEN,
      REPLAY.FRESH,
    ]);
    replayWindowMark(window, 50 * WINDOW);
    for (let index = 49 * WINDOW + 1; index < 50 * WINDOW; index++) {
      expect(replayWindowCheck(window, index)).toBe(REPLAY.FRESH);
    }
  });

  it("answers as a set of all indices ever marked would, within its reach", () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: -1_100, max: 40 }), fc.integer({ min: 0, max: 3_000 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(fc.constantFrom(0, 65_530, 2 ** 31 - 5, 2 ** 32 - 5), steps, (start, moves) => {
        const window = createReplayWindow();
        const marked = new Set<number>();
        let highest = -1;
        for (const move of moves) {
          const index = Math.max(0, (highest < 0 ? start : highest) + move);
          const tooOld = highest >= 0 && index <= highest - WINDOW;
          const expected = tooOld ? REPLAY.TOO_OLD : marked.has(index) ? REPLAY.SEEN : REPLAY.FRESH;
          expect(replayWindowCheck(window, index)).toBe(expected);
          if (expected !== REPLAY.FRESH) continue;
          replayWindowMark(window, index);
          marked.add(index);
          highest = Math.max(highest, index);
        }
      }),
    );
  });
});
