/** UTF-8 and hexadecimal, compared with the host's own coders, which the core can't use. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hexDecode, hexEncode, utf8Decode, utf8Encode } from "../../../core/base/text.ts";
import { hex } from "../../support/wire/hex.ts";

/** Bytes that are often almost UTF-8: lead bytes, continuation bytes and the edges between them. */
const almostUtf8 = fc.array(
  fc.oneof(
    fc.constantFrom(
      0x00,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc1,
      0xc2,
      0xdf,
      0xe0,
      0xed,
      0xef,
      0xf0,
      0xf4,
      0xf5,
    ),
    fc.nat(255),
  ),
  { maxLength: 12 },
);

describe("UTF-8", () => {
  it("encodes as TextEncoder does, lone surrogates included", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: fc.constantFrom("\ud800", "\udfff", "a") }),
        (a, b) => {
          expect([...utf8Encode(a + b)]).toEqual([...new TextEncoder().encode(a + b)]);
        },
      ),
    );
  });

  it("decodes as TextDecoder does, malformed bytes included", () => {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    fc.assert(
      fc.property(almostUtf8, (list) => {
        const bytes = Uint8Array.from(list);
        expect(utf8Decode(bytes)).toBe(decoder.decode(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  it("comes back as it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(utf8Decode(utf8Encode(text))).toBe(text);
      }),
    );
  });

  it.each([
    ["an overlong slash", "c0 af", "\ufffd\ufffd"],
    ["half a surrogate pair", "ed a0 80", "\ufffd\ufffd\ufffd"],
    ["a character cut after two of three bytes", "e2 82", "\ufffd"],
    ["a point above U+10FFFF", "f4 90 80 80", "\ufffd\ufffd\ufffd\ufffd"],
    ["the last point there is", "f4 8f bf bf", "\u{10ffff}"],
  ])("decodes %s", (_what, bytes, text) => {
    expect(utf8Decode(hex(bytes))).toBe(text);
  });

  it("reads only its range", () => {
    expect(utf8Decode(hex("c3 a9 c3 a9"), 1, 2)).toBe("\ufffd\ufffd");
  });
});

describe("hexadecimal", () => {
  it("comes back as it was, in either case", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(hexDecode(hexEncode(bytes))).toEqual(bytes);
        expect(hexDecode(hexEncode(bytes).toUpperCase())).toEqual(bytes);
      }),
    );
  });

  it("is lower-case and padded", () => {
    expect(hexEncode(Uint8Array.of(0, 10, 255))).toBe("000aff");
  });

  it.each(["0", "0g", "0x", " 0", "０0"])("is not %j", (text) => {
    expect(hexDecode(text)).toBeUndefined();
  });
});
