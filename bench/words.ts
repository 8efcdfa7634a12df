/**
 * What the benchmarks' commands share: flags that mean the same in several of them, numbers within bounds, words for the
 * server, a progress line for people, and what is said when nothing could be measured.
 */
import { EXIT, Misuse } from "../io-sim/cli/misuse.ts";

/** Flags that mean the same wherever they are: how they are written, and what is said of them. */
export const FLAGS = {
  runs: ["--runs <N>", "runs of it all, of which the median counts; an odd number"],
  seconds: ["--seconds <N>", "seconds that each is measured"],
  size: ["--size <BYTES>", "bytes of a packet before it is sealed"],
  videoSize: ["--size <BYTES>", "bytes of a video packet before it is sealed"],
  videoRate: ["--rate <N>", "packets a second of each video stream"],
  speakers: ["--speakers <N>", "of these, those who send video and sound"],
  io: ["--io <KIND>", "what the server is told as --io"],
  shards: ["--shards <N>", "what the server is told as --shards"],
  json: ["--json", "one JSON object"],
} as const;

/** Reads a whole number, or one of a list of them; wrong use when it is none, or out of bounds. */
export function boundedNumber(text: string, flag: string, least: number, greatest: number): number {
  const value = /^\d{1,10}$/.test(text.trim()) ? Number(text) : -1;
  if (value < least || value > greatest) {
    throw new Misuse(`${flag} takes whole numbers of ${least} to ${greatest}, not "${text}".`);
  }
  return value;
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
