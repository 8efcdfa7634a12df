/** One question for every codec. What each codec answers is tested beside its own file. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CODEC } from "../../../core/wire/codec.ts";
import { payloadFrameSize, payloadIsKeyframe } from "../../../core/wire/payload.ts";
import { hex } from "../../support/hex.ts";
import { expectBounded, hostileBytes } from "../../support/hostile.ts";

/** The beginning of a keyframe of each codec. */
const KEYFRAMES = [
  [CODEC.VP8, hex("10", "50 42 00 9d 01 2a 80 02 68 01")],
  [CODEC.VP9, hex("0a", "10 02 80 01 68", "83")],
  [CODEC.H264, hex("67 42 00 1f 96 54 05 01 7b 01")],
  [CODEC.AV1, hex("18", "08 18 00 00")],
] as const;

describe("payloads", () => {
  it("are asked in the way of their codec", () => {
    for (const [codec, bytes] of KEYFRAMES) {
      expect(payloadIsKeyframe(codec, bytes, 0, bytes.length), `codec ${codec}`).toBe(true);
    }
  });

  it("give the size of a keyframe where it is known", () => {
    for (const [codec, bytes] of KEYFRAMES.slice(0, 2)) {
      expect(payloadFrameSize(codec, bytes, 0, bytes.length), `codec ${codec}`).toBe((640 << 16) | 360);
    }
  });

  it("of audio and of unknown codecs have neither", () => {
    for (const codec of [CODEC.NONE, CODEC.OPUS, 99]) {
      for (const [, bytes] of KEYFRAMES) {
        expect(payloadIsKeyframe(codec, bytes, 0, bytes.length)).toBe(false);
        expect(payloadFrameSize(codec, bytes, 0, bytes.length)).toBe(0);
      }
    }
  });

  it("that are hostile are judged by themselves alone, whatever their codec is said to be", () => {
    const seeds = KEYFRAMES.map(([, bytes]) => bytes);
    fc.assert(
      fc.property(hostileBytes(...seeds), fc.nat(7), (hostile, codec) => {
        expectBounded(hostile, (bytes, offset, length) => [
          payloadIsKeyframe(codec, bytes, offset, length),
          payloadFrameSize(codec, bytes, offset, length),
        ]);
      }),
      { numRuns: 500 },
    );
  });
});
