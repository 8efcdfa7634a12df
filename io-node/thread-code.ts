/**
 * The code of a thread, a shard's or the journals', in one piece (../bundle.mjs), and its start.
 *
 * A new thread knows no TypeScript, and one that is taught it (tsx) and loads module after module takes half a second of
 * processor time before it serves: each time, while calls wait for the shard that takes the place of a dead one.
 */
import { type MessagePort, Worker } from "node:worker_threads";
import { bundle, type Piece, restoreLines } from "../bundle.mjs";

/** What a piece is called in a stack of calls. */
const NAME = "lockstep-thread.js";

/** Pieces by the module that they begin with: the shards of a server have one, and tests have others. */
const codes = new Map<string, Piece>();

/** The code of a `Worker` that runs a module and evaluates its text. Throws with a sentence when there is no such module. */
export function threadCode(entry: URL): Piece {
  const known = codes.get(entry.href);
  if (known !== undefined) return known;
  const piece = bundle(entry, NAME);
  const code = { ...piece, text: `${piece.text}\n//# sourceURL=${NAME}\n` };
  codes.set(entry.href, code);
  return code;
}

/**
 * Starts a thread that evaluates a piece, gets `boot` as its data and takes over the port in it, and has so much room for young
 * objects; `ended` resolves when it has ended.
 */
export function startThread(
  code: Piece,
  boot: { readonly port: MessagePort },
  youngMebibytes: number,
): { readonly thread: Worker; readonly ended: Promise<void> } {
  const thread = new Worker(code.text, {
    eval: true,
    workerData: boot,
    transferList: [boot.port],
    // The thread's own flags: what the main thread was started with may not fit a thread.
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: youngMebibytes },
  });
  return { thread, ended: new Promise((resolve) => thread.once("exit", () => resolve())) };
}

/** Puts into the stack of an error that a thread has told where its lines come from. Anything else is left as it is. */
export function restoreErrorLines(code: Piece, error: unknown): void {
  if (error instanceof Error && error.stack !== undefined) error.stack = restoreLines(code, error.stack);
}
