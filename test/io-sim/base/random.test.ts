/** Whether chance in the simulator depends on what it should, and on nothing else. */
import { describe, expect, it } from "vitest";
import { below, chance, createStream, dwell, randomBytes, randomToken, spread } from "../../../io-sim/base/random.ts";

function words(seed: number, site: string, entity: string, count: number): number[] {
  const stream = createStream(seed, site, entity);
  return Array.from({ length: count }, () => stream.next());
}

/** How many of the bits of two lists of words are equal, in thousandths. */
function equalBits(a: readonly number[], b: readonly number[]): number {
  let equal = 0;
  a.forEach((word, index) => {
    for (let bits = ~(word ^ b[index]!) >>> 0; bits !== 0; bits &= bits - 1) equal++;
  });
  return Math.round((equal * 1_000) / (32 * a.length));
}

describe("a stream", () => {
  it("gives the same words for the same seed, site and entity", () => {
    expect(words(7, "loss", "ana/up", 100)).toEqual(words(7, "loss", "ana/up", 100));
  });

  it("shares nothing with the stream of an adjacent seed", () => {
    for (const seed of [0, 1, 2, 255, 256, 65_535, 2 ** 31]) {
      const share = equalBits(words(seed, "loss", "ana", 500), words(seed + 1, "loss", "ana", 500));
      expect(Math.abs(share - 500)).toBeLessThan(25);
    }
  });

  it("turns to another seed when its turn has come, and not before", () => {
    let drawn = 0;
    const turned = createStream({ seed: 7, turn: { seed: 1, hasCome: () => drawn >= 50 } }, "loss", "ana");
    const all = Array.from({ length: 550 }, () => [turned.next(), drawn++][0]!);
    const plain = words(7, "loss", "ana", 550);
    expect(all.slice(0, 50)).toEqual(plain.slice(0, 50));
    expect(Math.abs(equalBits(all.slice(50), plain.slice(50)) - 500)).toBeLessThan(25);
  });

  it("shares nothing with the stream of another site or entity", () => {
    const here = words(7, "loss", "ana", 500);
    for (const other of [words(7, "jitter", "ana", 500), words(7, "loss", "bob", 500), words(7, "lossa", "na", 500)]) {
      expect(Math.abs(equalBits(here, other) - 500)).toBeLessThan(25);
    }
  });

  it("is not moved by draws from another stream", () => {
    const one = createStream(7, "loss", "ana");
    const other = createStream(7, "loss", "bob");
    const first = [one.next(), one.next()];
    other.next();
    expect([...first, one.next()]).toEqual(words(7, "loss", "ana", 3));
  });

  it("gives unsigned 32-bit integers", () => {
    for (const word of words(3, "a", "b", 1_000)) expect(word).toBe(word >>> 0);
  });
});

describe("the numbers drawn from a stream", () => {
  it("lie below their bound and reach every value", () => {
    const stream = createStream(1, "below", "x");
    const seen = new Set(Array.from({ length: 1_000 }, () => below(stream, 10)));
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("happen as often as their probability says", () => {
    const stream = createStream(1, "chance", "x");
    let happened = 0;
    for (let i = 0; i < 20_000; i++) if (chance(stream, 30_000)) happened++;
    expect(happened).toBeGreaterThan(500);
    expect(happened).toBeLessThan(700);
  });

  it("cost no draw when they are certain or impossible", () => {
    const stream = createStream(1, "chance", "y");
    expect([chance(stream, 0), chance(stream, 1_000_000), stream.next()]).toEqual([
      false,
      true,
      words(1, "chance", "y", 1)[0],
    ]);
  });

  it("spread with the deviation asked for, whole, and never beyond three of them", () => {
    const stream = createStream(1, "spread", "x");
    const values = Array.from({ length: 20_000 }, () => spread(stream, 5_000));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(150);
    expect(Math.abs(Math.sqrt(variance) - 5_000)).toBeLessThan(150);
    expect(values.every((value) => Number.isInteger(value) && Math.abs(value) <= 15_000)).toBe(true);
  });

  it("dwell exponentially around their mean", () => {
    const stream = createStream(1, "dwell", "x");
    const values = Array.from({ length: 20_000 }, () => dwell(stream, 10_000));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const beyond = values.filter((value) => value > 10_000).length / values.length;
    expect(Math.abs(mean - 10_000)).toBeLessThan(300);
    // 1/e of them last longer than the mean.
    expect(Math.abs(beyond - 0.368)).toBeLessThan(0.02);
  });

  it("make bytes and tokens of the length asked for", () => {
    const stream = createStream(1, "bytes", "x");
    expect([0, 1, 5, 32].map((count) => randomBytes(stream, count).length)).toEqual([0, 1, 5, 32]);
    expect(randomToken(stream, 24)).toMatch(/^[A-Za-z0-9]{24}$/);
  });
});
