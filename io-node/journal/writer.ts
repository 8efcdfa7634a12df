/**
 * The writer of all journals of a server: it takes frames out of the shards' rings and writes them to the disk.
 *
 * It may wait for the disk as long as that likes: the shards don't wait for it. When the disk takes a page's frames no more,
 * the page is abandoned, and what still comes of it is thrown away. After a pause the writer tries whether something can be
 * written again, and says so; then the shard begins another page. The pause doubles from one interruption to the next, so that
 * a disk that is too slow for good does not cost a snapshot all the time.
 *
 * {@link writerTurn} is one turn; writer-thread.ts goes round.
 */
import { constants } from "node:os";
import { entryLength, entryWords, openRingReader, type RingReader, ringHolds, ringTake } from "../relay/shared-ring.ts";
import {
  abandonPage,
  appendToPage,
  closePage,
  isDeleted,
  type OpenPage,
  openPage,
  probeDirectory,
  type Write,
} from "./files.ts";
import { ENTRY, interruptJournal, isInterrupted, type JournalLife, STATE, whyInterrupted } from "./life.ts";

/** How much is taken out of a ring before the next one has its turn; the longest entry fits in. */
const TAKE_BYTES = 262_144;

/** How long an interruption lasts at least: the first one, and at most. */
const PAUSE_MILLIS = 10_000;
const PAUSE_MILLIS_MAX = 640_000;

/** How often the writer looks whether somebody has deleted what it writes. */
const LOOK_MILLIS = 1_000;

/** The journals that are written; make it with {@link createWriter}. */
export interface Writer {
  readonly journals: Set<WrittenJournal>;
  readonly write: Write;
  readonly taken: Int32Array;
  lookAt: number;
}

/** A journal as the writer sees it. */
interface WrittenJournal {
  readonly life: JournalLife;
  readonly ring: RingReader;
  page: OpenPage | undefined;
  /** It is interrupted, and waits. */
  waits: boolean;
  /** When there may be a new page, in milliseconds of any clock, and when there was the last after an interruption. */
  resumeAt: number;
  resumedAt: number;
  pauseMillis: number;
}

/** A writer without journals. */
export function createWriter(write: Write): Writer {
  return { journals: new Set(), write, taken: new Int32Array(TAKE_BYTES / 4), lookAt: 0 };
}

/** From now on the writer writes these journals too. */
export function writerBegin({ journals }: Writer, life: JournalLife): void {
  const ring = openRingReader(life.ring);
  // Another writer, before this one, may have died with something in hand.
  Atomics.store(life.state, STATE.IN_HAND, 0);
  const never = Number.NEGATIVE_INFINITY;
  journals.add({ life, ring, page: undefined, waits: false, resumeAt: never, resumedAt: never, pauseMillis: 0 });
}

/** Takes a batch out of each ring and writes it; answers whether there was anything. */
export function writerTurn(writer: Writer, nowMillis: number): boolean {
  let took = false;
  for (const journal of writer.journals) took = writeBatch(writer, journal) || took;
  const looks = nowMillis >= writer.lookAt;
  if (looks) writer.lookAt = nowMillis + LOOK_MILLIS;
  for (const journal of writer.journals) {
    if (looks && journal.page !== undefined) lookAtPage(writer, journal);
    if (isInterrupted(journal.life)) attendInterrupted(writer, journal, nowMillis);
    else journal.waits = false;
  }
  return took;
}

function writeBatch(writer: Writer, journal: WrittenJournal): boolean {
  const { taken } = writer;
  const { state } = journal.life;
  const words = ringTake(journal.ring, taken);
  const bytes = new Uint8Array(taken.buffer);
  for (let at = 0; at < words; at += entryWords(taken, at)) {
    Atomics.store(state, STATE.IN_HAND, 4 * (words - at));
    const length = entryLength(taken, at);
    if (length === ENTRY.END) endJournal(writer, journal);
    else if (length === ENTRY.PAGE) turnPage(writer, journal, taken[at + 1]!);
    else writeFrame(writer, journal, bytes.subarray(4 * (at + 1), 4 * (at + 1) + length));
  }
  Atomics.store(state, STATE.IN_HAND, 0);
  return words > 0;
}

function endJournal({ journals }: Writer, journal: WrittenJournal): void {
  if (journal.page !== undefined) closePage(journal.page);
  journals.delete(journal);
  Atomics.store(journal.life.state, STATE.CLOSED, 1);
}

function turnPage({ write }: Writer, journal: WrittenJournal, number: number): void {
  const { life, page } = journal;
  if (page !== undefined) closePage(page);
  journal.page = undefined;
  unlessRefused(life, number, () => {
    journal.page = openPage(life, number, write);
    // What was interrupted was an earlier page then. This one may be lost too: its end is still to come out of the ring.
    if (Atomics.load(life.state, STATE.LOST_PAGE) !== number) Atomics.store(life.state, STATE.INTERRUPTED, 0);
  });
}

/** Writes a frame of the open page. Those of a page that could not go on are thrown away. */
function writeFrame({ write }: Writer, journal: WrittenJournal, frame: Uint8Array): void {
  const { life, page } = journal;
  if (page === undefined) return;
  const isWritten = unlessRefused(life, page.number, () => appendToPage(page, frame, write));
  if (isWritten) life.bytes[0]! += frame.length;
  else abandon(journal, write);
}

function lookAtPage({ write }: Writer, journal: WrittenJournal): void {
  const { life, page } = journal;
  if (page === undefined || !isDeleted(page)) return;
  interruptJournal(life, page.number, -constants.errno.ENOENT);
  abandon(journal, write);
}

function abandon(journal: WrittenJournal, write: Write): void {
  if (journal.page !== undefined) abandonPage(journal.page, whyInterrupted(journal.life), write);
  journal.page = undefined;
}

/** Says that there may be another page once that is so. */
function attendInterrupted({ write }: Writer, journal: WrittenJournal, nowMillis: number): void {
  const { life, ring } = journal;
  const { pauseMillis = PAUSE_MILLIS } = life;
  if (!journal.waits) {
    const isOld = nowMillis - journal.resumedAt > PAUSE_MILLIS_MAX;
    journal.pauseMillis = isOld ? pauseMillis : Math.min(2 * journal.pauseMillis, PAUSE_MILLIS_MAX);
    journal.resumeAt = nowMillis + journal.pauseMillis;
    journal.waits = true;
  }
  if (nowMillis < journal.resumeAt || ringHolds(ring)) return;
  journal.resumeAt = nowMillis + journal.pauseMillis;
  if (!isWell(life, write)) return;
  journal.waits = false;
  journal.resumedAt = nowMillis;
  Atomics.store(life.state, STATE.INTERRUPTED, 0);
}

/** Whether something can be written; what hinders it is what the interruption is about from now on. */
function isWell({ directory, state }: JournalLife, write: Write): boolean {
  const errno = errnoOf(() => probeDirectory(directory, write));
  if (errno !== 0) Atomics.store(state, STATE.WHY, errno);
  return errno === 0;
}

/** Does something to the disk, which must not take calls with it; when the system refuses, the page is lost. */
function unlessRefused(life: JournalLife, page: number, act: () => void): boolean {
  const errno = errnoOf(act);
  if (errno !== 0) interruptJournal(life, page, errno);
  return errno === 0;
}

/** The system's error, which is negative; 0 when there is none. */
function errnoOf(act: () => void): number {
  try {
    act();
    return 0;
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return errno;
  }
}
