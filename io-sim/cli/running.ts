/**
 * What the commands that run a story share: one run from its beginning to its end, and what is said about it.
 */
import { thisProgram } from "../../program.ts";
import { failureReport } from "../inspection/failure-report.ts";
import { traceLines, traceRows } from "../trace/lines.ts";
import { createTraceRecorder } from "../trace/recorder.ts";
import type { Trace } from "../trace/trace.ts";
import { rowAsJson } from "../world/rows.ts";
import { type RunOptions, run, type Verdict } from "../world/run.ts";
import { mustTakeFile, writeOrMisuse } from "./files.ts";
import { createProgress } from "./progress.ts";
import { replayName, type Story } from "./stories.ts";

/** The flags of whatever runs a story from its beginning to its end. */
export interface RunningOptions {
  readonly json?: boolean;
  readonly trace?: boolean;
  readonly journal?: string;
  /** Judges only what holds under any fault. */
  readonly safetyAlone?: boolean;
}

/** A run that is over, and how long it took on this machine. */
export interface TimedRun {
  readonly verdict: Verdict;
  readonly wallMillis: number;
}

/** Runs a story with a seed, traces it when asked to, and reports on it. */
export function runOne(story: Story, seed: number, options: RunningOptions): Verdict {
  mustTakeFile(options.journal);
  const recorder = options.trace === true ? createTraceRecorder(0) : undefined;
  const watching = recorder === undefined ? {} : { onWorld: recorder.onWorld };
  const { safetyAlone = false } = options;
  const journal = options.journal === undefined ? {} : { journal: true, program: thisProgram() };
  const how = { ...journal, safetyAlone, ...watching };
  const timed = runShowingProgress(story, seed, how, options);
  const { verdict } = timed;
  const artifacts = options.journal === undefined ? [] : writeJournals(options.journal, verdict.journals);
  if (recorder !== undefined) printTrace(recorder.finish(verdict), options.json === true);
  reportOn(story, timed, { ...options, artifacts });
  return verdict;
}

/** A file for each shard: those after the first have its number at the end of their names. Answers the names. */
function writeJournals(file: string, journals: readonly string[]): string[] {
  return journals.map((journal, shard) => {
    const path = shard === 0 ? file : `${file}.${shard}`;
    writeOrMisuse(path, journal);
    return path;
  });
}

/** Prints a trace line by line, in columns or as JSON objects. */
export function printTrace(trace: Trace, asJson: boolean): void {
  const lines = asJson ? traceRows(trace).map((row) => JSON.stringify(rowAsJson(trace, row))) : traceLines(trace);
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}

/** Runs a story with a seed; people who wait are told how far it is. */
export function runShowingProgress(
  story: Story,
  seed: number,
  runOptions: RunOptions,
  options: { readonly json?: boolean },
): TimedRun {
  const { plan } = story;
  const startedAt = performance.now();
  const progress = createProgress(options);
  const onProgress = (simulatedMicros: number) => {
    progress.say(() => `${plan.name}, seed ${seed}: ${Math.floor(simulatedMicros / 1_000_000)} s`);
  };
  const verdict = run(plan, seed, { ...runOptions, onProgress });
  progress.end();
  return { verdict, wallMillis: Math.round(performance.now() - startedAt) };
}

/** Says what a run has come to: a line, a JSON line, or the report on a broken promise. */
export function reportOn(
  told: Story,
  { verdict, wallMillis }: TimedRun,
  { json, artifacts }: { readonly json?: boolean; readonly artifacts: readonly string[] },
): void {
  const { story, seed, promise, fingerprint, simulatedMicros } = verdict;
  if (json === true) {
    const files = artifacts.length === 0 ? {} : { files: artifacts };
    const detail = verdict.broken?.detail ?? "";
    const told = { story, seed, verdict: verdict.verdict, promise, detail, fingerprint, simulatedMicros, wallMillis };
    process.stdout.write(`${JSON.stringify({ ...told, ...files })}\n`);
  } else if (verdict.verdict === "held") {
    const times = `${(simulatedMicros / 1_000_000).toFixed(1)} s in ${(wallMillis / 1_000).toFixed(1)} s`;
    process.stdout.write(`held    ${story.padEnd(28)} seed ${String(seed).padEnd(5)} ${fingerprint}  ${times}\n`);
    for (const file of artifacts) process.stdout.write(`wrote   ${file}\n`);
  } else {
    process.stdout.write(`${failureReport(verdict, { replayName: replayName(told), artifacts }).join("\n")}\n`);
  }
}
