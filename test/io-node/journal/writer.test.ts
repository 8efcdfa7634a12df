/**
 * Both ends of the way from a shard to the disk, in one thread: the writer has its turn when the test says so, so that a disk
 * stands still exactly as long as that. What was written is played, and comes out as it was recorded.
 */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  createRecorder,
  FIRST_COME_FIRST_SERVED,
  type Micros,
  type Recorder,
  recordEnd,
  recordHandle,
  type ShardInput,
} from "../../../core/index.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import type { Write } from "../../../io-node/journal/files.ts";
import {
  createJournalLife,
  isInterrupted,
  type JournalLife,
  type JournalSettings,
  journalFile,
  journalWaitingBytes,
  pageBytesOf,
  whyInterrupted,
} from "../../../io-node/journal/life.ts";
import { finishJournals, openJournals } from "../../../io-node/journal/sink.ts";
import { createJournalWatch, lookAtJournals } from "../../../io-node/journal/watch.ts";
import { createWriter, type Writer, writerBegin, writerTurn } from "../../../io-node/journal/writer.ts";
import { createLog } from "../../../io-node/log.ts";
import { beginPlayback, describePlayback, playbackFingerprint, playUntil } from "../../../io-sim/journal/playback.ts";
import { callOf, createSilentOutbox, PROGRAM } from "../../support/shards/recording.ts";

const directories: string[] = [];
const fds: number[] = [];

