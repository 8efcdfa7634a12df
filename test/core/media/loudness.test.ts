import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, type Micros, millis } from "../../../core/base/micros.ts";
import {
  chooseSpeakers,
  createLoudness,
  LOUDNESS_ATTACK_MICROS,
  LOUDNESS_DECAY_MICROS,
  LOUDNESS_MARGIN,
  LOUDNESS_MAX,
  type Loudness,
  loudnessPacket,
  loudnessValue,
} from "../../../core/media/loudness.ts";

function at(milliseconds: number): Micros {
  return (MICROS_ORIGIN + millis(milliseconds)) as Micros;
}

/** Packets of one level, 20 ms apart; answers the time of the last one. */
function hear(loudness: Loudness, from: number, until: number, level: number, voice = true): void {
  for (let time = from; time <= until; time += 20) loudnessPacket(loudness, at(time), level, voice);
}

function scored(...scores: [publication: number, score: number][]) {
  return scores.map(([publication, score]) => ({ publication, score }));
}

describe("loudness", () => {
  it("is nothing before a packet came", () => {
    expect(loudnessValue(createLoudness(), at(0))).toBe(0);
  });

  it("reaches a steady voice within the attack time", () => {
    const loudness = createLoudness();
    hear(loudness, 0, LOUDNESS_ATTACK_MICROS / 1_000, 0);
    expect(loudnessValue(loudness, at(LOUDNESS_ATTACK_MICROS / 1_000))).toBe(LOUDNESS_MAX);
  });

  it("is hardly moved by one loud packet", () => {
    const loudness = createLoudness();
    hear(loudness, 0, 1_000, 127);
    loudnessPacket(loudness, at(1_020), 0, true);
    expect(loudnessValue(loudness, at(1_020))).toBeLessThan(LOUDNESS_MARGIN);
  });

  it("falls slowly through the pause between two words", () => {
    const loudness = createLoudness();
    hear(loudness, 0, 1_000, 20);
    const speaking = loudnessValue(loudness, at(1_000));
    hear(loudness, 1_020, 1_300, 127);
    expect(loudnessValue(loudness, at(1_300))).toBeGreaterThan(speaking - LOUDNESS_MARGIN);
  });

  it("falls to nothing when no packet comes any longer", () => {
    const loudness = createLoudness();
    hear(loudness, 0, 1_000, 0);
    expect(loudnessValue(loudness, at(1_000 + LOUDNESS_DECAY_MICROS / 1_000))).toBe(0);
    expect(loudnessValue(loudness, at(1_000_000))).toBe(0);
  });

  it("counts a voice for more than noise of the same level", () => {
    const voice = createLoudness();
    const noise = createLoudness();
    hear(voice, 0, 1_000, 30, true);
    hear(noise, 0, 1_000, 30, false);
    expect(loudnessValue(voice, at(1_000))).toBeGreaterThan(loudnessValue(noise, at(1_000)));
  });

  it("takes the noise of a quiet room for silence", () => {
    const loudness = createLoudness();
    hear(loudness, 0, 1_000, 75);
    expect(loudnessValue(loudness, at(1_000))).toBe(0);
  });

  it("is a whole number in its bounds for any packets", () => {
    const packets = fc.array(fc.record({ wait: fc.nat(200_000), level: fc.nat(127), voice: fc.boolean() }));
    fc.assert(
      fc.property(packets, (steps) => {
        const loudness = createLoudness();
        let now = MICROS_ORIGIN as number;
        for (const { wait, level, voice } of steps) {
          now += wait;
          loudnessPacket(loudness, now as Micros, level, voice);
          const value = loudnessValue(loudness, now as Micros);
          expect(Number.isInteger(value) && value >= 0 && value <= LOUDNESS_MAX).toBe(true);
        }
      }),
    );
  });
});

describe("choice of speakers", () => {
  it("fills the slots with the loudest", () => {
    expect(chooseSpeakers(scored([1, 10], [2, 30], [3, 20]), [], 2)).toEqual([2, 3]);
  });

  it("leaves slots empty when there are too few", () => {
    expect(chooseSpeakers(scored([1, 10]), [], 3)).toEqual([1, 0, 0]);
  });

  it("keeps a speaker in the slot that he has", () => {
    expect(chooseSpeakers(scored([1, 10], [2, 30], [3, 20]), [0, 1, 3], 3)).toEqual([2, 1, 3]);
  });

  it("needs a margin for a newcomer", () => {
    expect(chooseSpeakers(scored([1, 100], [2, 100 + LOUDNESS_MARGIN - 1]), [1], 1)).toEqual([1]);
    expect(chooseSpeakers(scored([1, 100], [2, 100 + LOUDNESS_MARGIN]), [1], 1)).toEqual([2]);
  });

  it("gives up the quietest for a newcomer", () => {
    expect(chooseSpeakers(scored([1, 9_000], [2, 100], [3, 5_000], [4, 8_000]), [1, 2, 3], 3)).toEqual([1, 4, 3]);
  });

  it("frees the slot of one who has left", () => {
    expect(chooseSpeakers(scored([1, 50], [2, 10]), [7, 1], 2)).toEqual([2, 1]);
  });

  it("gives the same answer again, holds nobody twice, and never leaves a slot empty in vain", () => {
    const candidates = fc.uniqueArray(
      fc.record({ publication: fc.integer({ min: 1, max: 12 }), score: fc.nat(LOUDNESS_MAX) }),
      { selector: (candidate) => candidate.publication, maxLength: 12 },
    );
    fc.assert(
      fc.property(candidates, fc.array(fc.nat(12), { maxLength: 6 }), fc.nat(5), (all, current, slots) => {
        const chosen = chooseSpeakers(all, current, slots);
        expect(chosen.length).toBe(slots);
        expect(chooseSpeakers(all, chosen, slots)).toEqual(chosen);
        const heard = chosen.filter((publication) => publication !== 0);
        expect(new Set(heard).size).toBe(heard.length);
        expect(heard.length).toBe(Math.min(slots, all.length));
        for (const publication of heard) {
          expect(all.some((candidate) => candidate.publication === publication)).toBe(true);
        }
      }),
    );
  });
});
