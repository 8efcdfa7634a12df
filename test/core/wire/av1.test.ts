/** AV1 payloads: the aggregation header, sizes from sequence headers, werift's opinion, and hostile bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AV1RtpPayload } from "werift-rtp";
import {
  av1ContinuesElement,
  av1ElementCount,
  av1FrameSize,
  av1IsContinued,
  av1IsKeyframe,
} from "../../../core/wire/av1.ts";
import { bits, expGolomb, fromBits } from "../../support/wire/bits.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

/** max_frame_width_minus_1 and height in 11 and 10 bits: 1280 x 720. */
const DIMENSIONS = `${bits(10, 4)} ${bits(9, 4)} ${bits(1_279, 11)} ${bits(719, 10)}`;

/** One operating point at level 4.0, whose seq_tier is not there. */
const PLAIN = fromBits("000 0 0", "0", "0 00000", `${bits(0, 12)} 00101`, DIMENSIONS);

const SEQUENCE = Uint8Array.of(0x08, ...PLAIN);
const DELIMITER = hex("10");
const FRAME = hex("30 12 34 56 78");

/** A payload of elements without fragments; the last one has no length unless `counted` is false. */
function payload(elements: readonly Uint8Array[], flags = 0x08, counted = true): Uint8Array {
  const bytes = [flags | (counted ? elements.length << 4 : 0)];
  for (const [i, element] of elements.entries()) {
    if (!counted || i < elements.length - 1)
      bytes.push(...(element.length < 128 ? [element.length] : long(element.length)));
    bytes.push(...element);
  }
  return Uint8Array.from(bytes);
}

function long(length: number): number[] {
  return [0x80 | (length & 127), length >> 7];
}

const isKeyframe = (bytes: Uint8Array) => av1IsKeyframe(bytes, 0, bytes.length);
const sizeOf = (bytes: Uint8Array) => av1FrameSize(bytes, 0, bytes.length);
const HD = (1_280 << 16) | 720;

describe("the AV1 aggregation header", () => {
  it("marks the first packet of a coded video sequence", () => {
    expect(isKeyframe(payload([SEQUENCE, FRAME]))).toBe(true);
    expect(isKeyframe(payload([FRAME], 0))).toBe(false);
    expect(isKeyframe(payload([FRAME], 0x88))).toBe(false);
    expect(isKeyframe(hex("18"))).toBe(false);
  });

  it("is read as werift reads it", () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 3 }),
        (flags, elements) => {
          fc.pre((flags & 0x88) !== 0x88);
          const bytes = payload(elements, flags & 0xcf);
          const theirs = AV1RtpPayload.deSerialize(Buffer.from(bytes));
          expect(av1ContinuesElement(bytes, 0)).toBe(theirs.zBit_RtpStartsWithFragment === 1);
          expect(av1IsContinued(bytes, 0)).toBe(theirs.yBit_RtpEndsWithFragment === 1);
          expect(av1ElementCount(bytes, 0)).toBe(theirs.w_RtpNumObus);
          expect(isKeyframe(bytes)).toBe(theirs.isKeyframe);
        },
      ),
    );
  });
});

describe("the size of an AV1 picture", () => {
  it("is what the sequence header says, wherever it stands", () => {
    expect(sizeOf(payload([SEQUENCE]))).toBe(HD);
    expect(sizeOf(payload([SEQUENCE, FRAME]))).toBe(HD);
    expect(sizeOf(payload([DELIMITER, SEQUENCE, FRAME]))).toBe(HD);
    expect(sizeOf(payload([DELIMITER, SEQUENCE, FRAME], 0x08, false))).toBe(HD);
    expect(sizeOf(payload([new Uint8Array(150).fill(0x28), SEQUENCE]))).toBe(HD);
  });

  it("is found behind an OBU extension and an OBU size", () => {
    expect(sizeOf(payload([Uint8Array.of(0x0c, 0x00, ...PLAIN)]))).toBe(HD);
    expect(sizeOf(payload([Uint8Array.of(0x0a, PLAIN.length, ...PLAIN)]))).toBe(HD);
    expect(sizeOf(payload([Uint8Array.of(0x0e, 0x00, PLAIN.length, ...PLAIN)]))).toBe(HD);
  });

  it("is found behind everything that a sequence header may have before it", () => {
    const timing = `1 ${bits(1, 32)} ${bits(30, 32)} 1 ${expGolomb(0)}`;
    const model = `1 ${bits(4, 5)} ${bits(1, 32)} ${bits(9, 5)} ${bits(9, 5)}`;
    const headers = [
      ["000 1 1", "00101", DIMENSIONS], // reduced still picture
      ["000 0 0", "0", "0 00001", `${bits(1, 12)} 00101 ${bits(2, 12)} 01000 1`, DIMENSIONS],
      ["000 0 0", timing, "0", "0 00000", `${bits(0, 12)} 00101`, DIMENSIONS],
      [
        "000 0 0",
        timing,
        model,
        "1 00000",
        `${bits(0, 12)} 00101 1 ${bits(3, 5)} ${bits(3, 5)} 0 1 ${bits(2, 4)}`,
        DIMENSIONS,
      ],
      ["000 0 0", timing, model, "1 00000", `${bits(0, 12)} 00101 0 0`, DIMENSIONS],
    ];
    for (const header of headers) {
      expect(sizeOf(payload([Uint8Array.of(0x08, ...fromBits(...header))])), header.join(" ")).toBe(HD);
    }
  });

  it("is unknown without a whole sequence header", () => {
    expect(sizeOf(payload([FRAME]))).toBe(0);
    expect(sizeOf(payload([SEQUENCE], 0x88))).toBe(0);
    const bytes = payload([SEQUENCE]);
    for (let length = 0; length < bytes.length; length++) expect(av1FrameSize(bytes, 0, length)).toBe(0);
  });

  it("is unknown when an element is longer than the packet, empty, or of an endless length", () => {
    expect(sizeOf(hex("28 7f 08 00 00 00"))).toBe(0);
    expect(sizeOf(hex("28 00 08 00 00 00"))).toBe(0);
    expect(sizeOf(hex("28 80 80 80 80 80 01 08"))).toBe(0);
  });
});

describe("hostile AV1", () => {
  it("is judged by the payload alone", () => {
    const seeds = [payload([DELIMITER, SEQUENCE, FRAME]), payload([DELIMITER, SEQUENCE, FRAME], 0x08, false)];
    fc.assert(
      fc.property(hostileBytes(...seeds, payload([Uint8Array.of(0x0e, 0x00, PLAIN.length, ...PLAIN)])), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => [
          av1IsKeyframe(bytes, offset, length),
          av1FrameSize(bytes, offset, length),
        ]);
      }),
      { numRuns: 500 },
    );
  });
});
