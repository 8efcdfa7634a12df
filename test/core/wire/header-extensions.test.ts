/** RFC 8285 blocks: its forms, its stops, the writer's change of form, and hostile bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RtpPacket } from "werift-rtp";
import { LIMITS } from "../../../core/limits.ts";
import {
  createExtensionScan,
  createExtensionWriter,
  HEADER_EXTENSION,
  HEADER_EXTENSION_KINDS,
  HEADER_EXTENSION_URI,
  headerExtensionFind,
  headerExtensionKind,
  headerExtensionsAdd,
  headerExtensionsBegin,
  headerExtensionsEnd,
  headerExtensionsReserve,
  headerExtensionsScan,
  headerExtensionsWord,
  headerExtensionsWriteWord,
} from "../../../core/wire/header-extensions.ts";
import { RTP, rtpCheckHeader } from "../../../core/wire/rtp.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

const HEADER = "90 60 00 01 00 00 00 02 00 00 00 03";

interface Element {
  id: number;
  value: Uint8Array;
}

/** The elements of a packet, as a scan sees them. */
function elementsOf(bytes: Uint8Array, offset = 0, length = bytes.length): Element[] {
  const scan = createExtensionScan();
  headerExtensionsScan(scan, bytes, offset, length);
  return Array.from({ length: scan.count }, (_, i) => ({
    id: scan.ids[i]!,
    value: bytes.slice(scan.offsets[i]!, scan.offsets[i]! + scan.lengths[i]!),
  }));
}

/** A packet without payload whose block holds these elements; `undefined` when one of them found no room. */
function packetWith(elements: readonly Element[], room = 4_096): Uint8Array | undefined {
  const bytes = new Uint8Array(12 + room + 64).fill(0xee);
  bytes.set(hex(HEADER));
  const writer = createExtensionWriter();
  headerExtensionsBegin(writer, 12, 12 + room, true);
  for (const { id, value } of elements) {
    if (!headerExtensionsAdd(writer, bytes, id, value, 0, value.length)) return undefined;
  }
  const length = headerExtensionsEnd(writer, bytes);
  expect(bytes.slice(12 + room)).toEqual(new Uint8Array(64).fill(0xee));
  return bytes.slice(0, 12 + length);
}

const ONE_BYTE = hex(HEADER, "be de 00 03", "10 aa", "00", "22 01 02 03", "00 00", "50 07", "00");
const TWO_BYTE = hex(HEADER, "10 00 00 03", "01 00", "00", "ff 03 01 02 03", "0f 01 09", "00");

