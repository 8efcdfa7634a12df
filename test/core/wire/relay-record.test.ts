import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WallMicros } from "../../../core/index.ts";
import {
  RELAY,
  RELAY_FLAG,
  RELAY_KIND,
  RELAY_PACKET_HEADER_BYTES,
  relayMailRecord,
  relayPacketArrival,
  relayPacketFlags,
  relayPacketLane,
  relayPacketOrdinal,
  relayPacketStream,
  relayRecordCheck,
  relayRecordKind,
  relayRecordLength,
  relayWritePacketHeader,
} from "../../../core/wire/relay-record.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe("a packet record", () => {
  it("says what it was told", () => {
    const arrivals = fc.maxSafeInteger().map((value) => Math.abs(value) as WallMicros);
    const all = fc.tuple(u32, u32, fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 3 }), arrivals);
    fc.assert(
      fc.property(all, fc.nat(1_600), ([lane, stream, ordinal, flags, arrival], packetBytes) => {
        const bytes = new Uint8Array(3 + RELAY_PACKET_HEADER_BYTES + packetBytes);
        const length = relayWritePacketHeader(bytes, 3, packetBytes, lane, stream, ordinal, flags, arrival);
        expect(length).toBe(RELAY_PACKET_HEADER_BYTES);
        expect(relayRecordCheck(bytes, 3, bytes.length)).toBe(RELAY.OK);
        expect(relayRecordKind(bytes, 3)).toBe(RELAY_KIND.PACKET);
        expect(relayRecordLength(bytes, 3)).toBe(bytes.length - 3);
        expect([relayPacketLane(bytes, 3), relayPacketStream(bytes, 3)]).toEqual([lane, stream]);
        expect([relayPacketOrdinal(bytes, 3), relayPacketFlags(bytes, 3)]).toEqual([ordinal, flags]);
        expect(relayPacketArrival(bytes, 3)).toBe(arrival);
      }),
    );
  });

  it("has a flag for each thing that may be said of a packet", () => {
    expect(RELAY_FLAG.BEST & RELAY_FLAG.RECOVERED).toBe(0);
  });
});

describe("a mail record", () => {
  it("holds its letters", () => {
    const record = relayMailRecord(Uint8Array.of(1, 2, 3));
    expect(relayRecordCheck(record, 0, record.length)).toBe(RELAY.OK);
    expect([...record]).toEqual([RELAY_KIND.MAIL, 0, 0, 7, 1, 2, 3]);
  });
});

describe("the check", () => {
  it("refuses records that are cut short, in a batch that ends before them", () => {
    const bytes = new Uint8Array(100);
    relayWritePacketHeader(bytes, 0, 76, 1, 2, 3, 0, 4 as WallMicros);
    for (let end = 0; end < 100; end++) expect(relayRecordCheck(bytes, 0, end)).toBe(RELAY.TOO_SHORT);
  });

  it("never accepts a record that would not move on, or reaches past its batch", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 64 }), (bytes) => {
        if (relayRecordCheck(bytes, 0, bytes.length) !== RELAY.OK) return;
        const length = relayRecordLength(bytes, 0);
        const least = relayRecordKind(bytes, 0) === RELAY_KIND.PACKET ? RELAY_PACKET_HEADER_BYTES : 4;
        expect(length >= least && length <= bytes.length).toBe(true);
      }),
      { examples: [[Uint8Array.of(1, 0, 0, 0)], [Uint8Array.of(2, 0, 0, 4)], [Uint8Array.of(3, 0, 0, 4)]] },
    );
  });
});
