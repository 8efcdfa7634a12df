/**
 * Journals: everything that a shard was told, in order, so that it can be told again.
 *
 * A journal is text, one JSON object a line. The first line is the boot record; each later line is an input with the number
 * of effects that it had and the rolling fingerprint of all so far; the last line closes the book. Because a shard is a pure
 * function of these, the first line at which a replay has another fingerprint is where two programs part; the boot record
 * names the one that wrote it. Whoever has the boot record has the keys of the calls in it: keep journals as secret.
 *
 *     {"type":"boot","version":1,"entropySeed":"…","randomSeed":7,"now":…,"wall":…,"config":{…},"cipher":"real","program":{…}}
 *     {"type":"datagram","now":…,"flow":0,"address":"…","bytes":"…","effects":1,"fingerprint":"…"}
 *     {"type":"command","now":…,"commandId":1,"command":{…},"effects":2,"fingerprint":"…"}
 *     {"type":"timer","now":…,"effects":0,"fingerprint":"…"}
 *     {"type":"relay","now":…,"shard":1,"bytes":"…","effects":1,"fingerprint":"…"}
 *     {"type":"shard-lost","now":…,"shard":1,"effects":0,"fingerprint":"…"}
 *     {"type":"restore","now":…}
 *     {"type":"end","inputs":3,"fingerprint":"…"}
 */
import {
  type BootRecord,
  type Command,
  type CryptoProvider,
  createFingerprint,
  createShard,
  createTunables,
  FIRST_COME_FIRST_SERVED,
  fingerprintHex,
  LockstepError,
  micros,
  type Program,
  type ShardInput,
  type ShardPorts,
  seededScheduler,
  shardHandle,
  shardRestore,
  shardSnapshot,
  type WallMicros,
} from "../../core/index.ts";
import { createRecordingOutbox, type Effect } from "../world/recording-outbox.ts";
import { recordedFaults } from "../world/sites.ts";

/** The format's version; another one is refused. */
const VERSION = 1;

/** A journal that is being written. */
export interface JournalWriter {
  readonly setting: JournalSetting;
  readonly lines: string[];
  inputs: number;
}

/** How the recorded shard was run, besides its boot record. */
export interface JournalSetting {
  /** Which Lockstep recorded it; missing when nobody said. */
  readonly program?: Program | undefined;
  /** The seed of the seeded scheduler, or null for first come, first served. */
  readonly scheduler: number | null;
  readonly cipher: "real" | "checksum";
}

/** A journal that begins with this boot record. */
export function createJournal(boot: BootRecord, setting: JournalSetting): JournalWriter {
  const journal: JournalWriter = { setting, lines: [], inputs: 0 };
  journalBoot(journal, boot);
  return journal;
}

/** Notes that a shard was booted: the first one, or another one after a crash. */
export function journalBoot(journal: JournalWriter, boot: BootRecord): void {
  const { entropySeed, randomSeed, now, wall, config, shard } = boot;
  const line = {
    type: "boot",
    version: VERSION,
    entropySeed: toBase64(entropySeed),
    randomSeed,
    now,
    wall,
    // Those that are as usual too: another Lockstep may have other habits.
    config: { ...config, tunables: createTunables(config.tunables ?? {}) },
    shard,
    ...journal.setting,
  };
  journal.lines.push(JSON.stringify(line));
}

/** Writes an input down. Call it before the shard has it, because the shard decrypts in place. */
export function journalInput(journal: JournalWriter, input: ShardInput): void {
  journal.inputs++;
  const { kind, now } = input;
  if (kind === "datagram") {
    const { flow, address, bytes, offset, length } = input;
    const wire = toBase64(bytes.subarray(offset, offset + length));
    journal.lines.push(JSON.stringify({ type: kind, now, flow, address: toBase64(address), bytes: wire }));
  } else if (kind === "command") {
    journal.lines.push(JSON.stringify({ type: kind, now, commandId: input.commandId, command: input.command }));
  } else if (kind === "relay") {
    const { shard, bytes, offset, length } = input;
    const records = toBase64(bytes.subarray(offset, offset + length));
    journal.lines.push(JSON.stringify({ type: kind, now, shard, bytes: records }));
  } else if (kind === "shard-lost") journal.lines.push(JSON.stringify({ type: kind, now, shard: input.shard }));
  else journal.lines.push(JSON.stringify({ type: kind, now }));
}

