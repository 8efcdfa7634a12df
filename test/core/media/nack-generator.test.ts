import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, type Micros, micros, millis, NEVER } from "../../../core/base/micros.ts";
import {
  createNackGenerator,
  NACK,
  type NackGenerator,
  nackDue,
  nackForget,
  nackForgetBefore,
  nackNextTimeout,
  nackPacket,
} from "../../../core/media/nack-generator.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";

const STARTS = [0, 1, 0x7fff, 0x8000, 65_534, 65_535];
const LATER = USUAL_TUNABLES.nackReorderMicros / 1_000;

function at(milliseconds: number): Micros {
  return (MICROS_ORIGIN + millis(milliseconds)) as Micros;
}

function due(generator: NackGenerator, now: Micros, rttMilliseconds = 0): number[] {
  const out = new Uint16Array(USUAL_TUNABLES.nackMissingMax);
  return [...out.subarray(0, nackDue(generator, now, millis(rttMilliseconds), out))];
}

/** A generator that has heard the first number and then the one `gap` further on, at time 0. */
function withGap(first: number, gap: number): NackGenerator {
  const generator = createNackGenerator(USUAL_TUNABLES);
  nackPacket(generator, at(0), first);
  expect(nackPacket(generator, at(0), (first + gap) & 0xffff)).toBe(gap - 1);
  return generator;
}

