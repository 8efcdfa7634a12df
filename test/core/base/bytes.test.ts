/** Reading and writing in network order, compared with DataView. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  concatBytes,
  copyBytes,
  equalBytes,
  equalConstantTime,
  readU16,
  readU24,
  readU32,
  readU48,
  sliceBytes,
  writeU16,
  writeU24,
  writeU32,
  writeU48,
} from "../../../core/base/bytes.ts";
import { hex } from "../../support/wire/hex.ts";

const WIDTHS = [
  { bits: 16, read: readU16, write: writeU16 },
  { bits: 24, read: readU24, write: writeU24 },
  { bits: 32, read: readU32, write: writeU32 },
  { bits: 48, read: readU48, write: writeU48 },
] as const;

describe.each(WIDTHS)("an integer of $bits bits", ({ bits, read, write }) => {
  const size = bits / 8;
  const most = 2 ** bits - 1;
  const anyValue = fc.oneof(
    fc.constantFrom(0, 1, most, 2 ** (bits - 1), 2 ** (bits - 1) - 1),
    fc.integer({ min: 0, max: most }),
  );

  it("comes back as it was, anywhere, and its neighbours stay as they were", () => {
    fc.assert(
      fc.property(anyValue, fc.nat(8), (value, offset) => {
        const bytes = new Uint8Array(offset + size + 4).fill(0xa5);
        write(bytes, offset, value);
        expect(read(bytes, offset)).toBe(value);
        bytes.fill(0xa5, offset, offset + size);
        expect(bytes.every((byte) => byte === 0xa5)).toBe(true);
      }),
    );
  });

  it("stands highest byte first", () => {
    const bytes = new Uint8Array(size);
    write(bytes, 0, 2 ** (bits - 8));
    expect(bytes).toEqual(Uint8Array.of(1, ...new Uint8Array(size - 1)));
  });

  it("is never negative", () => {
    expect(read(new Uint8Array(size).fill(0xff), 0)).toBe(most);
  });
});

describe("readU32", () => {
  it("agrees with DataView", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
        expect(readU32(bytes, 0)).toBe(new DataView(bytes.buffer).getUint32(0));
      }),
    );
  });
});

describe("ranges", () => {
  it("are copied to where they should be and nowhere else", () => {
    const target = new Uint8Array(6);
    copyBytes(hex("01 02 03 04"), 1, target, 2, 2);
    expect(target).toEqual(hex("00 00 02 03 00 00"));
  });

  it("are cut out with a buffer of their own", () => {
    const slice = sliceBytes(hex("01 02 03 04"), 1, 2);
    expect(slice).toEqual(hex("02 03"));
    expect(slice.buffer.byteLength).toBe(2);
  });

  it("are joined in order", () => {
    expect(concatBytes(hex("01"), hex(""), hex("02 03"))).toEqual(hex("01 02 03"));
    expect(concatBytes()).toEqual(new Uint8Array(0));
  });
});

describe.each([
  ["equalBytes", equalBytes],
  [
    "equalConstantTime",
    (a: Uint8Array, b: Uint8Array) => a.length === b.length && equalConstantTime(a, 0, b, 0, a.length),
  ],
])("%s", (_name, equal) => {
  it("finds every difference of one bit", () => {
    const bytes = hex("00 ff 80 7f");
    for (let bit = 0; bit < 32; bit++) {
      const other = bytes.slice();
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(equal(bytes, other)).toBe(false);
    }
  });

  it("takes equal bytes and empty ones for equal", () => {
    expect(equal(hex("01 02"), hex("01 02"))).toBe(true);
    expect(equal(hex(""), hex(""))).toBe(true);
  });

  it("tells lengths apart", () => {
    expect(equal(hex("01"), hex("01 00"))).toBe(false);
  });
});

describe("equalConstantTime", () => {
  it("looks at its ranges alone", () => {
    expect(equalConstantTime(hex("09 01 02 09"), 1, hex("01 02"), 0, 2)).toBe(true);
  });
});
