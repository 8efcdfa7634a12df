/**
 * What a command says on standard error while somebody waits for it.
 *
 * At a terminal that is one line that is written over. Elsewhere (a log of a build, a file) it is a line of its own every
 * ten seconds, so that a run of hours is not taken for one that hangs, and a short one says nothing. Whoever asked for JSON
 * is told nothing at all.
 */

/** How often a line is written: over the one before it at a terminal, and anew elsewhere. */
const TERMINAL_MILLIS = 200;
const LOG_MILLIS = 10_000;

/** A command's progress; make it with {@link createProgress}. */
export interface Progress {
  /** Hears what is being done; the words are made only when it is time to write them. */
  readonly say: (text: () => string) => void;
  /** There is nothing more to wait for; at a terminal the line goes. */
  readonly end: () => void;
}

/** Progress that begins now. */
export function createProgress({ json }: { readonly json?: boolean | undefined } = {}): Progress {
  if (json === true) return { say: () => {}, end: () => {} };
  const isTerminal = process.stderr.isTTY === true;
  let saidAt = performance.now();
  let latest: (() => string) | undefined;
  const write = () => {
    const now = performance.now();
    if (latest === undefined || now - saidAt < (isTerminal ? TERMINAL_MILLIS : LOG_MILLIS)) return;
    saidAt = now;
    process.stderr.write(isTerminal ? `\r\u001b[K${latest()}` : `${latest()}\n`);
  };
  // Who waits for one long task says nothing meanwhile.
  const beat = isTerminal ? undefined : setInterval(write, LOG_MILLIS).unref();
  return {
    say: (text) => {
      latest = text;
      write();
    },
    end: () => {
      clearInterval(beat);
      if (isTerminal && latest !== undefined) process.stderr.write("\r\u001b[K");
      latest = undefined;
    },
  };
}
