/** H.264 payloads: where keyframes begin in each packet form, sizes from parameter sets, and hostile bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { H264RtpPayload } from "werift-rtp";
import { H264_NAL, h264FindNal, h264FrameSize, h264IsKeyframe } from "../../../core/wire/h264.ts";
import { bits, expGolomb, fromBits } from "../../support/wire/bits.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

/** Constrained baseline, level 3.1, 640 x 360: 40 x 23 macroblocks of which the lower 8 rows are cropped. */
const SPS = Uint8Array.of(0x67, ...spsOf({ profile: 66, widthUnits: 40, heightUnits: 23, cropBottom: 4 }));
const PPS = hex("68 ce 38 80");
const IDR = hex("65 88 84 00 10 ff");
const SLICE = hex("61 e0 00 10");
const SEI = hex("06 05 01 00 80");

interface Sps {
  profile: number;
  widthUnits: number;
  heightUnits: number;
  cropBottom?: number;
  interlaced?: boolean;
  chroma?: number;
  scaling?: boolean;
  pictureOrder?: 0 | 1 | 2;
}

/** A sequence parameter set without its NAL header, H.264 §7.3.2.1.1. */
function spsOf(sps: Sps): Uint8Array {
  const chroma = sps.chroma ?? 1;
  const lists = chroma === 3 ? 12 : 8;
  const high = [
    expGolomb(chroma),
    chroma === 3 ? "0" : "",
    expGolomb(0), // luma of 8 bits
    expGolomb(0),
    "0",
    // Scaling lists: the first of sixteen equal numbers, the second of one, the last of 64; the others are not there.
    sps.scaling ? `1 1 ${"1".repeat(16)} 1 ${expGolomb(16)} ${"0".repeat(lists - 3)} 1 ${"1".repeat(64)}` : "0",
  ];
  const order = [
    [expGolomb(0), expGolomb(4)],
    [expGolomb(1), "0", expGolomb(2), expGolomb(1), expGolomb(2), expGolomb(1), expGolomb(2)],
    [expGolomb(2)],
  ];
  return fromBits(
    bits(sps.profile, 8),
    "1110 0000",
    bits(31, 8),
    expGolomb(0),
    ...(sps.chroma !== undefined ? high : []),
    expGolomb(0),
    ...order[sps.pictureOrder ?? 0]!,
    expGolomb(1), // reference frames
    "0",
    expGolomb(sps.widthUnits - 1),
    expGolomb(sps.heightUnits - 1),
    sps.interlaced ? "0 1" : "1",
    "1",
    sps.cropBottom === undefined
      ? "0"
      : `1 ${expGolomb(0)} ${expGolomb(0)} ${expGolomb(0)} ${expGolomb(sps.cropBottom)}`,
    "0",
    "1",
  );
}

function stapA(...units: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.of(0x78, ...units.flatMap((unit) => [unit.length >> 8, unit.length & 255, ...unit]));
}

/** The fragments of one NAL unit, of at most `size` bytes each. */
function fuA(unit: Uint8Array, size: number): Uint8Array[] {
  const fragments: Uint8Array[] = [];
  for (let at = 1; at < unit.length; at += size) {
    const edges = (at === 1 ? 0x80 : 0) | (at + size >= unit.length ? 0x40 : 0);
    fragments.push(Uint8Array.of((unit[0]! & 0xe0) | 28, edges | (unit[0]! & 31), ...unit.slice(at, at + size)));
  }
  return fragments;
}

const isKeyframe = (bytes: Uint8Array) => h264IsKeyframe(bytes, 0, bytes.length);
const sizeOf = (bytes: Uint8Array) => h264FrameSize(bytes, 0, bytes.length);

describe("H.264 keyframes", () => {
  it("begin with an SPS, and not with an IDR slice behind it", () => {
    expect([SPS, IDR, PPS, SLICE, SEI].map(isKeyframe)).toEqual([true, false, false, false, false]);
  });

  it("begin with a STAP-A that holds an SPS", () => {
    expect(isKeyframe(stapA(SPS, PPS))).toBe(true);
    expect(isKeyframe(stapA(SEI, SPS, PPS, IDR))).toBe(true);
    expect(isKeyframe(stapA(PPS, SEI, SLICE))).toBe(false);
    expect(isKeyframe(stapA(SEI, IDR))).toBe(false);
  });

  it("begin with the first fragment of an FU-A alone", () => {
    expect(fuA(SPS, 4).map(isKeyframe)).toEqual([true, ...Array(fuA(SPS, 4).length - 1).fill(false)]);
    expect(fuA(IDR, 2).map(isKeyframe)).toEqual([false, false, false]);
  });

  it("are not seen in a STAP-A whose lengths do not fit", () => {
    expect(isKeyframe(hex("78 00 03 67 42 00"))).toBe(true);
    for (const over of [4, 5, 6]) expect(isKeyframe(hex(`78 00 0${over} 67 42 00`)), `length ${over}`).toBe(false);
    expect(isKeyframe(hex("78 00 00 67 42 00"))).toBe(false);
    expect(isKeyframe(hex("78 00"))).toBe(false);
  });

  it("are no empty or one-byte payloads", () => {
    expect(isKeyframe(hex(""))).toBe(false);
    expect(isKeyframe(hex("65"))).toBe(false);
  });

  it("have their IDR slices where werift sees them, in the forms that it can judge", () => {
    const unit = fc.tuple(fc.integer({ min: 1, max: 23 }), fc.uint8Array({ minLength: 2, maxLength: 20 }));
    fc.assert(
      fc.property(unit, fc.integer({ min: 1, max: 20 }), ([type, body], size) => {
        const hasIdr = (bytes: Uint8Array) => h264FindNal(bytes, 0, bytes.length, H264_NAL.IDR) >= 0;
        const single = Uint8Array.of(0x60 | type, ...body);
        // Its verdict on a single unit looks at the second byte too, as if it were a fragment's header.
        expect(hasIdr(single)).toBe(type === H264_NAL.IDR);
        for (const fragment of fuA(single, size)) {
          const theirs = H264RtpPayload.deSerialize(Buffer.from(fragment));
          expect(hasIdr(fragment)).toBe(theirs.isKeyframe && theirs.isPartitionHead);
        }
      }),
    );
  });
});

