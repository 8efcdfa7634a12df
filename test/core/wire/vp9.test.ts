/** VP9 payload descriptors: every combination of fields, werift's opinion, patches, sizes, and hostile bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Vp9RtpPayload } from "werift-rtp";
import {
  vp9DescriptorLength,
  vp9EndsFrame,
  vp9FrameSize,
  vp9IsFlexible,
  vp9IsInterLayerPredicted,
  vp9IsKeyframe,
  vp9IsNotReferencedAbove,
  vp9IsPredicted,
  vp9IsSwitchingUpPoint,
  vp9PatchPictureId,
  vp9PatchTl0,
  vp9PictureId,
  vp9PictureIdBits,
  vp9SpatialId,
  vp9StartsFrame,
  vp9TemporalId,
  vp9Tl0PicIdx,
} from "../../../core/wire/vp9.ts";
import { bits, fromBits } from "../../support/wire/bits.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

const KEYFRAME = hex(
  "aa", // picture id, layers, first packet, structure
  "92 34", // picture id 0x1234, 15 bits
  "10 07", // temporal layer 0, switching point, spatial layer 0; TL0PICIDX 7
  "38 01 40 00 b4 02 80 01 68", // two layers with sizes and a group: 320 x 180, 640 x 360
  "02 04 01 38 01 02", // two pictures: one of one reference, one of two
  "83 49 83 42", // the frame
);

interface Descriptor {
  predicted: boolean;
  flexible: boolean;
  starts: boolean;
  ends: boolean;
  notReferencedAbove: boolean;
  pictureId: { bits: 7 | 15; value: number } | undefined;
  layers: { temporal: number; switching: boolean; spatial: number; dependent: boolean; tl0: number } | undefined;
  references: number[];
  structure: { sizes: [number, number][]; hasSizes: boolean; group: number[][] | undefined } | undefined;
}

const u16 = fc.nat(0xffff);
const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const descriptors: fc.Arbitrary<Descriptor> = fc.record({
  predicted: fc.boolean(),
  flexible: fc.boolean(),
  starts: fc.boolean(),
  ends: fc.boolean(),
  notReferencedAbove: fc.boolean(),
  pictureId: option(
    fc.oneof(
      fc.record({ bits: fc.constant(7 as const), value: fc.nat(0x7f) }),
      fc.record({ bits: fc.constant(15 as const), value: fc.nat(0x7fff) }),
    ),
  ),
  layers: option(
    fc.record({
      temporal: fc.nat(7),
      switching: fc.boolean(),
      spatial: fc.nat(7),
      dependent: fc.boolean(),
      tl0: fc.nat(255),
    }),
  ),
  references: fc.array(fc.integer({ min: 1, max: 127 }), { minLength: 1, maxLength: 3 }),
  structure: option(
    fc.record({
      sizes: fc.array(fc.tuple(u16, u16), { minLength: 1, maxLength: 8 }),
      hasSizes: fc.boolean(),
      group: option(fc.array(fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 3 }), { maxLength: 9 })),
    }),
  ),
});

/** The bytes of a descriptor. */
function encode(field: Descriptor): number[] {
  const { pictureId, layers, references, structure } = field;
  const flags = [pictureId, field.predicted, layers, field.flexible, field.starts, field.ends, structure];
  const first = [...flags, field.notReferencedAbove].reduce<number>((byte, flag) => (byte << 1) | (flag ? 1 : 0), 0);
  const bytes = [first];
  if (pictureId?.bits === 7) bytes.push(pictureId.value);
  if (pictureId?.bits === 15) bytes.push(0x80 | (pictureId.value >> 8), pictureId.value & 0xff);
  if (layers) {
    const { temporal, switching, spatial, dependent } = layers;
    bytes.push((temporal << 5) | (switching ? 0x10 : 0) | (spatial << 1) | (dependent ? 1 : 0));
    if (!field.flexible) bytes.push(layers.tl0);
  }
  if (field.flexible && field.predicted) {
    bytes.push(...references.map((difference, i) => (difference << 1) | (i < references.length - 1 ? 1 : 0)));
  }
  if (structure) {
    const { sizes, hasSizes, group } = structure;
    bytes.push(((sizes.length - 1) << 5) | (hasSizes ? 0x10 : 0) | (group ? 0x08 : 0));
    if (hasSizes) for (const [width, height] of sizes) bytes.push(width >> 8, width & 255, height >> 8, height & 255);
    if (group) bytes.push(group.length, ...group.flatMap((differences) => [differences.length << 2, ...differences]));
  }
  return bytes;
}

