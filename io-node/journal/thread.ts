/**
 * The main thread's side of the journals: it owns the thread that writes them, hands it each shard's, and at the end waits for
 * it as long as there is time.
 *
 * A thread that dies is replaced. What it had taken and not written is lost, so each page that was open then has no more
 * than its whole frames up to there, and each shard begins another.
 */
import { rmSync } from "node:fs";
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import type { Piece } from "../../bundle.mjs";
import { programFile } from "../../program.ts";
import type { Log } from "../log.ts";
import { type Deaths, pauseAfterDeath } from "../restarts.ts";
import { restoreErrorLines, startThread, threadCode } from "../thread-code.ts";
import {
  createJournalLife,
  interruptJournal,
  type JournalLife,
  type JournalSettings,
  journalFile,
  journalWaitingBytes,
  STATE,
  WHY,
  wakeWriter,
} from "./life.ts";
import { FLAG, type WriterBoot } from "./writer-thread.ts";

/** How often the end looks whether everything is written. */
const END_LOOK_MILLIS = 5;

/** Room for the thread's young objects: its frames lie in memory of their own. */
const YOUNG_MEBIBYTES_MAX = 2;

/** The module that the thread runs in production. */
const ENTRY = programFile("io-node/journal/thread-entry.ts");

/** The journals of a server; make it with {@link startJournals}. */
export interface Journals {
  readonly settings: JournalSettings;
  readonly log: Log;
  readonly code: Piece;
  readonly signal: Int32Array;
  readonly flags: Int32Array;
  /** Those that are not closed, and perhaps some that are. */
  readonly lives: Set<JournalLife>;
  readonly deaths: Deaths;
  running: Running;
  restart: NodeJS.Timeout | undefined;
}

interface Running {
  readonly thread: Worker;
  readonly port: MessagePort;
  /** Resolves when the thread has ended. */
  readonly ended: Promise<void>;
}

/** How writing has ended. */
export interface JournalsEnd {
  /** Bytes of all shards that were not written. */
  readonly lostBytes: number;
  /** The thread does not come back from the disk, and so the process can't end in order. */
  readonly hangs: boolean;
  /** The files whose end is lost. */
  readonly cut: readonly string[];
}

/** Starts the thread. */
export function startJournals(settings: JournalSettings, log: Log, entry = ENTRY): Journals {
  const code = threadCode(entry);
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const flags = new Int32Array(new SharedArrayBuffer(4 * Object.keys(FLAG).length));
  const running = startWriter(code, signal, flags);
  const lives = new Set<JournalLife>();
  const journals: Journals = { settings, log, code, signal, flags, lives, deaths: [], running, restart: undefined };
  watchThread(journals, running);
  return journals;
}

/** The journals of a shard that is about to be born in this place. */
export function beginJournals(journals: Journals, place: number): JournalLife {
  const { lives, running, settings, signal } = journals;
  for (const life of lives) if (isClosed(life)) lives.delete(life);
  const life = createJournalLife(settings, place, signal);
  lives.add(life);
  running.port.postMessage(life);
  wakeWriter(signal);
  return life;
}

/** Whether the thread is at the disk this very moment. */
export function isAtDisk({ flags }: Journals): boolean {
  return Atomics.load(flags, FLAG.AT_DISK) === 1;
}

/** Waits until everything is written, or for `waitMillis`, and ends the thread. All shards have ended before. */
export async function endJournals(journals: Journals, waitMillis: number): Promise<JournalsEnd> {
  const { flags, lives, running, signal } = journals;
  const deadline = performance.now() + waitMillis;
  const isDone = () => [...lives].every(isClosed);
  while (!isDone() && performance.now() < deadline) await sleep(END_LOOK_MILLIS);
  const late = [...lives].filter((life) => journalWaitingBytes(life) > 0);
  const lostBytes = late.reduce((sum, life) => sum + journalWaitingBytes(life), 0);
  clearTimeout(journals.restart);
  Atomics.store(flags, FLAG.ENDS, 1);
  wakeWriter(signal);
  const left = sleep(Math.max(deadline - performance.now(), END_LOOK_MILLIS));
  const hangs = await Promise.race([running.ended.then(() => false), left.then(() => isAtDisk(journals))]);
  if (!hangs) await running.ended;
  return { lostBytes, hangs, cut: late.map((life) => journalFile(life)) };
}

/** Deletes what the shards of a server have written that did not come to serve. Writing has ended before. */
export function deleteJournals({ lives }: Journals): void {
  for (const life of lives) rmSync(journalFile(life), { force: true });
}

function startWriter(code: Piece, signal: Int32Array, flags: Int32Array): Running {
  const { port1, port2 } = new MessageChannel();
  const boot: WriterBoot = { port: port2, signal, flags };
  return { port: port1, ...startThread(code, boot, YOUNG_MEBIBYTES_MAX) };
}

function watchThread(journals: Journals, { thread, port }: Running): void {
  const { code, flags, log } = journals;
  // Nothing is ever said on it.
  port.unref();
  thread.on("error", (err) => {
    restoreErrorLines(code, err);
    log.error({ err }, "the journals' thread has failed; another one begins, and calls go on");
  });
  thread.once("exit", () => {
    port.close();
    if (Atomics.load(flags, FLAG.ENDS) === 0) replaceThread(journals);
  });
}

function replaceThread(journals: Journals): void {
  const { code, deaths, flags, lives, signal } = journals;
  Atomics.store(flags, FLAG.AT_DISK, 0);
  for (const life of lives) interruptJournal(life, life.state[STATE.PAGE]!, WHY.WRITER_DIED);
  const pause = pauseAfterDeath(deaths, performance.now());
  journals.restart = setTimeout(() => {
    journals.running = startWriter(code, signal, flags);
    watchThread(journals, journals.running);
    for (const life of lives) if (!isClosed(life)) journals.running.port.postMessage(life);
    wakeWriter(signal);
  }, pause);
}

function isClosed({ state }: JournalLife): boolean {
  return Atomics.load(state, STATE.CLOSED) === 1;
}

function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