describe("nack generator", () => {
  it("asks for what is missing between two packets, round the wrap too", () => {
    for (const start of STARTS) {
      const generator = withGap(start, 4);
      expect(due(generator, at(LATER))).toEqual([1, 2, 3].map((i) => (start + i) & 0xffff));
    }
  });

  it("asks for nothing while packets come in order", () => {
    const generator = createNackGenerator(USUAL_TUNABLES);
    let missing = 0;
    for (let i = 0; i < 70_000; i++) missing += nackPacket(generator, at(i), i & 0xffff);
    expect(missing).toBe(0);
    expect(nackNextTimeout(generator)).toBe(NEVER);
  });

  it("waits a little for a packet that may just be out of order", () => {
    const generator = withGap(10, 2);
    expect(due(generator, at(LATER - 1))).toEqual([]);
    expect(nackNextTimeout(generator)).toBe(at(LATER));
    expect(due(generator, at(LATER))).toEqual([11]);
  });

  it("does not wait once three newer packets have come", () => {
    const generator = withGap(10, 2);
    nackPacket(generator, at(1), 13);
    expect(due(generator, at(1))).toEqual([]);
    nackPacket(generator, at(2), 14);
    expect(nackNextTimeout(generator)).toBe(at(2));
    expect(due(generator, at(2))).toEqual([11]);
  });

  it("does not take the length of a gap for newer packets", () => {
    const generator = withGap(10, 6);
    expect(due(generator, at(1))).toEqual([]);
  });

  it("asks again once a round trip", () => {
    const generator = withGap(10, 2);
    expect(due(generator, at(10), 80)).toEqual([11]);
    expect(nackNextTimeout(generator)).toBe(at(90));
    expect(due(generator, at(89), 80)).toEqual([]);
    expect(due(generator, at(90), 80)).toEqual([11]);
  });

  it("asks at most every 20 ms on a short path", () => {
    const generator = withGap(10, 2);
    expect(due(generator, at(10), 1)).toEqual([11]);
    expect(due(generator, at(29), 1)).toEqual([]);
    expect(due(generator, at(30), 1)).toEqual([11]);
  });

  it("gives a packet up after so many questions", () => {
    const generator = withGap(10, 2);
    let asked = 0;
    for (let now = 0; now < 1_000; now++) asked += due(generator, at(now)).length;
    expect(asked).toBe(USUAL_TUNABLES.nackTriesMax);
    expect(generator.givenUp).toBe(1);
    expect(nackNextTimeout(generator)).toBe(NEVER);
  });

  it("counts the questions for each packet by itself when another is found", () => {
    const generator = withGap(10, 3);
    let now = 0;
    const asked = new Map([
      [11, 0],
      [12, 0],
    ]);
    for (; now < 500; now++) {
      if (now === 70) nackPacket(generator, at(now), 11);
      for (const sequence of due(generator, at(now))) asked.set(sequence, asked.get(sequence)! + 1);
    }
    expect(asked).toEqual(
      new Map([
        [11, 3],
        [12, USUAL_TUNABLES.nackTriesMax],
      ]),
    );
  });

  it("gives a packet up when nobody would keep it any longer", () => {
    const generator = withGap(10, 2);
    const age = USUAL_TUNABLES.packetCacheAgeMicros / 1_000;
    expect(due(generator, at(age - 1), 5_000)).toEqual([11]);
    expect(nackNextTimeout(generator)).toBe(at(age));
    expect(due(generator, at(age), 5_000)).toEqual([]);
    expect(nackNextTimeout(generator)).toBe(NEVER);
  });

  it("forgets a packet that came after all", () => {
    const generator = withGap(65_534, 4);
    expect(nackPacket(generator, at(1), 0)).toBe(0);
    expect(due(generator, at(LATER))).toEqual([65_535, 1]);
    expect(generator.recovered).toBe(1);
  });

  it("answers overflow and forgets when more is missing than it can hold", () => {
    const generator = withGap(0, USUAL_TUNABLES.nackMissingMax + 1);
    expect(nackPacket(generator, at(1), USUAL_TUNABLES.nackMissingMax + 3)).toBe(NACK.OVERFLOW);
    expect(nackNextTimeout(generator)).toBe(NEVER);
    expect(nackPacket(generator, at(1), USUAL_TUNABLES.nackMissingMax + 5)).toBe(1);
  });

  it("forgets what a keyframe makes worthless", () => {
    const generator = withGap(65_530, 10);
    nackForgetBefore(generator, 1);
    expect(due(generator, at(LATER))).toEqual([1, 2, 3]);
  });

  it("starts anew when told to forget", () => {
    const generator = withGap(0, 10);
    nackForget(generator);
    expect(nackPacket(generator, at(1), 40_000)).toBe(0);
    expect(nackNextTimeout(generator)).toBe(NEVER);
  });

  it("leaves due what does not fit", () => {
    const generator = withGap(0, 6);
    const out = new Uint16Array(2);
    expect(nackDue(generator, at(LATER), micros(0), out)).toBe(2);
    expect([...out]).toEqual([1, 2]);
    expect(nackNextTimeout(generator)).toBe(at(LATER));
    expect(nackDue(generator, at(LATER), micros(0), out)).toBe(2);
    expect([...out]).toEqual([3, 4]);
  });

  it("asks no more once its questions have come to nothing, until new packets have earned another", () => {
    const generator = withGap(0, 20);
    let asked = 0;
    for (let now = LATER; now < 500; now++) asked += due(generator, at(now)).length;
    expect(asked).toBe(USUAL_TUNABLES.nackSavedMax);
    const perQuestion = Math.ceil(100 / USUAL_TUNABLES.nackSharePercent);
    for (let i = 1; i <= 3 * perQuestion; i++) nackPacket(generator, at(500), 20 + i);
    for (let now = 500; now < 600; now++) asked += due(generator, at(now)).length;
    expect(asked).toBe(USUAL_TUNABLES.nackSavedMax + 3);
  });

  it("goes on asking when a third of the packets is lost, as long as what it asks for comes", () => {
    const generator = createNackGenerator(USUAL_TUNABLES);
    let lost = 0;
    for (let i = 0; i <= 3_000; i++) {
      const now = at(20 * i);
      if (i % 3 === 1) lost++;
      else nackPacket(generator, now, i & 0xffff);
      for (const sequence of due(generator, now, 100)) nackPacket(generator, now, sequence);
    }
    expect(generator.recovered).toBe(lost);
  });

  it("asks for exactly what a plain list of the missing packets would ask for", () => {
    const step = fc.record({ ahead: fc.integer({ min: -30, max: 12 }), wait: fc.nat(30_000), rtt: fc.nat(60_000) });
    fc.assert(
      fc.property(fc.constantFrom(...STARTS), fc.array(step, { maxLength: 150, size: "max" }), (start, steps) => {
        const generator = createNackGenerator(USUAL_TUNABLES);
        let missing: { place: number; since: number; newer: number; askAt: number; tries: number }[] = [];
        let highest = 0;
        let percent = 100 * USUAL_TUNABLES.nackSavedMax;
        let now = MICROS_ORIGIN as number;
        nackPacket(generator, micros(now), start);
        for (const { ahead, wait, rtt } of steps) {
          now += wait;
          const place = highest + ahead;
          const gap = Math.max(0, place - highest - 1);
          if (place > highest) for (const entry of missing) entry.newer++;
          for (let i = 1; i <= gap; i++) {
            const askAt = now + USUAL_TUNABLES.nackReorderMicros;
            missing.push({ place: highest + i, since: now, newer: 1, askAt, tries: 0 });
          }
          for (const entry of missing) {
            const late = place > highest && entry.newer === USUAL_TUNABLES.nackReorderPackets && entry.tries === 0;
            if (late) entry.askAt = Math.min(entry.askAt, now);
          }
          const answered = missing.some((entry) => entry.place === place && entry.tries > 0);
          percent += (place > highest ? USUAL_TUNABLES.nackSharePercent : 0) + (answered ? 100 : 0);
          percent = Math.min(percent, 100 * USUAL_TUNABLES.nackSavedMax);
          missing = missing.filter((entry) => entry.place !== place);
          highest = Math.max(highest, place);
          if (missing.length > USUAL_TUNABLES.nackMissingMax) return;
          expect(nackPacket(generator, micros(now), (start + place) & 0xffff)).toBe(gap);

          const age = USUAL_TUNABLES.packetCacheAgeMicros;
          const next = missing.reduce(
            (least, { askAt, since }) => Math.min(least, askAt, since + age),
            NEVER as number,
          );
          expect(nackNextTimeout(generator)).toBe(next);
          missing = missing.filter(
            ({ since, askAt, tries }) => now - since < age && !(askAt <= now && tries === USUAL_TUNABLES.nackTriesMax),
          );
          const asked = missing.filter(({ askAt }) => askAt <= now).slice(0, Math.floor(percent / 100));
          percent -= 100 * asked.length;
          expect(due(generator, micros(now), rtt / 1_000)).toEqual(
            asked.map((entry) => (start + entry.place) & 0xffff),
          );
          for (const entry of asked) {
            entry.tries++;
            entry.askAt = now + Math.max(rtt, USUAL_TUNABLES.nackRepeatMicros);
          }
        }
      }),
    );
  });
});
