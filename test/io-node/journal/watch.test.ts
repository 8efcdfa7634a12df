import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { createJournalLife, interruptJournal, WHY } from "../../../io-node/journal/life.ts";
import { createJournalWatch, lookAtJournals } from "../../../io-node/journal/watch.ts";
import { createLog } from "../../../io-node/log.ts";
import { PROGRAM } from "../../support/shards/recording.ts";

const { errno } = constants;

describe("the log line of an interrupted journal", () => {
  it.each([
    ["BEHIND", WHY.BEHIND, /does not keep up.*give --journal a faster disk/],
    ["WRITER_DIED", WHY.WRITER_DIED, /the thread that writes it has died.*please report/],
    ["ENOSPC", -errno.ENOSPC, /the disk of \/j is full.*a lower --journal-limit/],
    ["ENOENT", -errno.ENOENT, /\/j, or the file in it, was deleted.*make it again/],
    ["EACCES", -errno.EACCES, /may not write into \/j.*give it that right again/],
    ["EROFS", -errno.EROFS, /may not write into \/j.*give it that right again/],
    ["EIO", -errno.EIO, /takes nothing \(EIO\).*what the system's log says/],
  ])("says what happened, that calls go on, and what to do: %s", (code, why, sentence) => {
    const settings = { directory: "/j", limitBytes: 1e6, program: PROGRAM };
    const journals = createJournalLife(settings, 3, new Int32Array(new SharedArrayBuffer(4)));
    interruptJournal(journals, 0, why);
    const lines: string[] = [];
    const log = createLog("error", { write: (line) => void lines.push(line) });
    lookAtJournals(createJournalWatch([{ journals }], log));
    const line = JSON.parse(lines[0]!);
    expect(line).toMatchObject({ shard: 3, code, journal: expect.stringMatching(/^\/j\/shard-3-.*-0000\.journal$/) });
    expect(line.msg).toMatch(sentence);
    expect(line.msg).toMatch(/Calls go on/);
  });
});