/**
 * Adds what the input has led to: how many effects, the fingerprint of all so far, and which questions about injected
 * faults were answered with yes, if any.
 */
export function journalEffects(
  journal: JournalWriter,
  effects: number,
  fingerprint: string,
  firings: readonly number[] = [],
): void {
  const last = journal.lines.length - 1;
  const faults = firings.length === 0 ? "" : `,"faults":${JSON.stringify(firings)}`;
  const result = `"effects":${effects},"fingerprint":"${fingerprint}"${faults}}`;
  journal.lines[last] = `${journal.lines[last]!.slice(0, -1)},${result}`;
}

/** Notes that the shard went on from a snapshot of itself. */
export function journalRestore(journal: JournalWriter, now: number): void {
  journal.lines.push(JSON.stringify({ type: "restore", now }));
}

/** The whole text, closed. */
export function journalText(journal: JournalWriter, fingerprint: string): string {
  return `${[...journal.lines, JSON.stringify({ type: "end", inputs: journal.inputs, fingerprint })].join("\n")}\n`;
}

/** What a replay has found. */
export interface JournalReplay {
  readonly same: boolean;
  /** One sentence. */
  readonly detail: string;
  readonly inputs: number;
  readonly fingerprint: string;
  readonly simulatedMicros: number;
}

/** How a journal is replayed. */
export interface ReplayOptions {
  /** Cuts the run with a snapshot before inputs of the replayer's own choice. */
  readonly restoreAt?: (input: number) => boolean;
  /** Which Lockstep this is, for the sentence when something comes out otherwise. */
  readonly program?: Program;
  /** Gets what each input leads to. */
  readonly onEffects?: (effects: readonly Effect[]) => void;
}

/**
 * Replays a journal to its end and compares each step with what was written. Throws a `LockstepError` "bad-journal" when
 * the text is no journal.
 */
export function replayJournal(
  text: string,
  createCrypto: (cipher: "real" | "checksum") => CryptoProvider,
  { restoreAt = () => false, program, onEffects = () => {} }: ReplayOptions = {},
): JournalReplay {
  const lines = text.split("\n").filter((line) => line !== "");
  const { boot, setting } = readBoot(lines[0] ?? "");
  let crypto = createCrypto(setting.cipher);
  let shard = createShard(boot, crypto);
  const hash = createFingerprint();
  const outbox = createRecordingOutbox(hash);
  const scheduler = setting.scheduler === null ? FIRST_COME_FIRST_SERVED : seededScheduler(setting.scheduler);
  let inputs = 0;
  let now: number = boot.now;
  const restore = () => {
    const bytes = shardSnapshot(shard);
    crypto = createCrypto(setting.cipher);
    shard = shardRestore(bytes, crypto);
  };
  let difference = "";
  const result = (ending: string): JournalReplay => {
    const same = difference === "";
    const detail = same ? `Every effect is as it was recorded${ending}.` : difference;
    const provenance = compareProgram(setting.program, program, same);
    const told = provenance === "" ? detail : `${detail} ${provenance}`;
    return { same, detail: told, inputs, fingerprint: fingerprintHex(hash), simulatedMicros: now - boot.now };
  };
  for (let at = 1; at < lines.length; at++) {
    const line = readLine(lines[at]!, at);
    if (line.type === "end") {
      const same = line.fingerprint === fingerprintHex(hash) && line.inputs === inputs;
      if (!same) difference ||= "The end differs from what was recorded.";
      return result("");
    }
    now = line.now;
    if (line.type === "boot") {
      crypto = createCrypto(setting.cipher);
      shard = createShard(readBoot(lines[at]!).boot, crypto);
      continue;
    }
    if (line.type === "restore" || restoreAt(inputs)) restore();
    if (line.type === "restore") continue;
    inputs++;
    const { faults: firings } = line;
    const faults = firings === undefined ? undefined : recordedFaults(firings);
    const ports: ShardPorts = { crypto, outbox, scheduler, faults };
    outbox.effects.length = 0;
    shardHandle(shard, ports, line.input);
    const { expected } = line;
    onEffects(outbox.effects);
    if (expected !== undefined && expected !== fingerprintHex(hash)) {
      difference ||= `Line ${at + 1} (input ${inputs}, ${line.type}) has other effects than it was recorded with.`;
    }
  }
  return result("; the journal has no last line");
}

