/** VP8 payload descriptors: every combination of fields, werift's opinion, patches, and hostile bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Vp8RtpPayload } from "werift-rtp";
import {
  vp8DescriptorLength,
  vp8FrameSize,
  vp8IsDiscardable,
  vp8IsKeyframe,
  vp8IsLayerSync,
  vp8PatchPictureId,
  vp8PatchTl0,
  vp8PictureId,
  vp8PictureIdBits,
  vp8StartsFrame,
  vp8TemporalId,
  vp8Tl0PicIdx,
} from "../../../core/wire/vp8.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

const KEYFRAME = hex(
  "90 e0", // extended, start of partition 0; picture id, TL0PICIDX and temporal layer
  "92 34", // picture id 0x1234, 15 bits
  "ff", // TL0PICIDX 255
  "60", // temporal layer 1, layer sync
  "50 42 00", // frame tag: keyframe, shown
  "9d 01 2a", // start code
  "80 02 68 41", // 640 x 360, to be scaled vertically
  "00 11 22",
);

interface Descriptor {
  start: boolean;
  discardable: boolean;
  partition: number;
  extended: boolean;
  pictureId: { bits: 7 | 15; value: number } | undefined;
  tl0: number | undefined;
  layer: { temporal: number; sync: boolean } | undefined;
  keyIndex: number | undefined;
}

const descriptors: fc.Arbitrary<Descriptor> = fc.record({
  start: fc.boolean(),
  discardable: fc.boolean(),
  partition: fc.nat(7),
  extended: fc.boolean(),
  pictureId: fc.option(
    fc.oneof(
      fc.record({ bits: fc.constant(7 as const), value: fc.nat(0x7f) }),
      fc.record({ bits: fc.constant(15 as const), value: fc.nat(0x7fff) }),
    ),
    { nil: undefined },
  ),
  tl0: fc.option(fc.nat(255), { nil: undefined }),
  layer: fc.option(fc.record({ temporal: fc.nat(3), sync: fc.boolean() }), { nil: undefined }),
  keyIndex: fc.option(fc.nat(31), { nil: undefined }),
});

/** The bytes of a descriptor. */
function encode(field: Descriptor): number[] {
  const { pictureId, tl0, layer, keyIndex } = field;
  const first =
    (field.extended ? 0x80 : 0) | (field.discardable ? 0x20 : 0) | (field.start ? 0x10 : 0) | field.partition;
  if (!field.extended) return [first];
  const flags = (pictureId ? 0x80 : 0) | (tl0 !== undefined ? 0x40 : 0) | (layer ? 0x20 : 0);
  const bytes = [first, flags | (keyIndex !== undefined ? 0x10 : 0)];
  if (pictureId?.bits === 7) bytes.push(pictureId.value);
  if (pictureId?.bits === 15) bytes.push(0x80 | (pictureId.value >> 8), pictureId.value & 0xff);
  if (tl0 !== undefined) bytes.push(tl0);
  if (layer || keyIndex !== undefined) {
    bytes.push(((layer?.temporal ?? 0) << 6) | (layer?.sync ? 0x20 : 0) | (keyIndex ?? 0));
  }
  return bytes;
}