describe("the VP9 payload descriptor", () => {
  it("is read field by field", () => {
    expect(vp9DescriptorLength(KEYFRAME, 0, KEYFRAME.length)).toBe(20);
    expect([vp9PictureId(KEYFRAME, 0), vp9PictureIdBits(KEYFRAME, 0)]).toEqual([0x1234, 15]);
    expect([vp9TemporalId(KEYFRAME, 0), vp9SpatialId(KEYFRAME, 0), vp9Tl0PicIdx(KEYFRAME, 0)]).toEqual([0, 0, 7]);
    expect([vp9StartsFrame(KEYFRAME, 0), vp9EndsFrame(KEYFRAME, 0)]).toEqual([true, false]);
    expect(vp9IsKeyframe(KEYFRAME, 0, KEYFRAME.length)).toBe(true);
  });

  it("is read as werift reads it, whatever fields it has", () => {
    fc.assert(
      fc.property(descriptors, fc.uint8Array({ minLength: 1, maxLength: 4 }), (field, rest) => {
        const head = encode(field);
        const bytes = Uint8Array.from([...head, ...rest]);
        const theirs = Vp9RtpPayload.deSerialize(Buffer.from(bytes));
        expect(vp9DescriptorLength(bytes, 0, bytes.length)).toBe(head.length);
        expect(bytes.length - theirs.payload.length).toBe(head.length);
        expect(vp9PictureId(bytes, 0)).toBe(theirs.pictureId ?? -1);
        expect([vp9SpatialId(bytes, 0), vp9TemporalId(bytes, 0)]).toEqual([theirs.sid ?? 0, theirs.tid ?? 0]);
        expect(vp9Tl0PicIdx(bytes, 0)).toBe(theirs.tl0PicIdx ?? -1);
        expect(vp9IsSwitchingUpPoint(bytes, 0)).toBe(theirs.u === 1);
        expect(vp9IsInterLayerPredicted(bytes, 0)).toBe(theirs.d === 1);
        expect([vp9IsPredicted(bytes, 0), vp9IsFlexible(bytes, 0)]).toEqual([theirs.pBit === 1, theirs.fBit === 1]);
        expect([vp9StartsFrame(bytes, 0), vp9EndsFrame(bytes, 0)]).toEqual([theirs.bBit === 1, theirs.eBit === 1]);
        expect(vp9IsNotReferencedAbove(bytes, 0)).toBe(theirs.zBit === 1);
        expect(vp9IsKeyframe(bytes, 0, bytes.length)).toBe(theirs.isKeyframe);
      }),
      { numRuns: 300 },
    );
  });

  it("is malformed when it is cut, or nothing stands behind it", () => {
    fc.assert(
      fc.property(descriptors, (field) => {
        const bytes = Uint8Array.from([...encode(field), 0]);
        for (let length = 0; length < bytes.length; length++) expect(vp9DescriptorLength(bytes, 0, length)).toBe(0);
      }),
    );
  });

  it("is malformed with more than three references", () => {
    expect(vp9DescriptorLength(hex("50 03 03 02 00"), 0, 5)).toBe(4);
    expect(vp9DescriptorLength(hex("50 03 03 03 02 00"), 0, 6)).toBe(0);
  });

  it("takes new numbers in the width that it has, and nothing else changes", () => {
    fc.assert(
      fc.property(descriptors, u16, u16, (field, pictureId, tl0) => {
        const before = Uint8Array.from([...encode(field), 0xab, 0xcd, 0xef]);
        const bytes = Uint8Array.from(before);
        vp9PatchPictureId(bytes, 0, pictureId);
        vp9PatchTl0(bytes, 0, tl0);
        const width = vp9PictureIdBits(before, 0);
        expect(vp9PictureIdBits(bytes, 0)).toBe(width);
        expect(vp9PictureId(bytes, 0)).toBe(width === 0 ? -1 : pictureId % 2 ** width);
        expect(vp9Tl0PicIdx(bytes, 0)).toBe(vp9Tl0PicIdx(before, 0) < 0 ? -1 : tl0 % 256);
        if (width > 0) vp9PatchPictureId(bytes, 0, vp9PictureId(before, 0));
        vp9PatchTl0(bytes, 0, vp9Tl0PicIdx(before, 0));
        expect(bytes).toEqual(before);
      }),
    );
  });
});

