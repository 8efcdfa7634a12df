/**
 * Journals of a server's shards as files: what each shard is told, so that `lockstep replay` can tell it again.
 *
 * A shard fills memory that its thread and the main thread both see, and its thread writes that out, a frame of up to 64 KiB
 * at a time and each second at least. What is left when the thread ends, whichever way, the main thread writes: so the input
 * that a shard did not survive is in its journal. Only when the whole process is killed is the last second lost.
 *
 * The journals of a place are a window over what happened last: when the files of a place hold as much as they may, the
 * oldest is deleted. Each of them begins with a snapshot, or with the shard's birth, so each can be replayed by itself.
 * A disk that takes nothing any more ends the recording and not the shard.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { getSystemErrorName } from "node:util";
import {
  FRAME_HEADER_BYTES,
  JOURNAL_MEMORY_BYTES,
  type JournalSink,
  journalFrame,
  journalTitle,
  type Program,
} from "../core/index.ts";
import type { Log } from "./log.ts";

/** Where journals go, and how many bytes of them a place may keep. */
export interface JournalSettings {
  readonly directory: string;
  readonly limitBytes: number;
  readonly program: Program;
}

/** The journals of one shard's life, as both threads see them. */
export interface JournalLife extends JournalSettings {
  /** How the names of the files begin: the shard's place, and when it was born. */
  readonly name: string;
  readonly place: number;
  readonly memory: SharedArrayBuffer;
  /** In the order of {@link STATE}. */
  readonly state: Int32Array;
  /** Bytes that were written, of all pages. */
  readonly bytes: Float64Array;
}

/** What both threads know: how much of the memory is written, which page is open, and the error that ended it, or 0. */
const STATE = { WRITTEN: 0, PAGE: 1, ERROR: 2 } as const;

/** A page is this part of what a place may keep, so that three quarters of that are always there. */
const PAGES = 4;

/** Only the owner may read what a server's shards were told. */
const OWNER_ONLY = { file: 0o600, directory: 0o700 } as const;

/** Makes the directory if need be; throws what the system says when journals can't be written there. */
export function prepareJournals({ directory }: JournalSettings): void {
  makeDirectory(directory);
  const probe = join(directory, `.probe-${process.pid}`);
  closeSync(openSync(probe, "w", OWNER_ONLY.file));
  rmSync(probe);
}

/** Makes a directory and those above it. Node's own way tries for ever where the system lets nobody make one, as in /proc. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  makeDirectory(dirname(directory));
  mkdirSync(directory, { mode: OWNER_ONLY.directory });
}

/** The journals of a shard that is about to be born in this place. */
export function beginJournals(settings: JournalSettings, place: number): JournalLife {
  const born = new Date().toISOString().replaceAll(":", "-");
  const state = new Int32Array(new SharedArrayBuffer(4 * Object.keys(STATE).length));
  state[STATE.WRITTEN] = FRAME_HEADER_BYTES;
  return {
    ...settings,
    name: `shard-${place}-${born}`,
    place,
    memory: new SharedArrayBuffer(JOURNAL_MEMORY_BYTES),
    state,
    bytes: new Float64Array(new SharedArrayBuffer(8)),
  };
}

/** Bytes of inputs after which a journal ends and the next begins. */
export function pageBytesOf({ limitBytes }: JournalSettings): number {
  return limitBytes / PAGES;
}

/** The file that is being written, or was last. */
export function journalFile({ directory, name, state }: JournalLife): string {
  return join(directory, `${name}-${String(state[STATE.PAGE]).padStart(4, "0")}.journal`);
}

/** Why nothing is written any more, in the system's word for it; empty while all is well. */
export function whyJournalEnded({ state }: JournalLife): string {
  const errno = Atomics.load(state, STATE.ERROR);
  return errno === 0 ? "" : getSystemErrorName(errno);
}

/** The shard's end of its journals; its thread has to call it. */
export function openJournals(life: JournalLife): JournalSink {
  const memory = new Uint8Array(life.memory);
  let fd = openPage(life);
  const sink = {
    memory,
    written: life.state.subarray(STATE.WRITTEN, STATE.WRITTEN + 1),
    pageBytes: 0,
    drain() {
      const written = sink.written[0]!;
      if (written === FRAME_HEADER_BYTES) return;
      journalFrame(memory, written);
      unlessEnded(life, () => {
        for (let at = 0; at < written; ) at += writeSync(fd, memory, at, written - at);
      });
      sink.pageBytes += written;
      life.bytes[0]! += written;
      sink.written[0] = FRAME_HEADER_BYTES;
    },
    turnPage() {
      sink.drain();
      if (fd >= 0) closeSync(fd);
      life.state[STATE.PAGE]! += 1;
      sink.pageBytes = 0;
      fd = openPage(life);
    },
  };
  return sink;
}

/** Writes what the shard has left in memory. Its thread has ended, or will write no more. */
export function finishJournals(life: JournalLife): void {
  const memory = new Uint8Array(life.memory);
  const written = life.state[STATE.WRITTEN]!;
  if (written === FRAME_HEADER_BYTES) return;
  journalFrame(memory, written);
  unlessEnded(life, () => appendFileSync(journalFile(life), memory.slice(0, written)));
  life.bytes[0]! += written;
  life.state[STATE.WRITTEN] = FRAME_HEADER_BYTES;
}

/** Looks after the journals of shards, so that nobody finds out too late that one has ended. */
export interface JournalWatch {
  readonly hosts: readonly { readonly journals: JournalLife | undefined }[];
  readonly log: Log;
  readonly told: Set<JournalLife>;
}

/** A watch that has seen nothing yet. */
export function createJournalWatch(hosts: JournalWatch["hosts"], log: Log): JournalWatch {
  return { hosts, log, told: new Set() };
}

/** Says of each journal that has ended why, once. */
export function lookAtJournals({ hosts, log, told }: JournalWatch): void {
  for (const { journals } of hosts) {
    if (journals === undefined || told.has(journals) || whyJournalEnded(journals) === "") continue;
    told.add(journals);
    const fields = { shard: journals.place, journal: journalFile(journals), code: whyJournalEnded(journals) };
    log.error(fields, "the journal can't be written any more; the shard serves on without one");
  }
}

/** Makes room for a page, and begins it. */
function openPage(life: JournalLife): number {
  let fd = -1;
  unlessEnded(life, () => {
    forgetOldest(life);
    fd = openSync(journalFile(life), "wx", OWNER_ONLY.file);
    writeSync(fd, journalTitle());
  });
  return fd;
}

/** Deletes journals of the place, the oldest first, until another page has room. Their names are in order of their age. */
function forgetOldest(life: JournalLife): void {
  const { directory, place, limitBytes } = life;
  const files = readdirSync(directory)
    .filter((file) => file.startsWith(`shard-${place}-`) && file.endsWith(".journal"))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((file) => join(directory, file));
  const sizes = files.map((file) => statSync(file).size);
  let kept = sizes.reduce((sum, size) => sum + size, 0);
  for (let oldest = 0; oldest < files.length && kept > limitBytes - pageBytesOf(life); oldest++) {
    rmSync(files[oldest]!);
    kept -= sizes[oldest]!;
  }
}

/** A disk that fails must not take calls with it. */
function unlessEnded({ state }: JournalLife, write: () => void): void {
  if (Atomics.load(state, STATE.ERROR) !== 0) return;
  try {
    write();
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    Atomics.store(state, STATE.ERROR, errno);
  }
}
