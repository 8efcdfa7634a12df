/** The RTP header: known bytes, round trips, werift's opinion, and hostile bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RtpHeader, RtpPacket } from "werift-rtp";
import {
  RTP,
  rtpCheck,
  rtpCheckHeader,
  rtpCsrcCount,
  rtpHasExtension,
  rtpHeaderLength,
  rtpMarker,
  rtpPaddingLength,
  rtpPayloadLength,
  rtpPayloadType,
  rtpSequence,
  rtpSetExtension,
  rtpSetMarker,
  rtpSetPadding,
  rtpSetPayloadType,
  rtpSetSequence,
  rtpSetSsrc,
  rtpSetTimestamp,
  rtpSsrc,
  rtpTimestamp,
  rtpWriteHeader,
} from "../../../core/wire/rtp.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

/** A packet with everything that a header can have. */
const FULL = hex(
  "b2 e0", // version 2, padding, extension, two CSRCs; marker, payload type 96
  "ff fe", // sequence 65534
  "89 ab cd ef", // timestamp
  "de ad be ef", // SSRC
  "00 00 00 01 00 00 00 02", // CSRCs
  "be de 00 01 10 aa 00 00", // extension block of one word
  "01 02 03", // payload
  "00 02", // padding of two bytes
);

/** A packet with nothing but a header. */
const BARE = hex("80 6f 00 01", "00 00 00 02", "00 00 00 03");

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe("rtp", () => {
  it("reads every field of a full header", () => {
    expect(rtpCheck(FULL, 0, FULL.length)).toBe(RTP.OK);
    expect(rtpPayloadType(FULL, 0)).toBe(96);
    expect(rtpMarker(FULL, 0)).toBe(true);
    expect(rtpSequence(FULL, 0)).toBe(65_534);
    expect(rtpTimestamp(FULL, 0)).toBe(0x89ab_cdef);
    expect(rtpSsrc(FULL, 0)).toBe(0xdead_beef);
    expect(rtpCsrcCount(FULL, 0)).toBe(2);
    expect(rtpHasExtension(FULL, 0)).toBe(true);
    expect(rtpHeaderLength(FULL, 0)).toBe(28);
    expect(rtpPaddingLength(FULL, 0, FULL.length)).toBe(2);
    expect(rtpPayloadLength(FULL, 0, FULL.length)).toBe(3);
  });

  it("takes a packet that is all header", () => {
    expect(rtpCheck(BARE, 0, BARE.length)).toBe(RTP.OK);
    expect(rtpPayloadLength(BARE, 0, BARE.length)).toBe(0);
  });

  it("refuses every cut through the header", () => {
    for (let length = 0; length < 28; length++) {
      expect(rtpCheckHeader(FULL, 0, length), `${length} bytes`).not.toBe(RTP.OK);
    }
    expect(rtpCheckHeader(FULL, 0, 28)).toBe(RTP.OK);
  });

  it("refuses any version but 2", () => {
    for (const first of [0x00, 0x40, 0xc0]) {
      const bytes = Uint8Array.from(BARE);
      bytes[0] = first;
      expect(rtpCheck(bytes, 0, bytes.length)).toBe(RTP.VERSION);
    }
  });

  it("refuses an extension block that is longer than the packet", () => {
    const bytes = hex("90 60 00 01 00 00 00 02 00 00 00 03", "be de 00 02 10 aa 00 00");
    expect(rtpCheck(bytes, 0, bytes.length)).toBe(RTP.EXTENSION);
  });

  it("refuses a padding count of zero", () => {
    const bytes = hex("a0 60 00 01 00 00 00 02 00 00 00 03", "01 00");
    expect(rtpCheck(bytes, 0, bytes.length)).toBe(RTP.PADDING);
  });

  it("refuses a padding count beyond the payload, and takes one that is all of it", () => {
    expect(rtpCheck(hex("a0 60 00 01 00 00 00 02 00 00 00 03", "00 03"), 0, 14)).toBe(RTP.PADDING);
    expect(rtpCheck(hex("a0 60 00 01 00 00 00 02 00 00 00 03", "00 02"), 0, 14)).toBe(RTP.OK);
  });

  it("refuses padding where there is no payload", () => {
    expect(rtpCheck(hex("a0 60 00 01 00 00 00 02 00 00 00 03"), 0, 12)).toBe(RTP.PADDING);
  });

  it("leaves the padding of a sealed packet unjudged", () => {
    expect(rtpCheckHeader(hex("a0 60 00 01 00 00 00 02 00 00 00 03", "00 00"), 0, 14)).toBe(RTP.OK);
  });

  it("reads back what it has written", () => {
    fc.assert(
      fc.property(fc.nat(127), fc.boolean(), u16, u32, u32, (payloadType, marker, sequence, timestamp, ssrc) => {
        const bytes = new Uint8Array(20).fill(0xff);
        expect(rtpWriteHeader(bytes, 4, payloadType, marker, sequence, timestamp, ssrc)).toBe(12);
        expect(rtpCheck(bytes, 4, 12)).toBe(RTP.OK);
        const read = [rtpPayloadType(bytes, 4), rtpMarker(bytes, 4), rtpSequence(bytes, 4), rtpTimestamp(bytes, 4)];
        expect([...read, rtpSsrc(bytes, 4)]).toEqual([payloadType, marker, sequence, timestamp, ssrc]);
      }),
    );
  });

  it("sets one field without touching another", () => {
    const bytes = Uint8Array.from(FULL);
    rtpSetPayloadType(bytes, 0, 111);
    rtpSetMarker(bytes, 0, false);
    rtpSetSequence(bytes, 0, 7);
    rtpSetTimestamp(bytes, 0, 0x8000_0000);
    rtpSetSsrc(bytes, 0, 0xffff_ffff);
    expect(bytes.slice(0, 12)).toEqual(hex("b2 6f 00 07 80 00 00 00 ff ff ff ff"));
    rtpSetMarker(bytes, 0, true);
    rtpSetExtension(bytes, 0, false);
    rtpSetPadding(bytes, 0, false);
    expect(bytes.slice(0, 2)).toEqual(hex("82 ef"));
    rtpSetExtension(bytes, 0, true);
    rtpSetPadding(bytes, 0, true);
    expect(bytes.slice(0, 2)).toEqual(hex("b2 ef"));
    expect(bytes.slice(12)).toEqual(FULL.slice(12));
  });

  it("agrees with werift about packets that werift writes", () => {
    const csrc = fc.array(u32, { maxLength: 15 });
    const extensions = fc.array(
      fc.record({ id: fc.integer({ min: 1, max: 14 }), payload: fc.uint8Array({ minLength: 1, maxLength: 16 }) }),
      { maxLength: 5 },
    );
    const fields = fc.record({ pt: fc.nat(127), marker: fc.boolean(), sequence: u16, timestamp: u32, ssrc: u32, csrc });
    const payload = fc.uint8Array({ minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fields, extensions, payload, (field, elements, content) => {
        const header = new RtpHeader({
          payloadType: field.pt,
          marker: field.marker,
          sequenceNumber: field.sequence,
          timestamp: field.timestamp,
          ssrc: field.ssrc,
          csrc: field.csrc,
          csrcLength: field.csrc.length,
          extension: elements.length > 0,
          extensions: elements.map(({ id, payload }) => ({ id, payload: Buffer.from(payload) })),
        });
        const bytes = Uint8Array.from(new RtpPacket(header, Buffer.from(content)).serialize());
        expect(rtpCheck(bytes, 0, bytes.length)).toBe(RTP.OK);
        expect(rtpSequence(bytes, 0)).toBe(field.sequence);
        expect(rtpSsrc(bytes, 0)).toBe(field.ssrc);
        expect(rtpCsrcCount(bytes, 0)).toBe(field.csrc.length);
        expect(bytes.slice(rtpHeaderLength(bytes, 0))).toEqual(content);
      }),
    );
  });

  it("judges and reads hostile bytes by themselves alone", () => {
    fc.assert(
      fc.property(hostileBytes(FULL, BARE), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => {
          const code = rtpCheck(bytes, offset, length);
          if (code !== RTP.OK) return code;
          const payload = rtpPayloadLength(bytes, offset, length);
          const header = rtpHeaderLength(bytes, offset);
          expect(payload).toBeGreaterThanOrEqual(0);
          expect(header + payload + rtpPaddingLength(bytes, offset, length)).toBe(length);
          return [header, payload, rtpSsrc(bytes, offset), rtpSequence(bytes, offset), rtpTimestamp(bytes, offset)];
        });
      }),
    );
  });
});