describe("scanning header extensions", () => {
  it("finds one-byte elements between padding", () => {
    expect(elementsOf(ONE_BYTE)).toEqual([
      { id: 1, value: hex("aa") },
      { id: 2, value: hex("01 02 03") },
      { id: 5, value: hex("07") },
    ]);
  });

  it("finds two-byte elements, empty ones and ids above 14 among them", () => {
    expect(elementsOf(TWO_BYTE)).toEqual([
      { id: 1, value: hex("") },
      { id: 255, value: hex("01 02 03") },
      { id: 15, value: hex("09") },
    ]);
  });

  it("takes every two-byte profile that the application bits make", () => {
    for (let bits = 0; bits < 16; bits++) {
      const bytes = Uint8Array.from(TWO_BYTE);
      bytes[13] = bits;
      expect(elementsOf(bytes)).toHaveLength(3);
    }
  });

  it("finds nothing under another profile", () => {
    expect(elementsOf(hex(HEADER, "be df 00 01", "10 aa 00 00"))).toEqual([]);
    expect(elementsOf(hex(HEADER, "10 10 00 01", "01 01 aa 00"))).toEqual([]);
  });

  it("finds nothing without an extension bit", () => {
    expect(elementsOf(hex("80 60 00 01 00 00 00 02 00 00 00 03", "be de 00 01 10 aa 00 00"))).toEqual([]);
  });

  it("skips the CSRCs", () => {
    const bytes = hex("92 60 00 01 00 00 00 02 00 00 00 03", "00 00 00 00 00 00 00 00", "be de 00 01 10 aa 00 00");
    expect(elementsOf(bytes)).toEqual([{ id: 1, value: hex("aa") }]);
  });

  it("stops at id 15 in the one-byte form", () => {
    expect(elementsOf(hex(HEADER, "be de 00 02", "10 aa", "f0 bb", "20 cc 00 00"))).toEqual([
      { id: 1, value: hex("aa") },
    ]);
  });

  it("stops at id 0 with a length in the one-byte form", () => {
    expect(elementsOf(hex(HEADER, "be de 00 02", "10 aa", "01 bb bb", "20 cc 00"))).toEqual([
      { id: 1, value: hex("aa") },
    ]);
  });

  it("keeps what stands before an element that is longer than the block", () => {
    expect(elementsOf(hex(HEADER, "be de 00 01", "10 aa", "21 bb", "cc"))).toEqual([{ id: 1, value: hex("aa") }]);
    expect(elementsOf(hex(HEADER, "10 00 00 01", "01 01 aa", "02", "01 bb"))).toEqual([{ id: 1, value: hex("aa") }]);
    expect(elementsOf(hex(HEADER, "10 00 00 02", "01 01 aa", "02 04 bb bb bb", "cc"))).toEqual([
      { id: 1, value: hex("aa") },
    ]);
  });

  it("leaves out elements beyond the bound", () => {
    const many = Array.from({ length: LIMITS.headerExtensionsMax + 4 }, (_, i) => ({ id: i + 1, value: hex("00") }));
    const found = elementsOf(packetWith(many)!);
    expect(found.map(({ id }) => id)).toEqual(many.slice(0, LIMITS.headerExtensionsMax).map(({ id }) => id));
  });

  it("answers the first of two elements with one id, and -1 for an id that is not there", () => {
    const scan = createExtensionScan();
    const bytes = hex(HEADER, "be de 00 01", "10 aa", "10 bb");
    headerExtensionsScan(scan, bytes, 0, bytes.length);
    expect(headerExtensionFind(scan, 1)).toBe(0);
    expect(headerExtensionFind(scan, 2)).toBe(-1);
  });

  it("forgets the packet before", () => {
    const scan = createExtensionScan();
    headerExtensionsScan(scan, ONE_BYTE, 0, ONE_BYTE.length);
    headerExtensionsScan(scan, hex("80 60 00 01 00 00 00 02 00 00 00 03"), 0, 12);
    expect(scan.count).toBe(0);
  });

  it("reads hostile bytes inside the packet alone", () => {
    fc.assert(
      fc.property(hostileBytes(ONE_BYTE, TWO_BYTE), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => {
          if (rtpCheckHeader(bytes, offset, length) !== RTP.OK) return "refused";
          return elementsOf(bytes, offset, length);
        });
      }),
    );
  });
});

