/**
 * The first Ctrl-C of somebody who waits for a search: the search ends, and what it has found is not lost. The second one
 * ends the process as it always does. What comes after a search and takes its time hears a first one of its own.
 */
import type { Progress } from "./progress.ts";

/** Whether it was heard, and an end of listening. */
export interface Interrupt {
  readonly isHeard: () => boolean;
  /** Holds 1 once it was heard; threads share it. */
  readonly heard: Int32Array;
  readonly stop: () => void;
}

/** Hears it until `stop` is called, and says so where the progress was shown; `sentence` says what comes of it. */
export function hearInterrupt(
  progress: Progress,
  sentence = "The search ends here, and tells what it has found.",
): Interrupt {
  const heard = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const hear = () => {
    Atomics.store(heard, 0, 1);
    process.off("SIGINT", hear);
    progress.end();
    process.stderr.write(`${sentence} Once more ends it at once.\n`);
  };
  process.on("SIGINT", hear);
  return { isHeard: () => Atomics.load(heard, 0) === 1, heard, stop: () => process.off("SIGINT", hear) };
}