afterEach(() => {
  for (const fd of fds.splice(0)) closeSync(fd);
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-journal-"));
  directories.push(directory);
  return directory;
}

/** A stranger's STUN check that nobody understands: the journal keeps the whole of it. */
function strayCheck(now: Micros): ShardInput {
  const bytes = new Uint8Array(1_200);
  bytes.set([0x00, 0x01, 0x04, 0x9c, 0x21, 0x12, 0xa4, 0x42], 0);
  bytes.fill(0x5a, 20);
  return { kind: "datagram", now, flow: 99, address: Uint8Array.of(10, 0, 0, 9), bytes, offset: 0, length: 1_200 };
}

/** A call, and after each input so much more that it fills a small ring several times. */
const CALL = withStrangers(callOf());

function withStrangers({ boot, inputs }: ReturnType<typeof callOf>) {
  return { boot, inputs: inputs.flatMap((input) => [input, strayCheck(input.now)]) };
}

/** A recorded shard whose writer has its turn when it is told. */
interface Bench {
  readonly life: JournalLife;
  readonly recorder: Recorder;
  readonly writer: Writer;
  /** Inputs of {@link CALL} that the shard has had. */
  told: number;
  now: number;
}

const LARGE = { limitBytes: 1e9, ringBytes: 1 << 22, pauseMillis: 0 };
/** A frame and what closes a page have room in it, and not much else. */
const SMALL_RING = { ...LARGE, ringBytes: 1 << 17 };

function createBench(settings: Partial<JournalSettings>, write: Write = writeSync, place = 0): Bench {
  const directory = settings.directory ?? createDirectory();
  const life = createJournalLife({ ...LARGE, ...settings, directory, program: PROGRAM }, place, createSignal());
  const options = { sink: openJournals(life), pageBytes: pageBytesOf(life), program: PROGRAM };
  const writer = createWriter(write);
  writerBegin(writer, life);
  return { life, recorder: createRecorder(CALL.boot, createNodeCrypto(), options), writer, told: 0, now: 0 };
}

const createSignal = () => new Int32Array(new SharedArrayBuffer(4));

/** Tells the shard what comes next, `count` inputs, or as many as there are. */
function tell(bench: Bench, count = Number.POSITIVE_INFINITY): void {
  const { recorder, told } = bench;
  const ports = { crypto: recorder.crypto, outbox: createSilentOutbox(), scheduler: FIRST_COME_FIRST_SERVED };
  const inputs = CALL.inputs.slice(told, told + count);
  for (const input of inputs) recordHandle(recorder, ports, copyOf(input));
  bench.told += inputs.length;
}

/** Tells the shard what comes next until `what` holds. */
function tellUntil(bench: Bench, what: () => boolean): void {
  while (!what()) {
    if (bench.told === CALL.inputs.length) throw new Error("the call is over");
    tell(bench, 1);
  }
}

const copyOf = (input: ShardInput) => ("bytes" in input ? { ...input, bytes: input.bytes.slice() } : input);

/** The writer writes all there is, and time goes on. */
function write(bench: Bench): void {
  bench.now += 1_000;
  while (writerTurn(bench.writer, bench.now));
}

/** Tells the shard the rest, and the writer keeps up. */
function tellRest(bench: Bench): void {
  while (bench.told < CALL.inputs.length) {
    tell(bench, 20);
    write(bench);
  }
}

function end(bench: Bench): void {
  recordEnd(bench.recorder);
  finishJournals(bench.life);
  write(bench);
}

/** The files of a directory in the order of their names. */
function namesIn(directory: string): string[] {
  return readdirSync(directory).sort((a, b) => (a < b ? -1 : 1));
}

/** What each journal in a directory comes to. */
function playAll({ life: { directory } }: Bench) {
  return namesIn(directory).map((file) => {
    const playback = beginPlayback(new Uint8Array(readFileSync(join(directory, file))), createNodeCrypto());
    playUntil(playback, { kind: "end" });
    const { player, difference } = playback;
    const { ending, firstInput, inputs } = player;
    const [sentence, fingerprint] = [describePlayback(playback, PROGRAM), playbackFingerprint(playback)];
    return { ending, firstInput, inputs, difference, sentence, fingerprint };
  });
}

/** What there is to say of a journal that was interrupted and has gone on, in the log. */
function logOf({ life }: Bench, look: (again: () => void) => void): unknown[] {
  const lines: string[] = [];
  const log = createLog("warn", { write: (line) => void lines.push(line) });
  const watch = createJournalWatch([{ journals: life }, { journals: undefined }], log);
  look(() => lookAtJournals(watch));
  return lines.map((line) => JSON.parse(line));
}

/** The fingerprint of what a shard does that is told the whole call, and whose journal nothing hinders. */
function undisturbed(): string {
  const bench = createBench({});
  tell(bench);
  end(bench);
  return playAll(bench)[0]!.fingerprint;
}

describe("a disk that stands still", () => {
  it("does not hold up the shard: the page ends whole and says why, and another begins once the disk is back", () => {
    const bench = createBench(SMALL_RING);
    const { life, recorder } = bench;
    tellUntil(bench, () => isInterrupted(life));
    expect(whyInterrupted(life)).toBe("BEHIND");
    const toldBefore = bench.told;
    tell(bench, 200);
    const goneOn = bench.told;
    expect(recorder.inputs).toBe(goneOn);
    write(bench);
    expect(isInterrupted(life)).toBe(false);
    tellRest(bench);
    end(bench);
    const [first, second, ...more] = playAll(bench);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ ending: { kind: "interrupted", why: "BEHIND" }, difference: undefined });
    // Nothing that was recorded by then is missing, but for what the last input was in the middle of.
    expect(first!.inputs).toBeGreaterThanOrEqual(toldBefore - 1);
    expect(first!.sentence).toContain("the journal ends there because the disk did not keep up");
    expect(second).toMatchObject({ ending: { kind: "closed" }, difference: undefined });
    expect(second!.firstInput).toBeGreaterThanOrEqual(goneOn);
    expect(second!.inputs).toBe(CALL.inputs.length);
    expect(second!.fingerprint).toBe(undisturbed());
  });

  it("loses nothing as long as the ring has room", () => {
    const bench = createBench({});
    tell(bench);
    const waiting = journalWaitingBytes(bench.life);
    end(bench);
    expect(waiting).toBeGreaterThan(400_000);
    expect(playAll(bench)).toMatchObject([{ ending: { kind: "closed" }, difference: undefined, firstInput: 0 }]);
    expect(bench.life.bytes[0]).toBe(statSync(journalFile(bench.life)).size - "lockstep journal 1\n".length);
  });

  it("leaves room for what a shard has in memory when it ends", () => {
    const bench = createBench(SMALL_RING);
    tellUntil(bench, () => journalWaitingBytes(bench.life) > 0);
    tell(bench, 20);
    finishJournals(bench.life);
    write(bench);
    expect(playAll(bench)).toMatchObject([{ ending: { kind: "stopped" }, inputs: bench.told, difference: undefined }]);
    expect(bench.writer.journals.size).toBe(0);
  });

  it("is asked again after ever longer pauses", () => {
    const bench = createBench({ ...SMALL_RING, pauseMillis: 1_500 });
    const { life } = bench;
    const turns = () => {
      let count = 0;
      for (; isInterrupted(life); count++) write(bench);
      return count;
    };
    tellUntil(bench, () => isInterrupted(life));
    expect(turns()).toBe(3);
    tellUntil(bench, () => isInterrupted(life));
    expect(turns()).toBe(4);
  });
});

