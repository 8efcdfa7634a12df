/**
 * Several runs of one benchmark: the median of each figure, and the least and the greatest behind it.
 */
import { Misuse } from "../io-sim/cli/misuse.ts";
import { boundedNumber, RUNS } from "./numbers.ts";
import type { Progress } from "./words.ts";

/** A figure of each run, under one name; null where a run could not have it. */
export interface RunFigure {
  readonly name: string;
  readonly digits: number;
  readonly values: readonly (number | null)[];
}

/** What the runs came to. */
export interface RunSummary {
  readonly name: string;
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  /** From the least to the greatest, as a part of the median. */
  readonly spread: number;
}

/** Reads the number of runs; an odd one, so that there is one in the middle. */
export function readRuns(text: string): number {
  const runs = boundedNumber(text, "--runs", RUNS.least, RUNS.greatest);
  if (runs % 2 === 0) throw new Misuse(`--runs takes an odd number, so that one run is in the middle, not ${runs}.`);
  return runs;
}

/** Reports of one run or more. */
export type Reports<Report> = readonly [Report, ...Report[]];

/** Runs a benchmark so many times, one after the other. Its progress is shown with the number of the run in front. */
export async function repeat<Report>(
  runs: number,
  progress: Progress,
  run: (progress: Progress) => Promise<Report> | Report,
): Promise<Reports<Report>> {
  const ofRun = (index: number): Progress =>
    runs === 1 ? progress : (what, part) => progress(`run ${index} of ${runs}, ${what}`, part);
  const reports: [Report, ...Report[]] = [await run(ofRun(1))];
  while (reports.length < runs) reports.push(await run(ofRun(reports.length + 1)));
  return reports;
}

/** The run in the middle, by a figure of each. */
export function middleRun<Report>(reports: Reports<Report>, figure: (report: Report) => number): Report {
  return [...reports].sort((a, b) => figure(a) - figure(b))[reports.length >> 1] ?? reports[0];
}

/** The medians of figures; those that no run has are left out. */
export function summarize(figures: readonly RunFigure[]): RunSummary[] {
  return figures.flatMap(({ name, values }) => {
    const known = values.filter((value) => value !== null).sort((a, b) => a - b);
    if (known.length === 0) return [];
    const [least, median, greatest] = [known[0]!, known[known.length >> 1]!, known.at(-1)!];
    return [{ name, median, least, greatest, spread: median === 0 ? 0 : (greatest - least) / median }];
  });
}

/** A table of the medians for people; empty for one run, which is its own. */
export function summaryText(figures: readonly RunFigure[]): string {
  const runs = figures[0]?.values.length ?? 0;
  if (runs < 2) return "";
  const digits = new Map(figures.map((figure) => [figure.name, figure.digits]));
  const lines = summarize(figures).map(({ name, median, least, greatest, spread }) => {
    const text = (value: number) => value.toFixed(digits.get(name));
    const range = `(${text(least)} to ${text(greatest)}, ${(100 * spread).toFixed(0)} %)`;
    return `  ${name.padEnd(44)}${text(median).padStart(12)}   ${range}`;
  });
  return ["", `Median of ${runs} runs, the least and the greatest, and how far these are apart`, ...lines, ""].join(
    "\n",
  );
}
