/**
 * The journals of one shard's life, as three threads see them.
 *
 *     shard ── frame in the making ── ring ──> the journals' thread ──> files of the shard's place
 *
 * The shard fills memory with a frame of up to 64 KiB, and puts it into a ring, each second at least (sink.ts); it never waits.
 * One thread for all shards takes frames out of their rings and writes them to the disk (writer.ts). What a shard leaves in
 * memory when it ends, whichever way, the main thread puts into its ring: so the input that a shard did not survive is in its
 * journal.
 *
 * When a page can't go on, because its ring is full or the disk takes no more, the journal is *interrupted*. Whoever finds
 * that out, the shard or the writer, marks the page as lost; the shard throws away what it records from then on. The writer
 * says when the disk is well again, and then the shard begins a new page, with a snapshot. So a page has never a hole.
 */
import { join } from "node:path";
import { getSystemErrorName } from "node:util";
import { BEHIND, FRAME_HEADER_BYTES, JOURNAL_MEMORY_BYTES, type Program } from "../../core/index.ts";
import { createRingMemory, ringWaitingBytes } from "../relay/shared-ring.ts";

/** Where journals go, and how many bytes of them a place may keep. */
export interface JournalSettings {
  readonly directory: string;
  readonly limitBytes: number;
  readonly program: Program;
  /** How long an interruption lasts at least; tests have less patience. */
  readonly pauseMillis?: number;
  /** Bytes of a ring; tests have smaller ones. */
  readonly ringBytes?: number;
}

/** What all threads know of the journals of one shard's life. */
export interface JournalLife extends JournalSettings {
  /** How the names of the files begin: the shard's place, and when it was born. */
  readonly name: string;
  readonly place: number;
  /** The frame in the making. */
  readonly memory: SharedArrayBuffer;
  /** Frames on their way to the writer. */
  readonly ring: SharedArrayBuffer;
  /** In the order of {@link STATE}. */
  readonly state: Int32Array;
  /** Bytes that were written to the disk, of all pages. */
  readonly bytes: Float64Array;
  /** What the writer waits for ({@link wakeWriter}); all shards of a server have one. */
  readonly signal: Int32Array;
}

/** What is known, by who says it. */
export const STATE = {
  /** The shard: how much of the memory is written. */
  WRITTEN: 0,
  /** The shard: the page that it writes. */
  PAGE: 1,
  /** Whoever interrupts: the last page that ended before its time, or -1. A shard whose page this is records nothing. */
  LOST_PAGE: 2,
  /** 1 from an interruption until the writer says that there may be another page. */
  INTERRUPTED: 3,
  /** Why the last interruption was: one of {@link WHY}, or an error of the system, which is negative. */
  WHY: 4,
  /** How many there were. */
  INTERRUPTIONS: 5,
  /** The writer: 1 once everything is written that ever will be. */
  CLOSED: 6,
  /** The writer: bytes that it has taken out of the ring and not yet written. */
  IN_HAND: 7,
} as const;

/** Why a journal is interrupted when the system gives no error. */
export const WHY = { BEHIND: 1, WRITER_DIED: 2 } as const;

/** The entries of a ring by their length in bytes; any other is a frame, which is longer. */
export const ENTRY = {
  /** There will be no more pages. */
  END: 0,
  /** A new page: its number follows. */
  PAGE: 4,
} as const;

/**
 * A ring holds a snapshot of a thousand people, twice and more. Its memory comes to be used as it goes round, so it
 * is there in full after a while.
 */
const RING_BYTES = 8_388_608;

/** A page is this part of what a place may keep, so that three quarters of that are always there. */
const PAGES = 4;

/** And no more than this: a replay has all of it in memory. */
const PAGE_BYTES_MAX = 536_870_912;

/** The journals of a shard that is about to be born in this place; its writer waits for `signal`. */
export function createJournalLife(settings: JournalSettings, place: number, signal: Int32Array): JournalLife {
  const born = new Date().toISOString().replaceAll(":", "-");
  const state = new Int32Array(new SharedArrayBuffer(4 * Object.keys(STATE).length));
  state[STATE.WRITTEN] = FRAME_HEADER_BYTES;
  state[STATE.LOST_PAGE] = -1;
  return {
    ...settings,
    name: `shard-${place}-${born}`,
    place,
    memory: new SharedArrayBuffer(JOURNAL_MEMORY_BYTES),
    ring: createRingMemory(settings.ringBytes ?? RING_BYTES),
    state,
    bytes: new Float64Array(new SharedArrayBuffer(8)),
    signal,
  };
}

/** Bytes of inputs after which a page ends at the latest. */
export function pageBytesOf({ limitBytes }: JournalSettings): number {
  return Math.min(limitBytes / PAGES, PAGE_BYTES_MAX);
}

/** The file of a page: of the one that the shard writes, or wrote last. */
export function journalFile({ directory, name, state }: JournalLife, page: number = state[STATE.PAGE]!): string {
  return join(directory, `${name}-${String(page).padStart(4, "0")}.journal`);
}

/** Ends a page before its time. */
export function interruptJournal({ state }: JournalLife, page: number, why: number): void {
  Atomics.store(state, STATE.WHY, why);
  Atomics.store(state, STATE.LOST_PAGE, page);
  Atomics.add(state, STATE.INTERRUPTIONS, 1);
  Atomics.store(state, STATE.INTERRUPTED, 1);
}

/** Whether nothing is recorded just now. */
export function isInterrupted({ state }: JournalLife): boolean {
  return Atomics.load(state, STATE.INTERRUPTED) === 1;
}

/** How often the journal was interrupted so far. */
export function interruptionsOf({ state }: JournalLife): number {
  return Atomics.load(state, STATE.INTERRUPTIONS);
}

/** Why the last interruption was, in a word: {@link BEHIND}, WRITER_DIED, or the system's for an error. */
export function whyInterrupted({ state }: JournalLife): string {
  const why = Atomics.load(state, STATE.WHY);
  if (why === WHY.BEHIND) return BEHIND;
  return why === WHY.WRITER_DIED ? "WRITER_DIED" : getSystemErrorName(why);
}

/** Bytes that wait for the disk. */
export function journalWaitingBytes({ ring, state }: JournalLife): number {
  return ringWaitingBytes(ring) + Atomics.load(state, STATE.IN_HAND);
}

/** Wakes the writer if it waits. */
export function wakeWriter(signal: Int32Array): void {
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
}