describe("a disk that is full", () => {
  /** A disk with room for so many bytes; behind them it answers as a full one does, and then has a little room again. */
  function createDisk(roomBytes: number): { room: number; write: Write } {
    const full = openSync("/dev/full", "w");
    fds.push(full);
    const disk = {
      room: roomBytes,
      write: (fd: number, bytes: Uint8Array, offset: number, length: number) => {
        const fits = Math.min(length, disk.room);
        disk.room -= fits;
        if (fits > 0) return writeSync(fd, bytes, offset, fits);
        disk.room = 64;
        return writeSync(full, bytes, offset, length);
      },
    };
    return disk;
  }

  it.runIf(process.platform === "linux")("ends the page behind its last whole frame, until there is room", () => {
    const disk = createDisk(150_000);
    const bench = createBench({}, disk.write);
    const { life } = bench;
    tellUntil(bench, () => {
      write(bench);
      return isInterrupted(life);
    });
    expect(whyInterrupted(life)).toBe("ENOSPC");
    tell(bench, 50);
    write(bench);
    expect(isInterrupted(life)).toBe(true);
    disk.room = 1e9;
    write(bench);
    expect(isInterrupted(life)).toBe(false);
    tellRest(bench);
    end(bench);
    const [first, second] = playAll(bench);
    expect(first).toMatchObject({ ending: { kind: "interrupted", why: "ENOSPC" }, difference: undefined });
    expect(first!.inputs).toBeGreaterThan(100);
    expect(second).toMatchObject({ ending: { kind: "closed" }, difference: undefined, inputs: CALL.inputs.length });
    expect(second!.fingerprint).toBe(undisturbed());
  });
});

describe("a directory that is gone", () => {
  it("is noticed, and the log says once what happened and what to do, and that the journal goes on", () => {
    const bench = createBench({});
    const { life, recorder } = bench;
    const { directory } = life;
    tell(bench, 100);
    write(bench);
    const lines = logOf(bench, (look) => {
      rmSync(directory, { recursive: true });
      tell(bench, 100);
      write(bench);
      look();
      look();
      mkdirSync(directory);
      write(bench);
      look();
      look();
    });
    const told = { shard: 0, code: "ENOENT", msg: expect.stringMatching(/was deleted\. Calls go on.*make it again/) };
    expect(lines).toEqual([expect.objectContaining(told), expect.objectContaining({ shard: 0, level: "warn" })]);
    tell(bench);
    end(bench);
    expect(recorder.inputs).toBe(CALL.inputs.length);
    const [only, ...more] = playAll(bench);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ ending: { kind: "closed" }, difference: undefined, fingerprint: undisturbed() });
    expect(only!.firstInput).toBeGreaterThan(100);
  });
});

describe("the journals of a place", () => {
  it("are a window over what happened last, in which the oldest make room", () => {
    const directory = createDirectory();
    const elsewhere = "shard-10-2026-01-01T00-00-00.000Z-0000.journal";
    writeFileSync(join(directory, elsewhere), new Uint8Array(100_000));
    const bench = createBench({ directory, limitBytes: 400_000 }, writeSync, 1);
    tellRest(bench);
    end(bench);
    const own = namesIn(directory).filter((file) => file.startsWith("shard-1-"));
    expect(journalFile(bench.life)).toBe(join(directory, own.at(-1)!));
    expect(own[0]).not.toContain("-0000.");
    const sizes = own.map((file) => statSync(join(directory, file)).size);
    expect(bench.life.bytes[0]).toBeGreaterThan(sizes.reduce((sum, size) => sum + size));
    expect(namesIn(directory)).toContain(elsewhere);
    rmSync(join(directory, elsewhere));
    const played = playAll(bench);
    expect(played.every(({ difference }) => difference === undefined)).toBe(true);
    expect(played.at(-1)!.ending).toEqual({ kind: "closed" });
    expect(played[0]!.firstInput).toBeGreaterThan(0);
  });
});
