import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, type Micros } from "../../../core/base/micros.ts";
import { LIMITS } from "../../../core/limits.ts";
import {
  createTransportArrivals,
  type TransportArrivals,
  transportArrival,
  transportFeedbackPending,
  transportFeedbackWrite,
} from "../../../core/media/transport-arrivals.ts";
import { rtcpCheck } from "../../../core/wire/rtcp.ts";
import {
  createTransportFeedback,
  isTransportFeedback,
  readTransportFeedback,
  TRANSPORT_DELTA_MICROS,
  TRANSPORT_REFERENCE_MICROS,
} from "../../../core/wire/transport-feedback.ts";

const STARTS = [0, 1, 0x7fff, 0x8000, 65_534, 65_535];
const RING = LIMITS.transportFeedbackPacketsMax;
const REFERENCE_WRAP_MICROS = 2 ** 24 * TRANSPORT_REFERENCE_MICROS;

function at(micros: number): Micros {
  return (MICROS_ORIGIN + micros) as Micros;
}

interface Told {
  base: number;
  statuses: number;
  feedbackCount: number;
  /** Sequence number and time of arrival since the origin, in microseconds. */
  received: Map<number, number>;
}

/** Writes one feedback in the middle of a larger array and reads it back; `undefined` when there is nothing to say. */
function feedback(arrivals: TransportArrivals, lengthMax = 1_200): Told | undefined {
  const bytes = new Uint8Array(2_000).fill(0xee);
  const length = transportFeedbackWrite(arrivals, at(0), bytes, 100, lengthMax, 1, 2);
  if (length === 0) return undefined;
  expect(length).toBeLessThanOrEqual(lengthMax);
  expect(rtcpCheck(bytes, 100, length)).toBe(0);
  expect(isTransportFeedback(bytes, 100)).toBe(true);
  expect(bytes[99]).toBe(0xee);
  expect(bytes[100 + length]).toBe(0xee);
  const record = createTransportFeedback();
  expect(readTransportFeedback(record, bytes, 100)).toBe(true);
  expect(record).toMatchObject({ senderSsrc: 1, mediaSsrc: 2 });
  const received = new Map<number, number>();
  for (let i = 0; i < record.receivedCount; i++) {
    const time = (record.arrivals[i]! - (MICROS_ORIGIN % REFERENCE_WRAP_MICROS)) % REFERENCE_WRAP_MICROS;
    received.set(record.sequences[i]!, time);
  }
  return { base: record.baseSequence, statuses: record.statusCount, feedbackCount: record.feedbackCount, received };
}

function allFeedback(arrivals: TransportArrivals, lengthMax?: number): Told[] {
  const told: Told[] = [];
  for (let next = feedback(arrivals, lengthMax); next !== undefined; next = feedback(arrivals, lengthMax))
    told.push(next);
  return told;
}