/** What follows from who wrote the journal and who replays it, in a sentence; "" for what goes without saying. */
export function compareProgram(writer: Program | undefined, reader: Program | undefined, same: boolean): string {
  if (writer === undefined || reader === undefined) {
    return same || reader === undefined ? "" : "The journal does not say which Lockstep wrote it.";
  }
  const [theirs, ours] = [writer, reader].map(({ version, core }) => `Lockstep ${version} with core ${core}`);
  if (theirs === ours) return same ? "" : "It was written by this very core, so this is a mistake in Lockstep.";
  const consequence = same ? "which does the same here" : "which does something else there";
  return `It was written by ${theirs}; this is ${ours}, ${consequence}.`;
}

type JournalLine =
  | { readonly type: "end"; readonly inputs: number; readonly fingerprint: string }
  | { readonly type: "restore"; readonly now: number }
  | { readonly type: "boot"; readonly now: number }
  | {
      readonly type: ShardInput["kind"];
      readonly now: number;
      readonly input: ShardInput;
      readonly expected: string | undefined;
      readonly faults: readonly number[] | undefined;
    };

function readBoot(text: string): { boot: BootRecord; setting: JournalSetting } {
  const line = parse(text, 0);
  if (line.type !== "boot") {
    throw new LockstepError("bad-journal", "The file does not begin with the boot record of a journal.");
  }
  const { entropySeed, randomSeed, now, wall, config, shard, scheduler, cipher, program } = line as {
    program?: Program;
    entropySeed: string;
    randomSeed: number;
    now: number;
    wall: number;
    config: BootRecord["config"];
    shard?: number;
    scheduler: number | null;
    cipher: "real" | "checksum";
  };
  if (line.version !== VERSION) {
    const by = program?.version === undefined ? "another Lockstep" : `Lockstep ${program.version}`;
    const what = `The journal has format ${line.version}, and this Lockstep reads format ${VERSION}`;
    throw new LockstepError("bad-journal", `${what}: replay it with the one that wrote it (${by}).`);
  }
  const boot = {
    entropySeed: fromBase64(entropySeed),
    randomSeed,
    now: micros(now),
    wall: wall as WallMicros,
    config,
    ...(shard === undefined ? {} : { shard }),
  };
  return { boot, setting: { scheduler: scheduler ?? null, cipher: cipher ?? "real", program: program ?? undefined } };
}

function readLine(text: string, at: number): JournalLine {
  const line = parse(text, at) as Record<string, never>;
  const type: string = line.type ?? "";
  if (type === "end") return { type, inputs: line.inputs!, fingerprint: line.fingerprint! };
  const now = micros(line.now ?? 0);
  if (type === "restore" || type === "boot") return { type, now };
  const expected: string | undefined = line.fingerprint;
  const faults: readonly number[] | undefined = line.faults;
  if (type === "datagram") {
    const bytes = fromBase64(line.bytes ?? "");
    const address = fromBase64(line.address ?? "");
    const input = { kind: type, now, flow: line.flow!, address, bytes, offset: 0, length: bytes.length } as const;
    return { type, now, input, expected, faults };
  }
  if (type === "command") {
    const command = line.command as unknown as Command;
    return { type, now, input: { kind: type, now, commandId: line.commandId!, command }, expected, faults };
  }
  if (type === "relay") {
    const bytes = fromBase64(line.bytes ?? "");
    const input = { kind: type, now, shard: line.shard!, bytes, offset: 0, length: bytes.length } as const;
    return { type, now, input, expected, faults };
  }
  if (type === "shard-lost") {
    return { type, now, input: { kind: type, now, shard: line.shard! }, expected, faults };
  }
  if (type === "timer") return { type, now, input: { kind: type, now }, expected, faults };
  throw new LockstepError("bad-journal", `Line ${at + 1} of the journal is of no kind that is known.`);
}

function parse(text: string, at: number): { type?: unknown; version?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Falls through: what JSON complains of differs between engines.
  }
  throw new LockstepError("bad-journal", `Line ${at + 1} of the journal is not a JSON object.`);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** Bytes as they stand in a journal. */
export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
