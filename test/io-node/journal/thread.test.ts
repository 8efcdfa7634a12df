/** The thread that writes journals, when its disk stands still, and when it dies itself. The shard is in the test's thread. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRecorder, FIRST_COME_FIRST_SERVED, recordEnd, recordHandle } from "../../../core/index.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import {
  interruptionsOf,
  isInterrupted,
  type JournalLife,
  journalWaitingBytes,
  whyInterrupted,
} from "../../../io-node/journal/life.ts";
import { finishJournals, openJournals } from "../../../io-node/journal/sink.ts";
import { beginJournals, endJournals, isAtDisk, type Journals, startJournals } from "../../../io-node/journal/thread.ts";
import { createLog } from "../../../io-node/log.ts";
import { beginPlayback, playUntil } from "../../../io-sim/journal/playback.ts";
import { until } from "../../contract/shard-host.ts";
import { callOf, createSilentOutbox, PROGRAM } from "../../support/shards/recording.ts";

const CALL = callOf({ runFor: 500_000 });
const TROUBLED = new URL("../../support/hosts/troubled-journals.ts", import.meta.url);

let directory = "";
let disk = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockstep-journal-"));
  disk = mkdtempSync(join(tmpdir(), "lockstep-disk-"));
  process.env.LOCKSTEP_TEST_DISK = disk;
});

afterEach(() => {
  delete process.env.LOCKSTEP_TEST_DISK;
  for (const each of [directory, disk]) rmSync(each, { recursive: true, force: true });
});

const trouble = (what: "hold" | "die") => writeFileSync(join(disk, what), "");
const holdNoMore = () => rmSync(join(disk, "hold"));

function start(lines: string[] = []): Journals {
  const log = createLog("error", { write: (line) => void lines.push(line) });
  return startJournals({ directory, limitBytes: 1e8, pauseMillis: 0, program: PROGRAM }, log, TROUBLED);
}

/** Tells the inputs of the call, so many at a time. */
function createTelling(life: JournalLife) {
  const options = { sink: openJournals(life), pageBytes: 1e8, program: PROGRAM };
  const recorder = createRecorder(CALL.boot, createNodeCrypto(), options);
  const ports = { crypto: recorder.crypto, outbox: createSilentOutbox(), scheduler: FIRST_COME_FIRST_SERVED };
  const left = CALL.inputs.map((input) => ("bytes" in input ? { ...input, bytes: input.bytes.slice() } : input));
  return {
    recorder,
    tell(count: number) {
      for (const input of left.splice(0, count)) recordHandle(recorder, ports, input);
      options.sink.drain();
    },
    end() {
      for (const input of left.splice(0)) recordHandle(recorder, ports, input);
      recordEnd(recorder);
      finishJournals(life);
    },
  };
}

function playAll() {
  return readdirSync(directory)
    .sort((a, b) => (a < b ? -1 : 1))
    .map((file) => {
      const playback = beginPlayback(new Uint8Array(readFileSync(join(directory, file))), createNodeCrypto());
      playUntil(playback, { kind: "end" });
      const { ending, inputs } = playback.player;
      return { kind: ending?.kind, inputs, difference: playback.difference };
    });
}

describe("the journals' thread", { timeout: 30_000 }, () => {
  it("writes all there is before it ends", async () => {
    const journals = start();
    const { tell, end } = createTelling(beginJournals(journals, 0));
    tell(100);
    end();
    expect(await endJournals(journals, 5_000)).toEqual({ lostBytes: 0, hangs: false, cut: [] });
    expect(playAll()).toEqual([{ kind: "closed", inputs: CALL.inputs.length, difference: undefined }]);
  });

  it("holds up nobody when the disk stands still, and the end says how much is lost", async () => {
    const journals = start();
    const life = beginJournals(journals, 0);
    const { recorder, tell, end } = createTelling(life);
    tell(100);
    await until(() => life.bytes[0]! > 0);
    trouble("hold");
    tell(100);
    await until(() => isAtDisk(journals));
    expect(journalWaitingBytes(life)).toBeGreaterThan(1_000);
    end();
    expect(recorder.inputs).toBe(CALL.inputs.length);
    const told = await endJournals(journals, 50);
    expect(told.hangs).toBe(true);
    expect(told.lostBytes).toBeGreaterThan(1_000);
    expect(playAll()).toEqual([{ kind: "stopped", inputs: 100, difference: undefined }]);
    holdNoMore();
    await journals.running.ended;
  });

  it("is replaced when it dies: a page that was open then ends, and the shard begins another", async () => {
    const lines: string[] = [];
    const journals = start(lines);
    const life = beginJournals(journals, 0);
    const { tell, end } = createTelling(life);
    tell(100);
    await until(() => life.bytes[0]! > 0);
    trouble("die");
    tell(50);
    await until(() => interruptionsOf(life) === 1 && !isInterrupted(life));
    expect(whyInterrupted(life)).toBe("WRITER_DIED");
    tell(50);
    end();
    expect(await endJournals(journals, 5_000)).toEqual({ lostBytes: 0, hangs: false, cut: [] });
    expect(playAll()).toEqual([
      { kind: "stopped", inputs: 100, difference: undefined },
      { kind: "closed", inputs: CALL.inputs.length, difference: undefined },
    ]);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ msg: expect.stringContaining("another one begins") }),
    ]);
  });
});
