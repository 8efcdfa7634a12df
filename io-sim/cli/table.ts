/**
 * The table of `lockstep sim`: a line for each story, whatever the number of its seeds, in the order of the stories.
 */
import { figuresOf } from "./figures.ts";
import type { SimAnswer } from "./sim-worker.ts";

const SEEDS_WIDTH = 10;
const HEADINGS = ["simulated", "verdict", "worst freeze", "first picture", "fingerprint"] as const;
const WIDTHS = [9, 13, 12, 13, 16] as const;

/** The first line; `names` are the stories that will follow. */
export function tableHead(names: readonly string[]): string {
  return lineOf(names, "story", "seeds", HEADINGS);
}

/** The line of a story from its runs, in the order of their seeds. The fingerprint is the runs' together. */
export function tableRow(names: readonly string[], answers: readonly SimAnswer[]): string {
  const figures = figuresOf(answers.flatMap(({ quality }) => quality));
  const broken = answers.filter(({ verdict }) => verdict === "broken").length;
  const simulated = answers.reduce((sum, { simulatedMicros }) => sum + simulatedMicros, 0);
  const verdict = broken === 0 ? "held" : answers.length === 1 ? "BROKEN" : `${broken}/${answers.length} BROKEN`;
  return lineOf(names, answers[0]?.story ?? "", seedsText(answers.map(({ seed }) => seed)), [
    `${(simulated / 1_000_000).toFixed(1)} s`,
    verdict,
    millis(figures.worstFreezeMicros),
    millis(figures.firstPictureMicros),
    joinFingerprints(answers.map(({ fingerprint }) => fingerprint)),
  ]);
}

/** One fingerprint for several runs: their own when it is one, and their combination, place by place, otherwise. */
export function joinFingerprints(fingerprints: readonly string[]): string {
  let high = 0;
  let low = 0;
  for (const text of fingerprints) {
    high = (Math.imul(high, 31) + Number.parseInt(text.slice(0, 8), 16)) >>> 0;
    low = (Math.imul(low, 31) + Number.parseInt(text.slice(8), 16)) >>> 0;
  }
  return [high, low].map((word) => word.toString(16).padStart(8, "0")).join("");
}

function lineOf(names: readonly string[], story: string, seeds: string, cells: readonly string[]): string {
  const width = Math.max(5, ...names.map((name) => name.length));
  const padded = cells.map((cell, index) =>
    index === 1 || index === 4 ? cell.padEnd(WIDTHS[index]!) : cell.padStart(WIDTHS[index]!),
  );
  return [story.padEnd(width), seeds.padEnd(SEEDS_WIDTH), ...padded].join("  ").trimEnd();
}

/** "1, 2" or, when more than two follow each other, "1..20"; how many there are when that is too long to tell. */
function seedsText(seeds: readonly number[]): string {
  const parts: string[] = [];
  for (let from = 0; from < seeds.length; ) {
    let to = from;
    while (seeds[to + 1] === seeds[to]! + 1) to++;
    if (to - from > 1) parts.push(`${seeds[from]}..${seeds[to]}`);
    else parts.push(...seeds.slice(from, to + 1).map(String));
    from = to + 1;
  }
  const text = parts.join(", ");
  return text.length <= SEEDS_WIDTH ? text : `${seeds.length} seeds`;
}

function millis(micros: number | undefined): string {
  return micros === undefined ? "-" : `${Math.round(micros / 1_000)} ms`;
}
