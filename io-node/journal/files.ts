/**
 * Journals on a disk: their directory, their pages, and what goes when there are too many.
 *
 * The journals of a place are a window over what happened last: when the files of a place hold as much as they may, the
 * oldest is deleted. Each of them begins with a snapshot, or with the shard's birth, so each can be replayed by itself.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { closingFrame, journalTitle } from "../../core/index.ts";
import { type JournalLife, type JournalSettings, journalFile, pageBytesOf } from "./life.ts";

/** Writes some of these bytes, and answers how many; `writeSync`, or what a test has in place of it. */
export type Write = (fd: number, bytes: Uint8Array, offset: number, length: number) => number;

/** A page that is open. */
export interface OpenPage {
  readonly fd: number;
  readonly number: number;
  /** Bytes of its whole frames. */
  length: number;
}

/** Only the owner may read what a server's shards were told. */
const OWNER_ONLY = { file: 0o600, directory: 0o700 } as const;

/** So much is written to find out whether a disk has room. */
const PROBE_BYTES = 65_536;

/** Makes the directory if need be; throws what the system says when journals can't be written there. */
export function prepareJournals(settings: JournalSettings): void {
  makeDirectory(settings.directory);
  probeDirectory(settings.directory, writeSync);
}

/** Throws what the system says when nothing can be written into a directory. */
export function probeDirectory(directory: string, write: Write): void {
  const probe = join(directory, `.probe-${process.pid}`);
  const fd = openSync(probe, "w", OWNER_ONLY.file);
  try {
    writeAll(write, fd, new Uint8Array(PROBE_BYTES));
  } finally {
    closeSync(fd);
    rmSync(probe, { force: true });
  }
}

/** Makes room for a page, and begins it. */
export function openPage(life: JournalLife, number: number, write: Write): OpenPage {
  forgetOldest(life);
  // For appending: behind a page that was cut there is no hole.
  const fd = openSync(journalFile(life, number), "ax", OWNER_ONLY.file);
  const page = { fd, number, length: 0 };
  try {
    appendToPage(page, journalTitle(), write);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return page;
}

/** Writes a whole frame. */
export function appendToPage(page: OpenPage, bytes: Uint8Array, write: Write): void {
  writeAll(write, page.fd, bytes);
  page.length += bytes.length;
}

/** Closes a page that comes to an end in order. */
export function closePage({ fd }: OpenPage): void {
  closeSync(fd);
}

/** Closes a page that can't go on, and lets it say why as far as the disk takes that; what is there of a frame goes. */
export function abandonPage({ fd, length }: OpenPage, why: string, write: Write): void {
  try {
    ftruncateSync(fd, length);
    writeAll(write, fd, closingFrame(why));
  } catch {
    // Then a reader finds the end without being told why.
  }
  closeSync(fd);
}

/** Whether somebody has deleted the file of an open page: it could still be written, and would be nowhere. */
export function isDeleted({ fd }: OpenPage): boolean {
  return fstatSync(fd).nlink === 0;
}

/** Makes a directory and those above it. Node's own way tries for ever where the system lets nobody make one, as in /proc. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  makeDirectory(dirname(directory));
  mkdirSync(directory, { mode: OWNER_ONLY.directory });
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

function writeAll(write: Write, fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += write(fd, bytes, at, bytes.length - at);
}
