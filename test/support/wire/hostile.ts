/** What every parser is tried with: arbitrary bytes, valid bytes with a few of them changed, and poison around both. */
import fc from "fast-check";
import { expect } from "vitest";

/** Bytes of poison in front of and behind what is parsed. */
const MARGIN = 512;

/** Arbitrary bytes, or one of `seeds` with some bytes changed and perhaps its end cut off. */
export function hostileBytes(...seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const mutated = fc
    .record({
      seed: fc.constantFrom(...seeds),
      changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
      cut: fc.oneof(fc.constant(0), fc.nat(60)),
    })
    .map(({ seed, changes, cut }) => {
      const bytes = seed.slice(0, Math.max(0, seed.length - cut));
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
      return bytes;
    });
  return fc.oneof({ weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) }, { weight: 3, arbitrary: mutated });
}

/**
 * Lets `read` parse `bytes` in the middle of zeroes, of ones and of noise, and expects the same answer each time: so nothing
 * before or behind the range was looked at. Offsets in the answer must be relative to the given one.
 */
export function expectBounded(
  bytes: Uint8Array,
  read: (bytes: Uint8Array, offset: number, length: number) => unknown,
): void {
  const inside = (poison: (index: number) => number) => {
    const larger = Uint8Array.from({ length: bytes.length + 2 * MARGIN }, (_, index) => poison(index));
    larger.set(bytes, MARGIN);
    return read(larger, MARGIN, bytes.length);
  };
  const answer = inside(() => 0);
  expect(inside(() => 0xff)).toEqual(answer);
  expect(inside((index) => (index * 151 + 29) & 0xff)).toEqual(answer);
}
