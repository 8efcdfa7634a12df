/** Bit fields, against numbers written bit by bit. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createBitReader,
  readBit,
  readBits,
  readExpGolomb,
  readNonSymmetric,
  readSignedExpGolomb,
  skipBits,
} from "../../../core/wire/bits.ts";
import { fromBits } from "../../support/wire/bits.ts";
import { expectBounded } from "../../support/wire/hostile.ts";

function reader(bits: string) {
  const bytes = fromBits(bits);
  return createBitReader(bytes, 0, bytes.length);
}

describe("bits", () => {
  it("come most significant first, across bytes", () => {
    const source = reader("101 00000000001 11");
    expect([readBits(source, 3), readBits(source, 11), readBit(source), readBit(source)]).toEqual([5, 1, 1, 1]);
    expect(source.overrun).toBe(false);
  });

  it("make unsigned numbers of 32 bits", () => {
    expect(readBits(reader("1".repeat(32)), 32)).toBe(0xffff_ffff);
  });

  it("are zero behind the end, and the reader knows it", () => {
    const source = reader("11111111");
    expect(readBits(source, 10)).toBe(0b1111111100);
    expect(source.overrun).toBe(true);
  });

  it("that are skipped past the end count as an overrun", () => {
    const source = reader("11111111");
    skipBits(source, 8);
    expect(source.overrun).toBe(false);
    skipBits(source, 1);
    expect(source.overrun).toBe(true);
  });

  it("read Exp-Golomb numbers by the table of H.264 §9.1", () => {
    const table = ["1", "010", "011", "00100", "00101", "00110", "00111", "0001000"];
    expect(table.map((bits) => readExpGolomb(reader(bits)))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(table.map((bits) => readSignedExpGolomb(reader(bits)) + 0)).toEqual([0, 1, -1, 2, -2, 3, -3, 4]);
  });

  it("read the largest Exp-Golomb number, and give up on a longer one", () => {
    expect(readExpGolomb(reader(`${"0".repeat(31)}1${"1".repeat(31)}`))).toBe(0xffff_fffe);
    const source = reader(`${"0".repeat(32)}1${"1".repeat(40)}`);
    expect([readExpGolomb(source), source.overrun]).toEqual([0, true]);
  });

  it("read non-symmetric numbers by the example of AV1 §4.10.7", () => {
    expect(["00", "01", "10", "110", "111"].map((bits) => readNonSymmetric(reader(bits), 5))).toEqual([0, 1, 2, 3, 4]);
    expect(readNonSymmetric(reader("1"), 1)).toBe(0);
  });

  it("are read from the range alone", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), fc.integer({ min: 1, max: 40 }), (bytes, bound) => {
        expectBounded(bytes, (larger, offset, length) => {
          const source = createBitReader(larger, offset, length);
          return [readExpGolomb(source), readNonSymmetric(source, bound), readBits(source, 9), source.overrun];
        });
      }),
    );
  });
});
