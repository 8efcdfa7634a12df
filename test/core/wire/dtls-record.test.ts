import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CONTENT_TYPE,
  RECORD,
  RECORD_HEADER_BYTES,
  RECORD_SEQUENCE_MAX,
  recordBodyLength,
  recordBytes,
  recordCheck,
  recordEpoch,
  recordSequence,
  recordType,
  recordWriteHeader,
} from "../../../core/wire/dtls-record.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

// handshake, DTLS 1.2, epoch 1, sequence 0x010203040506, 3 bytes
const RECORD_BYTES = hex("16 fefd 0001 010203040506 0003 aabbcc");

describe("a DTLS record", () => {
  it("is read field by field", () => {
    expect(recordCheck(RECORD_BYTES, 0, RECORD_BYTES.length)).toBe(RECORD.OK);
    expect(recordType(RECORD_BYTES, 0)).toBe(CONTENT_TYPE.HANDSHAKE);
    expect(recordEpoch(RECORD_BYTES, 0)).toBe(1);
    expect(recordSequence(RECORD_BYTES, 0)).toBe(0x010203040506);
    expect(recordBodyLength(RECORD_BYTES, 0)).toBe(3);
    expect(recordBytes(RECORD_BYTES, 0)).toBe(16);
  });

  it("may say DTLS 1.0 on the outside, as a ClientHello does", () => {
    expect(recordCheck(hex("16 feff 0000 000000000000 0000"), 0, 13)).toBe(RECORD.OK);
  });

  it("of another version or type can be stepped over", () => {
    expect(recordCheck(hex("16 0303 0000 000000000000 0000"), 0, 13)).toBe(RECORD.UNKNOWN);
    expect(recordCheck(hex("16 fefc 0000 000000000000 0000"), 0, 13)).toBe(RECORD.UNKNOWN);
    expect(recordCheck(hex("13 fefd 0000 000000000000 0000"), 0, 13)).toBe(RECORD.UNKNOWN);
    expect(recordCheck(hex("18 fefd 0000 000000000000 0000"), 0, 13)).toBe(RECORD.UNKNOWN);
  });

  it("is cut when its datagram ends too early, in the header or the body", () => {
    for (let length = 0; length < RECORD_BYTES.length; length++) {
      expect(recordCheck(RECORD_BYTES, 0, length)).toBe(RECORD.CUT);
    }
  });

  it("is judged by its own bytes alone, and so are those behind it", () => {
    const three = Uint8Array.from([...RECORD_BYTES, ...RECORD_BYTES, ...RECORD_BYTES]);
    fc.assert(
      fc.property(hostileBytes(RECORD_BYTES, three), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => {
          const codes: number[] = [];
          const stop = offset + length;
          for (let at = offset; at < stop; at += recordBytes(bytes, at)) {
            const code = recordCheck(bytes, at, stop - at);
            codes.push(code);
            if (code === RECORD.CUT) break;
          }
          return codes;
        });
      }),
    );
  });

  it("round-trips through its header", () => {
    const type = fc.integer({ min: 20, max: 23 });
    const sequence = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 0xffff_ffff, 0x1_0000_0000, RECORD_SEQUENCE_MAX));
    fc.assert(
      fc.property(type, fc.nat(0xffff), sequence, fc.nat(1_500), (kind, epoch, wide, length) => {
        const number = wide % (RECORD_SEQUENCE_MAX + 1);
        const bytes = new Uint8Array(3 + RECORD_HEADER_BYTES + length);
        recordWriteHeader(bytes, 3, kind, epoch, number, length);
        expect(recordCheck(bytes, 3, RECORD_HEADER_BYTES + length)).toBe(RECORD.OK);
        expect(recordType(bytes, 3)).toBe(kind);
        expect(recordEpoch(bytes, 3)).toBe(epoch);
        expect(recordSequence(bytes, 3)).toBe(number);
        expect(recordBodyLength(bytes, 3)).toBe(length);
      }),
    );
  });
});