describe("NAL units in a payload", () => {
  it("are found where they begin", () => {
    const bytes = stapA(SPS, PPS);
    expect(h264FindNal(bytes, 0, bytes.length, H264_NAL.SPS)).toBe(3);
    expect(h264FindNal(bytes, 0, bytes.length, H264_NAL.PPS)).toBe(3 + SPS.length + 2);
    expect(h264FindNal(bytes, 0, bytes.length, H264_NAL.IDR)).toBe(-1);
  });
});

describe("the size of an H.264 picture", () => {
  it("is what the SPS says, less what is cropped", () => {
    expect(sizeOf(SPS)).toBe((640 << 16) | 360);
    expect(sizeOf(stapA(SPS, PPS, IDR))).toBe((640 << 16) | 360);
    expect(sizeOf(stapA(SEI, SPS, PPS))).toBe((640 << 16) | 360);
  });

  it("is unknown without an SPS", () => {
    for (const bytes of [IDR, PPS, stapA(PPS, IDR), ...fuA(SPS, 4)]) expect(sizeOf(bytes)).toBe(0);
  });

  it("counts double rows in interlaced streams", () => {
    const sps = spsOf({ profile: 77, widthUnits: 45, heightUnits: 18, interlaced: true, cropBottom: 2 });
    expect(sizeOf(Uint8Array.of(0x67, ...sps))).toBe((720 << 16) | (576 - 8));
  });

  it("is found behind chroma formats, scaling lists and every picture order", () => {
    for (const chroma of [0, 1, 2, 3]) {
      for (const pictureOrder of [0, 1, 2] as const) {
        const sps = spsOf({ profile: 100, widthUnits: 80, heightUnits: 45, chroma, scaling: true, pictureOrder });
        expect(sizeOf(Uint8Array.of(0x67, ...sps)), `chroma ${chroma}`).toBe((1_280 << 16) | 720);
      }
    }
  });

  it("crops in units of the chroma format", () => {
    const rows = [0, 1, 2, 3].map((chroma) => {
      const sps = spsOf({ profile: 244, widthUnits: 2, heightUnits: 2, chroma, cropBottom: 3 });
      return 32 - (sizeOf(Uint8Array.of(0x67, ...sps)) & 0xffff);
    });
    expect(rows).toEqual([3, 6, 3, 3]);
  });

  it("is found in spite of emulation prevention bytes", () => {
    // 00 00 03 in the level and what follows: the third byte is no part of the SPS.
    const sps = spsOf({ profile: 66, widthUnits: 40, heightUnits: 23, cropBottom: 4 });
    const plain = Uint8Array.from(sps);
    plain[1] = 0;
    plain[2] = 0;
    const escaped = Uint8Array.of(0x67, plain[0]!, 0, 0, 3, ...plain.slice(3));
    expect(sizeOf(escaped)).toBe((640 << 16) | 360);
  });

  it("is unknown when the SPS is cut or its size absurd", () => {
    for (let length = 0; length < 8; length++) expect(h264FrameSize(SPS, 0, length)).toBe(0);
    const huge = spsOf({ profile: 66, widthUnits: 40_000, heightUnits: 23 });
    expect(sizeOf(Uint8Array.of(0x67, ...huge))).toBe(0);
    const cropped = spsOf({ profile: 66, widthUnits: 4, heightUnits: 4, cropBottom: 32 });
    expect(sizeOf(Uint8Array.of(0x67, ...cropped))).toBe(0);
  });
});

describe("hostile H.264", () => {
  it("is judged by the payload alone", () => {
    const high = Uint8Array.of(
      0x67,
      ...spsOf({ profile: 100, widthUnits: 80, heightUnits: 45, chroma: 3, scaling: true }),
    );
    fc.assert(
      fc.property(hostileBytes(SPS, high, stapA(SPS, PPS, IDR), fuA(IDR, 3)[0]!), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => [
          h264IsKeyframe(bytes, offset, length),
          h264FindNal(bytes, offset, length, H264_NAL.IDR) - offset,
          h264FrameSize(bytes, offset, length),
        ]);
      }),
      { numRuns: 500 },
    );
  });
});
