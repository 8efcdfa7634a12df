import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hexEncode } from "../../../core/base/text.ts";
import {
  encodeMessage,
  fragmentBytes,
  fragmentCheck,
  fragmentLength,
  fragmentOffset,
  fragmentWriteHeader,
  HANDSHAKE_HEADER_BYTES,
  HANDSHAKE_TYPE,
  messageLength,
  messageSequence,
  messageType,
} from "../../../core/wire/dtls-handshake.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

// certificate, 1,000 bytes, message 1, fragment at 500 of 4 bytes
const FRAGMENT = hex("0b 0003e8 0001 0001f4 000004 01020304");

describe("a handshake fragment", () => {
  it("is read field by field", () => {
    expect(fragmentCheck(FRAGMENT, 0, FRAGMENT.length)).toBe(true);
    expect(messageType(FRAGMENT, 0)).toBe(HANDSHAKE_TYPE.CERTIFICATE);
    expect(messageLength(FRAGMENT, 0)).toBe(1_000);
    expect(messageSequence(FRAGMENT, 0)).toBe(1);
    expect(fragmentOffset(FRAGMENT, 0)).toBe(500);
    expect(fragmentLength(FRAGMENT, 0)).toBe(4);
    expect(fragmentBytes(FRAGMENT, 0)).toBe(16);
  });

  it("is refused when its record ends too early", () => {
    for (let length = 0; length < FRAGMENT.length; length++) expect(fragmentCheck(FRAGMENT, 0, length)).toBe(false);
  });

  it("is refused when it reaches beyond its message", () => {
    expect(fragmentCheck(hex("0b 000003 0001 000000 000004 01020304"), 0, 16)).toBe(false);
    expect(fragmentCheck(hex("0b 000004 0001 000001 000004 01020304"), 0, 16)).toBe(false);
    expect(fragmentCheck(hex("0b 000004 0001 ffffff 000004 01020304"), 0, 16)).toBe(false);
  });

  it("round-trips through its header", () => {
    const u24 = fc.nat(0xff_ffff);
    fc.assert(
      fc.property(fc.nat(255), u24, fc.nat(0xffff), u24, fc.nat(64), (type, total, sequence, start, length) => {
        const bytes = new Uint8Array(HANDSHAKE_HEADER_BYTES + length);
        fragmentWriteHeader(bytes, 0, type, total, sequence, start, length);
        expect(messageType(bytes, 0)).toBe(type);
        expect(messageLength(bytes, 0)).toBe(total);
        expect(messageSequence(bytes, 0)).toBe(sequence);
        expect(fragmentOffset(bytes, 0)).toBe(start);
        expect(fragmentLength(bytes, 0)).toBe(length);
        expect(fragmentCheck(bytes, 0, bytes.length)).toBe(start + length <= total);
      }),
    );
  });
});

describe("hostile fragments", () => {
  it("are judged by their record alone, and what passes lies inside it", () => {
    fc.assert(
      fc.property(hostileBytes(FRAGMENT, encodeMessage(HANDSHAKE_TYPE.FINISHED, 4, new Uint8Array(12))), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => {
          const fits = fragmentCheck(bytes, offset, length);
          if (fits) expect(fragmentBytes(bytes, offset)).toBeLessThanOrEqual(length);
          return fits;
        });
      }),
    );
  });
});

describe("a handshake message", () => {
  it("reads as if it had come in one fragment", () => {
    // client key exchange, 2 bytes, message 2, the whole of it
    expect(hexEncode(encodeMessage(HANDSHAKE_TYPE.CLIENT_KEY_EXCHANGE, 2, hex("aabb")))).toBe(
      "10" + "000002" + "0002" + "000000" + "000002" + "aabb",
    );
  });
});