describe("the size of a VP9 keyframe", () => {
  const size = (bytes: Uint8Array) => vp9FrameSize(bytes, 0, bytes.length);
  const dimensions = bits(1_279, 16) + bits(719, 16);
  const SYNC = bits(0x49_8342, 24);

  it("is that of the highest layer in the scalability structure", () => {
    expect(size(KEYFRAME)).toBe((640 << 16) | 360);
  });

  it("is read from the frame where the structure has none (VP9 bitstream §6.2)", () => {
    // Frame marker, profile bits; no existing frame, keyframe, shown, not resilient; sync code; colour; size.
    const frames = [
      ["10 00", "0 0 1 0", SYNC, "001 0", dimensions],
      ["10 10", "0 0 1 0", SYNC, "001 0 1 0 0", dimensions],
      ["10 10", "0 0 1 0", SYNC, "111 0", dimensions],
      ["10 01", "0 0 1 0", SYNC, "0 001 0", dimensions],
      ["10 11 0", "0 0 1 0", SYNC, "0 001 0 0 0 0", dimensions],
      ["10 11 0", "0 0 1 0", SYNC, "0 111 0", dimensions],
    ];
    for (const frame of frames) {
      const bytes = Uint8Array.of(0x08, ...fromBits(...frame));
      expect(size(bytes), frame.join(" ")).toBe((1_280 << 16) | 720);
      for (let length = 0; length < bytes.length; length++) expect(vp9FrameSize(bytes, 0, length)).toBe(0);
    }
  });

  it("is unknown when the frame shows an older one, is predicted, or lacks the sync code", () => {
    expect(size(Uint8Array.of(0x08, ...fromBits("10 00", "1 0 1 0", SYNC, "001 0", dimensions)))).toBe(0);
    expect(size(Uint8Array.of(0x08, ...fromBits("10 00", "0 1 1 0", SYNC, "001 0", dimensions)))).toBe(0);
    expect(size(Uint8Array.of(0x08, ...fromBits("10 00", "0 0 1 0", bits(1, 24), "001 0", dimensions)))).toBe(0);
    expect(size(Uint8Array.of(0x08, ...fromBits("11 00", "0 0 1 0", SYNC, "001 0", dimensions)))).toBe(0);
  });

  it("is unknown for what is no first packet of a picture", () => {
    const frame = fromBits("10 00", "0 0 1 0", SYNC, "001 0", dimensions);
    expect(size(Uint8Array.of(0x00, ...frame))).toBe(0);
    expect(size(Uint8Array.of(0x48, ...frame))).toBe(0);
    expect(size(Uint8Array.of(0x28, 0x03, 0x00, ...frame))).toBe(0);
  });
});

describe("hostile VP9", () => {
  it("is judged by the payload alone", () => {
    fc.assert(
      fc.property(hostileBytes(KEYFRAME, KEYFRAME.slice(0, 12), hex("58 83 85 02 83 49 83 42")), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => {
          const size = vp9FrameSize(bytes, offset, length);
          const descriptor = vp9DescriptorLength(bytes, offset, length);
          if (descriptor === 0) return size;
          const layers = [vp9SpatialId(bytes, offset), vp9TemporalId(bytes, offset), vp9Tl0PicIdx(bytes, offset)];
          return [size, descriptor, vp9PictureId(bytes, offset), layers];
        });
      }),
      { numRuns: 500 },
    );
  });
});
