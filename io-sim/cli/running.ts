/**
 * What `lockstep sim` and `lockstep replay` share: one run from a story and a seed, and what is said about it.
 */
import { writeFileSync } from "node:fs";
import { failureReport, traceLines } from "../failure-report.ts";
import { run, type Verdict } from "../run.ts";
import type { Story } from "./stories.ts";

/** The flags of whatever runs a story from its beginning to its end. */
export interface RunningOptions {
  readonly json?: boolean;
  readonly trace?: boolean;
  readonly journal?: string;
}

/** Runs a story with a seed and reports on it. */
export function runOne(story: Story, seed: number, options: RunningOptions): Verdict {
  const { plan } = story;
  const startedAt = performance.now();
  const shows = process.stderr.isTTY === true && options.json !== true;
  let shownAt = 0;
  const onProgress = (simulatedMicros: number) => {
    if (!shows || performance.now() - shownAt < 200) return;
    shownAt = performance.now();
    process.stderr.write(`\r\u001b[K${plan.name}, seed ${seed}: ${Math.floor(simulatedMicros / 1_000_000)} s`);
  };
  const verdict = run(plan, seed, { journal: options.journal !== undefined, onProgress });
  const wallMillis = Math.round(performance.now() - startedAt);
  if (shows) process.stderr.write("\r\u001b[K");
  if (options.journal !== undefined) writeFileSync(options.journal, verdict.journal ?? "");
  if (options.trace === true) for (const line of traceLines(verdict)) process.stdout.write(`${line}\n`);
  report(verdict, wallMillis, options);
  return verdict;
}

function report(verdict: Verdict, wallMillis: number, options: RunningOptions): void {
  const { story, seed, promise, fingerprint, simulatedMicros } = verdict;
  if (options.json === true) {
    const line = { story, seed, verdict: verdict.verdict, promise, fingerprint, simulatedMicros, wallMillis };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } else if (verdict.verdict === "held") {
    const times = `${(simulatedMicros / 1_000_000).toFixed(1)} s in ${(wallMillis / 1_000).toFixed(1)} s`;
    process.stdout.write(`held    ${story.padEnd(28)} seed ${String(seed).padEnd(5)} ${fingerprint}  ${times}\n`);
  } else process.stdout.write(`${failureReport(verdict).join("\n")}\n`);
}
