/**
 * Looks after the journals of shards, so that nobody finds out too late that one has been interrupted: the log says what
 * happened, why and what to do, once for each time, and when it goes on.
 */
import { BEHIND } from "../../core/index.ts";
import type { Log } from "../log.ts";
import { interruptionsOf, isInterrupted, type JournalLife, journalFile, whyInterrupted } from "./life.ts";

/** A watch; make it with {@link createJournalWatch}. */
export interface JournalWatch {
  readonly hosts: readonly { readonly journals: JournalLife | undefined }[];
  readonly log: Log;
  /** How many interruptions of each life were told, and whether it is known that the last one is over. */
  readonly told: WeakMap<JournalLife, { interruptions: number; isOver: boolean }>;
}

/** A watch that has seen nothing yet. */
export function createJournalWatch(hosts: JournalWatch["hosts"], log: Log): JournalWatch {
  return { hosts, log, told: new WeakMap() };
}

/** Says of each journal that it was interrupted and why, and that it goes on, once. */
export function lookAtJournals({ hosts, log, told }: JournalWatch): void {
  for (const { journals } of hosts) {
    if (journals === undefined) continue;
    const known = told.get(journals) ?? { interruptions: 0, isOver: true };
    const interruptions = interruptionsOf(journals);
    const isOver = !isInterrupted(journals);
    const fields = { shard: journals.place, journal: journalFile(journals) };
    if (interruptions > known.interruptions) {
      const code = whyInterrupted(journals);
      log.error({ ...fields, code }, `the journal is interrupted: ${adviceFor(code, journals.directory)}`);
    }
    if (isOver && (interruptions > known.interruptions || !known.isOver)) {
      log.warn({ shard: journals.place }, "the journal can go on, in a new file");
    }
    told.set(journals, { interruptions, isOver });
  }
}

/** What has happened to a journal, and what to do. It goes on by itself when that is done, and so do calls without. */
function adviceFor(code: string, directory: string): string {
  switch (code) {
    case BEHIND:
      return "the disk does not keep up. Calls go on, and so does the journal once the disk has caught up; where that happens again and again, give --journal a faster disk";
    case "ENOSPC":
    case "EDQUOT":
      return `the disk of ${directory} is full. Calls go on, and so does the journal once there is room: free some, or start with a lower --journal-limit`;
    case "ENOENT":
      return `${directory}, or the file in it, was deleted. Calls go on, and so does the journal, in a new file, once the directory is there: make it again if need be`;
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return `the server may not write into ${directory}. Calls go on, and so does the journal once it may: give it that right again`;
    case "WRITER_DIED":
      return "the thread that writes it has died, as another line says; please report that. Calls go on, and so does the journal, with another thread";
    default:
      return `the disk takes nothing (${code}). Calls go on, and so does the journal once it does: see what the system's log says of it`;
  }
}
