/** Transport-wide feedback: known bytes, round trips, where it ends early, werift both ways, and hostile bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  RecvDelta,
  RtcpHeader,
  RtcpPacketConverter,
  type RtcpTransportLayerFeedback,
  RunLengthChunk,
  StatusVectorChunk,
  TransportWideCC,
} from "werift-rtp";
import { seqAdd16 } from "../../../core/base/sequence.ts";
import { LIMITS } from "../../../core/limits.ts";
import { RTCP, rtcpCheck } from "../../../core/wire/rtcp.ts";
import {
  createTransportFeedback,
  isTransportFeedback,
  readTransportFeedback,
  TRANSPORT_DELTA_MICROS,
  TRANSPORT_REFERENCE_MICROS,
  transportFeedbackStatusCount,
  transportReferenceTime,
  writeTransportFeedback,
} from "../../../core/wire/transport-feedback.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

/** A time that clocks show, and a multiple of a reference unit. */
const START = 8_589_934_592 + 64_000 - (8_589_934_592 % 64_000);
const MISSING = -1;

/** What a feedback says, as plain values. */
interface Said {
  base: number;
  count: number;
  feedbackCount: number;
  referenceTime: number;
  received: [sequence: number, micros: number][];
}

function read(bytes: Uint8Array, offset = 0, length = bytes.length): Said | undefined {
  if (rtcpCheck(bytes, offset, length) !== RTCP.OK || !isTransportFeedback(bytes, offset)) return undefined;
  const feedback = createTransportFeedback();
  if (!readTransportFeedback(feedback, bytes, offset)) return undefined;
  const { baseSequence, statusCount, feedbackCount, referenceTime, receivedCount, sequences, arrivals } = feedback;
  const received = Array.from({ length: receivedCount }, (_, i): [number, number] => [sequences[i]!, arrivals[i]!]);
  return { base: baseSequence, count: statusCount, feedbackCount, referenceTime, received };
}

/** Writes feedback about these arrivals, in µs since `START`; nothing around the packet may change. */
function write(arrivals: readonly number[], base = 100, lengthMax = 1_200): Uint8Array {
  const absolute = Float64Array.from(arrivals, (arrival) => (arrival === MISSING ? MISSING : START + arrival));
  const first = absolute.find((arrival) => arrival >= 0) ?? START;
  const bytes = new Uint8Array(lengthMax + 16).fill(0xee);
  const reference = transportReferenceTime(first);
  const length = writeTransportFeedback(bytes, 8, lengthMax, 1, 2, base, arrivals.length, 5, reference, absolute);
  expect(length).toBeLessThanOrEqual(lengthMax);
  expect(bytes.findIndex((byte, index) => (index < 8 || index >= 8 + length) && byte !== 0xee)).toBe(-1);
  const packet = bytes.slice(8, 8 + length);
  if (length > 0) expect(rtcpCheck(packet, 0, length)).toBe(RTCP.OK);
  return packet;
}

/** What feedback that was read should say about the first `count` arrivals. */
function expectSaid(said: Said | undefined, arrivals: readonly number[], base: number, count = arrivals.length): void {
  expect(said).toBeDefined();
  const { received } = said!;
  expect([said!.base, said!.count]).toEqual([base, count]);
  const present = arrivals.slice(0, count).flatMap((arrival, i) => (arrival === MISSING ? [] : [{ arrival, i }]));
  expect(received.map(([sequence]) => sequence)).toEqual(present.map(({ i }) => seqAdd16(base, i)));
  const origin = (START / TRANSPORT_REFERENCE_MICROS) & 0xff_ffff;
  for (const [k, { arrival }] of present.entries()) {
    const micros = received[k]![1] - origin * TRANSPORT_REFERENCE_MICROS;
    expect(micros).toBe(Math.floor(arrival / TRANSPORT_DELTA_MICROS) * TRANSPORT_DELTA_MICROS);
  }
}

