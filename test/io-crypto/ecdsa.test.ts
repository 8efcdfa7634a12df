import { p256 } from "@noble/curves/nist.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8Encode } from "../../core/base/text.ts";
import { signDeterministic } from "../../io-crypto/ecdsa.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

describe("a deterministic signature", () => {
  it.each([
    [
      "sample",
      "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
      "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ],
    [
      "test",
      "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
      "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ],
  ])("of %j is that of RFC 6979 A.2.5", (message, r, s) => {
    const key = hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
    const integer = (text: string) =>
      Number.parseInt(text.slice(0, 2), 16) > 127 ? `02 21 00 ${text}` : `02 20 ${text}`;
    const body = hex(`${integer(r)} ${integer(s)}`);
    expect(signDeterministic(key, utf8Encode(message))).toEqual(Uint8Array.of(0x30, body.length, ...body));
  });

  it("is the same as that of an independent implementation, for any key and message", () => {
    const order = p256.Point.Fn.ORDER;
    const key = fc.oneof(
      fc.bigInt({ min: 1n, max: order - 1n }),
      fc.constantFrom(1n, 2n, 255n, order - 1n, order - 2n, order / 2n),
    );
    fc.assert(
      fc.property(key, fc.uint8Array({ maxLength: 200 }), (number, message) => {
        const bytes = hex(number.toString(16).padStart(64, "0"));
        const theirs = p256.sign(message, bytes, { prehash: true, lowS: false, format: "der" });
        expect(signDeterministic(bytes, message)).toEqual(Uint8Array.from(theirs));
      }),
      { numRuns: 60 },
    );
  });
});