describe("transport arrivals", () => {
  it("tells which packets arrived and when, round the wrap too", () => {
    for (const start of STARTS) {
      const arrivals = createTransportArrivals();
      transportArrival(arrivals, at(1_000), start);
      transportArrival(arrivals, at(9_000), (start + 3) & 0xffff);
      const told = feedback(arrivals)!;
      expect(told).toMatchObject({ base: start, statuses: 4, feedbackCount: 0 });
      expect([...told.received.keys()]).toEqual([start, (start + 3) & 0xffff]);
      const [first, last] = [...told.received.values()];
      expect(last! - first!).toBe(8_000);
    }
  });

  it("has nothing to say when nothing has arrived since", () => {
    const arrivals = createTransportArrivals();
    expect(feedback(arrivals)).toBeUndefined();
    transportArrival(arrivals, at(0), 4);
    expect(transportFeedbackPending(arrivals)).toBe(true);
    feedback(arrivals);
    transportArrival(arrivals, at(1), 4);
    expect(transportFeedbackPending(arrivals)).toBe(false);
    expect(feedback(arrivals)).toBeUndefined();
  });

  it("tells of what is missing between two feedbacks", () => {
    const arrivals = createTransportArrivals();
    transportArrival(arrivals, at(0), 10);
    feedback(arrivals);
    transportArrival(arrivals, at(5_000), 13);
    const told = feedback(arrivals)!;
    expect(told).toMatchObject({ base: 11, statuses: 3, feedbackCount: 1 });
    expect([...told.received.keys()]).toEqual([13]);
  });

  it("goes back for a packet that arrives after it was told missing", () => {
    const arrivals = createTransportArrivals();
    transportArrival(arrivals, at(0), 10);
    transportArrival(arrivals, at(1_000), 12);
    feedback(arrivals);
    transportArrival(arrivals, at(60_000), 11);
    const told = feedback(arrivals)!;
    expect(told.base).toBe(11);
    expect([...told.received.keys()]).toEqual([11, 12]);
    expect(told.received.get(11)! - told.received.get(12)!).toBe(59_000);
  });

  it("goes on in another feedback where one has no room", () => {
    const arrivals = createTransportArrivals();
    for (let i = 0; i < 500; i++) transportArrival(arrivals, at(i * 1_000), (65_300 + i) & 0xffff);
    const told = allFeedback(arrivals, 100);
    expect(told.length).toBeGreaterThan(4);
    expect(told.reduce((sum, each) => sum + each.statuses, 0)).toBe(500);
    expect(told.map((each) => each.feedbackCount)).toEqual(told.map((_, i) => i));
  });

  it("goes on in another feedback after a pause that a delta can't express", () => {
    const arrivals = createTransportArrivals();
    transportArrival(arrivals, at(0), 1);
    transportArrival(arrivals, at(20_000_000), 2);
    const told = allFeedback(arrivals);
    expect(told.map((each) => [...each.received.keys()])).toEqual([[1], [2]]);
  });

  it("counts its feedbacks modulo 256", () => {
    const arrivals = createTransportArrivals();
    let last: Told | undefined;
    for (let i = 0; i < 258; i++) {
      transportArrival(arrivals, at(i * 50_000), i);
      last = feedback(arrivals);
    }
    expect(last!.feedbackCount).toBe(1);
  });

  it("gives the oldest up when nobody asks for feedback", () => {
    const arrivals = createTransportArrivals();
    for (let i = 0; i < RING + 100; i++) transportArrival(arrivals, at(i * 100), i);
    const told = allFeedback(arrivals);
    expect(told[0]!.base).toBe(100);
    expect(told.reduce((sum, each) => sum + each.received.size, 0)).toBe(RING);
  });

  it("tells the truth over many rounds of its ring, for what came late too", () => {
    const arrivals = createTransportArrivals();
    const arrived = new Set<number>();
    const told = new Set<number>();
    for (let place = 0; place < 5 * RING; place++) {
      // Every 7th is lost, every 11th comes three places late.
      const late = (place - 3) % 11 === 0 && (place - 3) % 7 !== 0 ? [place - 3] : [];
      const came = place % 7 === 0 || place % 11 === 0 ? late : [...late, place];
      for (const each of came.filter((number) => number >= 0)) {
        transportArrival(arrivals, at(place * 1_000), each);
        arrived.add(each);
      }
      if (place % 50 !== 49) continue;
      for (const feedbackTold of allFeedback(arrivals))
        for (const number of feedbackTold.received.keys()) told.add(number);
    }
    for (const each of allFeedback(arrivals)) for (const number of each.received.keys()) told.add(number);
    expect(told).toEqual(arrived);
  });

  it("does not take a packet from before its ring for a new one", () => {
    const arrivals = createTransportArrivals();
    transportArrival(arrivals, at(0), 5_000);
    feedback(arrivals);
    transportArrival(arrivals, at(1), 5_000 - RING);
    expect(transportFeedbackPending(arrivals)).toBe(false);
  });

  it("does not remember across a jump", () => {
    const arrivals = createTransportArrivals();
    for (let i = 0; i < 10; i++) transportArrival(arrivals, at(i), i);
    transportArrival(arrivals, at(20), 5 * RING + 9);
    feedback(arrivals);
    transportArrival(arrivals, at(30), 5 * RING + 2);
    expect([...feedback(arrivals)!.received.keys()]).toEqual([5 * RING + 2, 5 * RING + 9]);
  });

  it("starts anew after a jump that it can say nothing true about", () => {
    const arrivals = createTransportArrivals();
    transportArrival(arrivals, at(0), 5);
    transportArrival(arrivals, at(1_000), 5 + RING);
    const told = allFeedback(arrivals);
    expect(told.length).toBe(1);
    expect(told[0]).toMatchObject({ base: 5 + RING, statuses: 1 });
  });

  it("writes nothing where there is no room", () => {
    const arrivals = createTransportArrivals();
    transportArrival(arrivals, at(0), 5);
    expect(feedback(arrivals, 20)).toBeUndefined();
    expect(feedback(arrivals)!.received.size).toBe(1);
  });

  it("tells of every arrival, to a quarter of a millisecond, for any loss and order", () => {
    const step = fc.record({
      ahead: fc.integer({ min: -30, max: 40 }),
      wait: fc.oneof(fc.nat(5_000), fc.nat(300_000)),
      feedback: fc.boolean(),
    });
    const arbitrary = fc.array(step, { maxLength: 120, size: "max" });
    fc.assert(
      fc.property(fc.constantFrom(...STARTS), fc.integer({ min: 60, max: 1_200 }), arbitrary, (start, room, steps) => {
        const arrivals = createTransportArrivals();
        const arrived = new Map<number, number>();
        const told = new Map<number, number>();
        let newest = 0;
        let now = 0;
        transportArrival(arrivals, at(0), start);
        arrived.set(start, 0);
        for (const { ahead, wait, feedback: asks } of [...steps, { ahead: 1, wait: 0, feedback: true }]) {
          now += wait;
          const sequence = (start + newest + ahead) & 0xffff;
          newest = Math.max(newest, newest + ahead);
          transportArrival(arrivals, at(now), sequence);
          if (!arrived.has(sequence)) arrived.set(sequence, now);
          if (!asks) continue;
          for (const each of allFeedback(arrivals, room)) {
            for (const [number, time] of each.received) told.set(number, time);
          }
        }
        expect([...told.keys()].sort((a, b) => a - b)).toEqual([...arrived.keys()].sort((a, b) => a - b));
        for (const [number, time] of told) {
          expect(Math.abs(time - arrived.get(number)!)).toBeLessThanOrEqual(TRANSPORT_DELTA_MICROS);
        }
      }),
    );
  });
});