/** Arrivals as they come: mostly close together, sometimes missing, late or out of order. */
const arrivalsArbitrary = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 5_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 900_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: -20_000, max: -1 }) },
      { weight: 3, arbitrary: fc.constant(undefined) },
    ),
    { minLength: 1, maxLength: 120 },
  )
  .map((steps) => {
    let at = 30_000;
    return steps.map((step) => {
      if (step === undefined) return MISSING;
      at = Math.max(0, at + step);
      return at;
    });
  });

const base16 = fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 1, 32_767, 32_768, 65_534, 65_535));

const KNOWN = hex(
  "af cd 00 06 00 00 00 01 00 00 00 02", // padded feedback of seven words, from SSRC 1 about SSRC 2
  "ff ff 00 04", // four packets from 65535 on
  "00 00 10 05", // reference time 16, feedback 5
  "d8 40", // two-bit vector: received with a small delta, with a large one, missing, small
  "04 ff fc 08", // 1 ms, -1 ms, 2 ms
  "00 02", // padding
);

describe("reading transport-wide feedback", () => {
  it("gives sequence numbers and times", () => {
    const start = 16 * TRANSPORT_REFERENCE_MICROS;
    expect(read(KNOWN)).toEqual({
      base: 65_535,
      count: 4,
      feedbackCount: 5,
      referenceTime: 16,
      received: [
        [65_535, start + 1_000],
        [0, start],
        [2, start + 2_000],
      ],
    });
  });

  it("refuses chunks and deltas that are missing", () => {
    expect(read(hex("8f cd 00 04 00 00 00 01 00 00 00 02", "00 00 00 01 00 00 00 00"))).toBeUndefined();
    expect(read(hex("8f cd 00 05 00 00 00 01 00 00 00 02", "00 00 00 03 00 00 00 00", "20 03 04 04"))).toBeUndefined();
  });

  it("refuses the reserved symbol and a run of nothing", () => {
    expect(read(hex("8f cd 00 05 00 00 00 01 00 00 00 02", "00 00 00 01 00 00 00 00", "60 01 04 04"))).toBeUndefined();
    expect(read(hex("8f cd 00 05 00 00 00 01 00 00 00 02", "00 00 00 01 00 00 00 00", "20 00 20 01"))).toBeUndefined();
  });

  it("refuses more packets than its record holds", () => {
    const count = LIMITS.transportFeedbackPacketsMax + 1;
    const bytes = new Uint8Array(24 + ((count + 3) & ~3));
    bytes.set(hex("8f cd 00 00 00 00 00 01 00 00 00 02"));
    bytes[3] = (bytes.length / 4 - 1) & 0xff;
    bytes[2] = (bytes.length / 4 - 1) >> 8;
    bytes.set([0, 0, count >> 8, count & 0xff, 0, 0, 0, 0, 0x20 | (count >> 8), count & 0xff], 12);
    expect(rtcpCheck(bytes, 0, bytes.length)).toBe(RTCP.OK);
    expect(read(bytes)).toBeUndefined();
  });

  it("takes 65535 missing packets without naming one", () => {
    const chunks = `${"1f ff".repeat(8)} 00 07`;
    expect(read(hex("8f cd 00 09 00 00 00 01 00 00 00 02", "00 00 ff ff 00 00 00 00", chunks, "00 00"))).toMatchObject({
      count: 65_535,
      received: [],
    });
  });

  it("reads hostile bytes inside the packet alone", () => {
    const seeds = [KNOWN, write([0, 1_000, MISSING, 90_000, 80_000, ...Array<number>(30).fill(MISSING), 200_000])];
    fc.assert(
      fc.property(hostileBytes(...seeds), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => read(bytes, offset, length) ?? "refused");
      }),
      { numRuns: 500 },
    );
  });
});

