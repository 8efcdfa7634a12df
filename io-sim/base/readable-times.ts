/**
 * Times as people read them. Oracles write what they saw in whole microseconds, which is exact and what `--json` holds; a
 * person is told "2.81 s" or "120 ms" instead, here and nowhere else.
 */

/** A number of microseconds in a sentence. */
const MICROS = /(?<![\d.])(-?\d+) µs/g;

/** The sentence with its times in units that fit them, to three digits or so. */
export function readableTimes(sentence: string): string {
  return sentence.replace(MICROS, (_, count: string) => readableTime(Number(count)));
}

function readableTime(micros: number): string {
  const size = Math.abs(micros);
  if (size < 1_000) return `${micros} µs`;
  if (size < 10_000) return `${rounded(micros / 1_000, 1)} ms`;
  if (size < 1_000_000) return `${rounded(micros / 1_000, 0)} ms`;
  return `${rounded(micros / 1_000_000, 2)} s`;
}

/** Without zeros behind the point that say nothing. */
function rounded(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
