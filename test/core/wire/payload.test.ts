/** One question for every codec. What each codec answers is tested beside its own file. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CODEC } from "../../../core/wire/codec.ts";
import {
  payloadCopyHead,
  payloadDescriptorLength,
  payloadFrameSize,
  payloadIsKeyframe,
} from "../../../core/wire/payload.ts";
import { rtpHeaderLength, rtpPayloadLength, rtpPayloadType } from "../../../core/wire/rtp.ts";
import { vp8PictureId, vp8Tl0PicIdx } from "../../../core/wire/vp8.ts";
import { vp9PictureId, vp9Tl0PicIdx } from "../../../core/wire/vp9.ts";
import { CAPTURES, readCapture } from "../../support/wire/captures.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

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

/** What the core may ask about a payload. */
function answers(codec: number, bytes: Uint8Array, offset: number, length: number): unknown[] {
  const keyframe = payloadIsKeyframe(codec, bytes, offset, length);
  const size = keyframe ? payloadFrameSize(codec, bytes, offset, length) : 0;
  if (payloadDescriptorLength(codec, bytes, offset, length) === 0) return [keyframe, size, -1, -1];
  const [pictureId, tl0] = codec === CODEC.VP8 ? [vp8PictureId, vp8Tl0PicIdx] : [vp9PictureId, vp9Tl0PicIdx];
  return [keyframe, size, pictureId(bytes, offset), tl0(bytes, offset)];
}

/** The head of a payload with zeros behind it, and how long it is. */
function headOf(
  codec: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): { head: number; zeroed: Uint8Array } {
  const zeroed = new Uint8Array(length).fill(0xee);
  const head = payloadCopyHead(codec, bytes, offset, length, zeroed, 0);
  return { head, zeroed: zeroed.fill(0, head) };
}

describe("the head of a payload", () => {
  const codecs = {
    "vp8-simulcast": CODEC.VP8,
    "h264-simulcast": CODEC.H264,
    "vp9-svc": CODEC.VP9,
    "av1-svc": CODEC.AV1,
  };

  it.each(CAPTURES)("answers for the whole of it, and is short (%s)", (name) => {
    let [bytesHeld, bytesInAll] = [0, 0];
    const sizes = new Set<unknown>();
    for (const { bytes } of readCapture(name)) {
      const codec = rtpPayloadType(bytes, 0) === 111 ? CODEC.OPUS : codecs[name];
      const [offset, length] = [rtpHeaderLength(bytes, 0), rtpPayloadLength(bytes, 0, bytes.length)];
      const { head, zeroed } = headOf(codec, bytes, offset, length);
      const asked = answers(codec, bytes, offset, length);
      expect(answers(codec, zeroed, 0, length)).toEqual(asked);
      if (codec === CODEC.OPUS) expect(head).toBe(0);
      sizes.add(asked[1]);
      bytesHeld += head;
      bytesInAll += length;
    }
    expect(sizes.size).toBeGreaterThan(1);
    expect(bytesHeld).toBeLessThan(bytesInAll / 50);
  });

  it("answers for hostile ones too, and can be made where the payload lies", () => {
    const seeds = [
      ...KEYFRAMES.map(([, bytes]) => bytes),
      hex("18 00 03 09 10 20 00 0a 67 42 00 1f 96 54 05 01 7b 01 00 04 68 01 02 03 00 02 65 88"),
      hex("38 01 12 0b 0a 08 00 00 00 04 3c ff bd ff f9 32 55 66 77"),
    ];
    fc.assert(
      fc.property(hostileBytes(...seeds), fc.nat(7), (hostile, codec) => {
        const { head, zeroed } = headOf(codec, hostile, 0, hostile.length);
        expect(head).toBeLessThanOrEqual(hostile.length);
        expect(answers(codec, zeroed, 0, hostile.length)).toEqual(answers(codec, hostile, 0, hostile.length));
        const inPlace = hostile.slice();
        inPlace.fill(0, payloadCopyHead(codec, inPlace, 0, inPlace.length, inPlace, 0));
        expect(inPlace).toEqual(zeroed);
      }),
      { numRuns: 2_000 },
    );
  });

  it("has of a NAL unit in an aggregate its type alone, but for a parameter set", () => {
    // STAP-A: SEI, SPS, IDR.
    const bytes = hex("18", "00 03 06 aa bb", "00 04 67 42 00 1f", "00 03 65 cc dd");
    const { head, zeroed } = headOf(CODEC.H264, bytes, 0, bytes.length);
    expect(zeroed).toEqual(hex("18", "00 03 06 00 00", "00 04 67 42 00 1f", "00 03 65 00 00"));
    expect(head).toBe(bytes.length - 2);
  });
});