describe("writing transport-wide feedback", () => {
  it("says again what it was told, to a quarter of a millisecond", () => {
    fc.assert(
      fc.property(arrivalsArbitrary, base16, (arrivals, base) => {
        expectSaid(read(write(arrivals, base)), arrivals, base);
      }),
    );
  });

  it("does not add up rounding errors", () => {
    const arrivals = Array.from({ length: 200 }, (_, i) => i * 1_249);
    expectSaid(read(write(arrivals)), arrivals, 100);
  });

  it("describes a run in one chunk", () => {
    const arrivals = Array.from({ length: 100 }, (_, i) => 1_000 * i);
    expect(write(arrivals).slice(20, 22)).toEqual(hex("20 64"));
    expect(write(arrivals)).toHaveLength(20 + 2 + 100 + 2);
  });

  it("describes a mixture in one-bit vectors when all deltas are small", () => {
    const arrivals = Array.from({ length: 14 }, (_, i) => (i % 2 === 0 ? 1_000 * i : MISSING));
    expect(write(arrivals).slice(20, 22)).toEqual(hex("aa aa"));
  });

  it("describes a mixture with a large delta in a two-bit vector", () => {
    expect(write([0, MISSING, 100_000, 99_000]).slice(20, 22)).toEqual(hex("d2 80"));
  });

  it("never gives a chunk to fewer packets than a two-bit vector covers", () => {
    const large = [0, 1, 2, 3].map((i) => 100_000 * i);
    const arrivals = [...large, MISSING, MISSING, MISSING, ...large.map((arrival) => 400_000 + arrival), MISSING];
    expect(write(arrivals).slice(20, 24)).toEqual(hex("da 80", "ea 80"));
  });

  it("describes more missing packets than one run holds", () => {
    const arrivals = Array<number>(20_000).fill(MISSING);
    arrivals[0] = 0;
    arrivals[19_999] = 1_000;
    const packet = write(arrivals, 60_000, 6_000);
    expectSaid(read(packet), arrivals, 60_000);
    expect(packet.length).toBeLessThan(40);
  });

  it("ends before a packet whose delta is too large, and goes on with it as its first", () => {
    const arrivals = [0, 1_000, MISSING, 8_300_000, 8_301_000];
    const packet = write(arrivals);
    expect(transportFeedbackStatusCount(packet, 0)).toBe(3);
    expectSaid(read(packet), arrivals, 100, 3);
    expectSaid(read(write(arrivals.slice(3), 103)), arrivals.slice(3), 103);
  });

  it("holds the largest and the smallest delta", () => {
    const arrivals = [0, 32_767 * 250, 32_767 * 250 - 32_768 * 250 + 250];
    expectSaid(read(write(arrivals)), arrivals, 100);
    expect(transportFeedbackStatusCount(write([0, 32_768 * 250]), 0)).toBe(1);
  });

  it("writes nothing when the first packet does not fit the reference time", () => {
    const bytes = new Uint8Array(64);
    const arrivals = Float64Array.of(START + 9_000_000);
    const reference = transportReferenceTime(START);
    expect(writeTransportFeedback(bytes, 0, 64, 1, 2, 3, 1, 0, reference, arrivals)).toBe(0);
    expect(bytes).toEqual(new Uint8Array(64));
  });

  it("ends where its room ends", () => {
    fc.assert(
      fc.property(arrivalsArbitrary, fc.integer({ min: 0, max: 120 }), (arrivals, room) => {
        const packet = write(arrivals, 100, room);
        if (packet.length === 0) {
          expect(room).toBeLessThan(24);
          return;
        }
        const count = transportFeedbackStatusCount(packet, 0);
        expect(count).toBeGreaterThan(0);
        expectSaid(read(packet), arrivals, 100, count);
      }),
    );
  });

  it("cuts the reference time to 24 bits", () => {
    const bytes = new Uint8Array(64);
    const arrivals = Float64Array.of(0x100_0001 * TRANSPORT_REFERENCE_MICROS);
    writeTransportFeedback(bytes, 0, 64, 1, 2, 3, 1, 0, transportReferenceTime(arrivals[0]!), arrivals);
    expect(bytes.slice(16, 19)).toEqual(hex("00 00 01"));
  });
});

