/**
 * The first Ctrl-C of somebody who waits for a search: the search ends, and what it has found is not lost. The second one
 * ends the process as it always does.
 */
import type { Progress } from "./progress.ts";

/** Whether it was heard, and an end of listening. */
export interface Interrupt {
  readonly isHeard: () => boolean;
  readonly stop: () => void;
}

/** Hears it until `stop` is called, and says so where the progress was shown. */
export function hearInterrupt(progress: Progress): Interrupt {
  let heard = false;
  const hear = () => {
    heard = true;
    process.off("SIGINT", hear);
    progress.end();
    process.stderr.write("The search ends here, and tells what it has found. Once more ends it at once.\n");
  };
  process.on("SIGINT", hear);
  return { isHeard: () => heard, stop: () => process.off("SIGINT", hear) };
}
