/**
 * What the benchmarks' commands share: flags that mean the same in several of them (their numbers are in numbers.ts), words
 * for the server, a progress line for people, and what is said when nothing could be measured.
 */
import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { EXIT, Misuse } from "../io-sim/cli/misuse.ts";

/** Flags that mean the same wherever they are: how they are written, and what is said of them. */
export const FLAGS = {
  io: ["--io <KIND>", "what the server is told as --io"],
  shards: ["--shards <N>", "what the server is told as --shards"],
  json: ["--json", "one JSON object"],
} as const;

/** Finds out that a plot can't be written before minutes have been measured for it; wrong use when it can't. */
export function checkPlot(path: string | undefined): void {
  const why = path === undefined ? "" : whyNotWritable(path);
  if (why !== "") throw new Misuse(`--plot can't write ${path} (${why}); choose a file in a directory that is there.`);
}

function whyNotWritable(path: string): string {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory() === true) return "it is a directory";
    accessSync(there === undefined ? dirname(path) : path, constants.W_OK);
    return "";
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** What a server of the benchmark's own is told of the flags `--io` and `--shards`. */
export function serveWords({ io, shards }: { readonly io?: string; readonly shards?: string }): string[] {
  return [...(io === undefined ? [] : ["--io", io]), ...(shards === undefined ? [] : ["--shards", shards])];
}

/** Measures with progress shown, and answers the exit status; says why when nothing could be measured. */
export async function measuring(measure: (progress: Progress) => Promise<number>): Promise<number> {
  const progress = createProgress();
  try {
    return await measure(progress);
  } catch (error) {
    progress("", 1);
    process.stderr.write(`Nothing was measured: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.BROKEN;
  }
}

/** Hears what is being done and how much of it, 0 to 1. */
export type Progress = (what: string, part: number) => void;

/** Shows progress on standard error, while that is a terminal. */
export function createProgress(): Progress {
  let shown = "";
  return (what, part) => {
    if (process.stderr.isTTY !== true) return;
    const line = `${what}: ${Math.floor(part * 100)} %`;
    if (line !== shown) process.stderr.write(`\r\u001b[K${part < 1 ? line : ""}`);
    shown = line;
  };
}