describe("werift and transport-wide feedback", () => {
  /** The packets that werift sees as received, and when. */
  function weriftReads(packet: Uint8Array): [number, number][] {
    const [parsed] = RtcpPacketConverter.deSerialize(Buffer.from(packet));
    const feedback = (parsed as RtcpTransportLayerFeedback).feedback as TransportWideCC;
    const symbols = feedback.packetChunks.flatMap((chunk) =>
      chunk instanceof RunLengthChunk ? Array<number>(chunk.runLength).fill(chunk.packetStatus) : chunk.symbolList,
    );
    let micros = feedback.referenceTime * TRANSPORT_REFERENCE_MICROS;
    let index = 0;
    return symbols.slice(0, feedback.packetStatusCount).flatMap((symbol, i): [number, number][] => {
      if (symbol === 0) return [];
      micros += feedback.recvDeltas[index++]!.delta;
      return [[seqAdd16(feedback.baseSequenceNumber, i), micros]];
    });
  }

  it("werift reads what is written", () => {
    fc.assert(
      fc.property(arrivalsArbitrary, base16, (arrivals, base) => {
        const packet = write(arrivals, base);
        expect(weriftReads(packet)).toEqual(read(packet)!.received);
      }),
    );
  });

  it("what werift writes is read", () => {
    const chunk = fc.oneof(
      fc.record({ kind: fc.constant("run"), symbols: fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 20 })) }),
      fc.record({ kind: fc.constant("one"), symbols: fc.array(fc.nat(1), { minLength: 14, maxLength: 14 }) }),
      fc.record({ kind: fc.constant("two"), symbols: fc.array(fc.nat(2), { minLength: 7, maxLength: 7 }) }),
    );
    const chunks = fc.array(chunk, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(chunks, base16, fc.array(fc.nat(255), { minLength: 160, maxLength: 160 }), (specs, base, deltas) => {
        const symbols: number[] = [];
        const packetChunks = specs.map(({ kind, symbols: list }) => {
          const runs = kind === "run";
          symbols.push(...(runs ? Array<number>(list[1]!).fill(list[0]!) : list));
          if (runs) return new RunLengthChunk({ packetStatus: list[0]!, runLength: list[1]! });
          return new StatusVectorChunk({ type: 1, symbolSize: kind === "one" ? 0 : 1, symbolList: list });
        });
        const present = symbols.filter((symbol) => symbol !== 0);
        const steps = present.map((symbol, i) => (symbol === 1 ? deltas[i]! : (deltas[i]! - 128) * 200) * 250);
        const feedback = new TransportWideCC({
          header: new RtcpHeader({ type: 205, count: 15, version: 2, padding: true }),
          senderSsrc: 1,
          mediaSourceSsrc: 2,
          baseSequenceNumber: base,
          packetStatusCount: symbols.length,
          referenceTime: 1_000,
          fbPktCount: 9,
          packetChunks,
          recvDeltas: steps.map((delta, i) => new RecvDelta({ type: present[i] as 1 | 2, delta })),
        });
        const bytes = Uint8Array.from(feedback.serialize());
        // It sets the padding bit even where nothing is padded.
        if ((2 * specs.length + symbols.reduce((sum, symbol) => sum + symbol, 0)) % 4 === 0) bytes[0] = 0x8f;
        let micros = 1_000 * TRANSPORT_REFERENCE_MICROS;
        let index = 0;
        const expected = symbols.flatMap((symbol, i): [number, number][] => {
          if (symbol === 0) return [];
          micros += steps[index++]!;
          return [[seqAdd16(base, i), micros]];
        });
        expect(read(bytes)?.received).toEqual(expected);
      }),
    );
  });
});