describe("the VP8 payload descriptor", () => {
  it("is read field by field", () => {
    expect(vp8DescriptorLength(KEYFRAME, 0, KEYFRAME.length)).toBe(6);
    expect([vp8PictureId(KEYFRAME, 0), vp8PictureIdBits(KEYFRAME, 0)]).toEqual([0x1234, 15]);
    expect([vp8Tl0PicIdx(KEYFRAME, 0), vp8TemporalId(KEYFRAME, 0), vp8IsLayerSync(KEYFRAME, 0)]).toEqual([
      255,
      1,
      true,
    ]);
    expect(vp8IsKeyframe(KEYFRAME, 0, KEYFRAME.length)).toBe(true);
    expect(vp8FrameSize(KEYFRAME, 0, KEYFRAME.length)).toBe((640 << 16) | 360);
  });

  it("may have any of its fields and lack any", () => {
    fc.assert(
      fc.property(descriptors, fc.uint8Array({ minLength: 1, maxLength: 4 }), (field, rest) => {
        const head = encode(field);
        const bytes = Uint8Array.from([...head, ...rest]);
        expect(vp8DescriptorLength(bytes, 0, bytes.length)).toBe(head.length);
        const has = field.extended;
        expect(vp8PictureId(bytes, 0)).toBe(has && field.pictureId ? field.pictureId.value : -1);
        expect(vp8PictureIdBits(bytes, 0)).toBe(has && field.pictureId ? field.pictureId.bits : 0);
        expect(vp8Tl0PicIdx(bytes, 0)).toBe(has ? (field.tl0 ?? -1) : -1);
        expect(vp8TemporalId(bytes, 0)).toBe(has ? (field.layer?.temporal ?? -1) : -1);
        expect(vp8IsLayerSync(bytes, 0)).toBe(has && (field.layer?.sync ?? false));
        expect(vp8IsDiscardable(bytes, 0)).toBe(field.discardable);
        expect(vp8StartsFrame(bytes, 0)).toBe(field.start && field.partition === 0);
      }),
    );
  });

  it("is malformed when it is cut, or nothing stands behind it", () => {
    for (let length = 0; length <= 6; length++) expect(vp8DescriptorLength(KEYFRAME, 0, length)).toBe(0);
    expect(vp8DescriptorLength(KEYFRAME, 0, 7)).toBe(6);
    expect(vp8DescriptorLength(hex("10"), 0, 1)).toBe(0);
  });

  it("is read as werift reads it", () => {
    fc.assert(
      fc.property(descriptors, fc.uint8Array({ minLength: 3, maxLength: 12 }), (field, rest) => {
        // It takes TL0PICIDX, not the temporal layer, for the sign that the layer's byte is there.
        fc.pre((field.tl0 !== undefined) === (field.layer !== undefined || field.keyIndex !== undefined));
        const bytes = Uint8Array.from([...encode(field), ...rest]);
        const theirs = Vp8RtpPayload.deSerialize(Buffer.from(bytes));
        expect(vp8PictureId(bytes, 0)).toBe(theirs.pictureId ?? -1);
        expect(vp8StartsFrame(bytes, 0)).toBe(theirs.isPartitionHead && theirs.pid === 0);
        expect(bytes.length - vp8DescriptorLength(bytes, 0, bytes.length)).toBe(theirs.payload.length);
        if (vp8StartsFrame(bytes, 0)) expect(vp8IsKeyframe(bytes, 0, bytes.length)).toBe(theirs.isKeyframe);
      }),
    );
  });

  it("takes new numbers in the width that it has, and nothing else changes", () => {
    fc.assert(
      fc.property(descriptors, fc.nat(0xffff), fc.nat(0xffff), (field, pictureId, tl0) => {
        const before = Uint8Array.from([...encode(field), 0xab]);
        const bytes = Uint8Array.from(before);
        vp8PatchPictureId(bytes, 0, pictureId);
        vp8PatchTl0(bytes, 0, tl0);
        const bits = vp8PictureIdBits(before, 0);
        expect(vp8PictureIdBits(bytes, 0)).toBe(bits);
        expect(vp8PictureId(bytes, 0)).toBe(bits === 0 ? -1 : pictureId % 2 ** bits);
        expect(vp8Tl0PicIdx(bytes, 0)).toBe(vp8Tl0PicIdx(before, 0) < 0 ? -1 : tl0 % 256);
        if (bits > 0) vp8PatchPictureId(bytes, 0, vp8PictureId(before, 0));
        vp8PatchTl0(bytes, 0, vp8Tl0PicIdx(before, 0));
        expect(bytes).toEqual(before);
      }),
    );
  });
});

describe("VP8 keyframes", () => {
  it("begin with the first packet alone", () => {
    expect(vp8IsKeyframe(hex("00 50 42 00"), 0, 4)).toBe(false); // goes on
    expect(vp8IsKeyframe(hex("11 50 42 00"), 0, 4)).toBe(false); // second partition
    expect(vp8IsKeyframe(hex("10 51 42 00"), 0, 4)).toBe(false); // predicted
    expect(vp8IsKeyframe(hex("10 50 42 00"), 0, 4)).toBe(true);
  });

  it("have no size when the header is cut or the start code wrong", () => {
    for (let length = 0; length < 16; length++) expect(vp8FrameSize(KEYFRAME, 0, length)).toBe(0);
    expect(vp8FrameSize(KEYFRAME, 0, 16)).not.toBe(0);
    const bytes = Uint8Array.from(KEYFRAME);
    bytes[9] = 0x9c;
    expect(vp8FrameSize(bytes, 0, bytes.length)).toBe(0);
  });

  it("are judged by the payload alone, whatever its bytes", () => {
    fc.assert(
      fc.property(hostileBytes(KEYFRAME), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => {
          const size = vp8FrameSize(bytes, offset, length);
          const descriptor = vp8DescriptorLength(bytes, offset, length);
          if (descriptor === 0) return [size, vp8IsKeyframe(bytes, offset, length)];
          const numbers = [vp8PictureId(bytes, offset), vp8Tl0PicIdx(bytes, offset), vp8TemporalId(bytes, offset)];
          return [size, descriptor, numbers, vp8IsLayerSync(bytes, offset)];
        });
      }),
    );
  });
});