describe("writing header extensions", () => {
  const element = (idMax: number, lengthMin: number, lengthMax: number) =>
    fc.record({
      id: fc.integer({ min: 1, max: idMax }),
      value: fc.uint8Array({ minLength: lengthMin, maxLength: lengthMax }),
    });
  const upTo = (arbitrary: fc.Arbitrary<Element>) =>
    fc.array(arbitrary, { minLength: 1, maxLength: LIMITS.headerExtensionsMax });

  it("uses the one-byte form as long as it can", () => {
    fc.assert(
      fc.property(upTo(element(14, 1, 16)), (elements) => {
        const bytes = packetWith(elements)!;
        expect(bytes.slice(12, 14)).toEqual(hex("be de"));
        expect(elementsOf(bytes)).toEqual(elements);
      }),
    );
  });

  it("gives back what it was given, whatever form that takes", () => {
    fc.assert(
      fc.property(upTo(fc.oneof(element(14, 1, 16), element(255, 0, 255))), (elements) => {
        const bytes = packetWith(elements)!;
        expect(bytes.length % 4).toBe(0);
        expect(rtpCheckHeader(bytes, 0, bytes.length)).toBe(RTP.OK);
        expect(elementsOf(bytes)).toEqual(elements);
      }),
    );
  });

  it("turns what it has written into the two-byte form when an element asks for it", () => {
    const bytes = packetWith([
      { id: 1, value: hex("aa") },
      { id: 2, value: hex("bb cc") },
      { id: 15, value: hex("dd") },
    ]);
    expect(bytes).toEqual(hex(HEADER, "10 00 00 03", "01 01 aa", "02 02 bb cc", "0f 01 dd", "00 00"));
  });

  it("leaves out what only the two-byte form can hold for a receiver that takes the one-byte form alone", () => {
    const bytes = new Uint8Array(64);
    bytes.set(hex(HEADER));
    const writer = createExtensionWriter();
    headerExtensionsBegin(writer, 12, 64, false);
    expect(headerExtensionsReserve(writer, bytes, 1, 17)).toBe(-1);
    expect(headerExtensionsReserve(writer, bytes, 15, 1)).toBe(-1);
    expect(headerExtensionsReserve(writer, bytes, 2, 0)).toBe(-1);
    expect(headerExtensionsReserve(writer, bytes, 14, 3)).toBe(17);
    bytes.set(hex("01 02 03"), 17);
    const length = headerExtensionsEnd(writer, bytes);
    expect(bytes.slice(12, 12 + length)).toEqual(hex("be de 00 01", "e2 01 02 03"));
  });

  it("writes nothing for a block without elements", () => {
    expect(packetWith([])).toEqual(hex(HEADER));
  });

  it("refuses the element that has no room, and stays within the room", () => {
    fc.assert(
      fc.property(upTo(fc.oneof(element(14, 1, 16), element(255, 0, 40))), fc.nat(200), (elements, room) => {
        const bytes = packetWith(elements, room);
        if (bytes !== undefined) expect(bytes.length).toBeLessThanOrEqual(12 + room);
      }),
    );
  });

  it("keeps the block whole after a refusal", () => {
    const bytes = new Uint8Array(64);
    bytes.set(hex(HEADER));
    const writer = createExtensionWriter();
    headerExtensionsBegin(writer, 12, 24, true);
    expect(headerExtensionsReserve(writer, bytes, 1, 3)).toBe(17);
    bytes.set(hex("01 02 03"), 17);
    expect(headerExtensionsReserve(writer, bytes, 15, 4)).toBe(-1);
    expect(headerExtensionsReserve(writer, bytes, 2, 3)).toBe(21);
    bytes.set(hex("04 05 06"), 21);
    const length = headerExtensionsEnd(writer, bytes);
    expect(bytes.slice(12, 12 + length)).toEqual(hex("be de 00 02", "12 01 02 03", "22 04 05 06"));
  });

  it("is read by werift in both forms", () => {
    const forms = fc.oneof(upTo(element(14, 1, 16)), upTo(element(255, 1, 40)));
    fc.assert(
      fc.property(forms, (elements) => {
        const packet = RtpPacket.deSerialize(Buffer.from(packetWith(elements)!));
        const found = packet.header.extensions.map(({ id, payload }) => ({ id, value: Uint8Array.from(payload) }));
        expect(found).toEqual(elements);
      }),
    );
  });
});

describe("a block of one word", () => {
  it("is the block that the writer makes of one short element", () => {
    for (const id of [1, 4, 14]) {
      for (const value of [hex("30"), hex("31 32"), hex("ff 00 80")]) {
        const [written, direct] = [new Uint8Array(24), new Uint8Array(24)];
        const writer = createExtensionWriter();
        headerExtensionsBegin(writer, 12, 24, false);
        headerExtensionsAdd(writer, written, id, value, 0, value.length);
        const length = headerExtensionsEnd(writer, written);
        expect(headerExtensionsWriteWord(direct, 12, headerExtensionsWord(id, value))).toBe(length);
        expect(direct).toEqual(written);
      }
    }
  });

  it("has no room for an element without an id, a long one, an empty one, or one of the two-byte form", () => {
    const none = [headerExtensionsWord(0, hex("30")), headerExtensionsWord(4, hex("30 31 32 33"))];
    expect([...none, headerExtensionsWord(4, hex("")), headerExtensionsWord(15, hex("30"))]).toEqual([0, 0, 0, 0]);
  });
});

describe("kinds of header extension", () => {
  it("are found by their URI, and 0 by any other", () => {
    for (const kind of Object.values(HEADER_EXTENSION)) {
      expect(headerExtensionKind(HEADER_EXTENSION_URI[kind]!)).toBe(kind);
    }
    expect(headerExtensionKind("urn:example:nothing")).toBe(0);
    expect(headerExtensionKind("")).toBe(0);
  });

  it("index tables of the stated length", () => {
    expect(HEADER_EXTENSION_URI).toHaveLength(HEADER_EXTENSION_KINDS);
    expect(Math.max(...Object.values(HEADER_EXTENSION))).toBe(HEADER_EXTENSION_KINDS - 1);
  });
});
