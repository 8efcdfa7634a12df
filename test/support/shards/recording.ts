/** A server's journal without a server: a simulated call, told to a recorded shard, whose journal goes into memory. */
import {
  type BootRecord,
  type Command,
  createRecorder,
  FIRST_COME_FIRST_SERVED,
  FRAME_HEADER_BYTES,
  JOURNAL_MEMORY_BYTES,
  type JournalSink,
  journalFrame,
  journalTitle,
  LIMITS,
  type Micros,
  micros,
  type Outbox,
  type Program,
  type Recorder,
  recordEnd,
  recordHandle,
  type ShardInput,
  type WallMicros,
} from "../../../core/index.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import type { Scenario } from "../../../io-sim/story/scenario.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../stories/small-story.ts";

/** A sink whose pages are kept. */
export interface MemorySink extends JournalSink {
  /** What each journal would have in its file. */
  pages(): Uint8Array[];
}

/** A recorded call. */
export interface Recording {
  readonly recorder: Recorder;
  readonly sink: MemorySink;
  readonly inputs: readonly ShardInput[];
  /** Datagrams that the shard wanted sent. */
  readonly sent: readonly { readonly flow: number; readonly bytes: Uint8Array }[];
  /** Keys, salts, passwords and resources of the participants, and a few bytes of media. */
  readonly secrets: readonly Uint8Array[];
}

/** A sink into memory. */
export function createMemorySink(): MemorySink {
  const memory = new Uint8Array(JOURNAL_MEMORY_BYTES);
  const written = Int32Array.of(FRAME_HEADER_BYTES);
  const pages: Uint8Array[][] = [[journalTitle()]];
  const sink = {
    memory,
    written,
    pageBytes: 0,
    wantsPage: false,
    drain() {
      if (written[0] === FRAME_HEADER_BYTES) return;
      journalFrame(memory, written[0]!);
      pages.at(-1)!.push(memory.slice(0, written[0]));
      sink.pageBytes += written[0]!;
      written[0] = FRAME_HEADER_BYTES;
    },
    turnPage() {
      sink.drain();
      pages.push([journalTitle()]);
      sink.pageBytes = 0;
    },
    pages: () => pages.map((parts) => new Uint8Array(Buffer.concat(parts))),
  };
  return sink;
}

/** An outbox of which nothing comes but a list of datagrams. */
export function createSilentOutbox(sent: { flow: number; bytes: Uint8Array }[] = []): Outbox {
  const sendBytes = new Uint8Array(LIMITS.datagramBytesMax);
  return {
    sendBytes,
    reserve: () => 0,
    transmit: (flow, offset, length) => void sent.push({ flow, bytes: sendBytes.slice(offset, offset + length) }),
    reply() {},
    event() {},
    relayPacket() {},
    relayMail() {},
    releaseFlow() {},
  };
}

/** A line of the simulator's journal (io-sim/journal/journal.ts): an input has the fields of its type. */
export interface JournalLine {
  readonly type: string;
  readonly now: Micros;
  readonly flow: number;
  readonly address: string;
  readonly bytes: string;
  readonly commandId: number;
  readonly command: Command;
}

/** The boot record and the lines of the journal of a simulated call. */
export function journalOf(change: Partial<Scenario> = {}): { boot: BootRecord; lines: JournalLine[] } {
  const plan = smallStory({ cipher: "real", runFor: 1_500_000, ...change });
  const { journal } = run(plan, 1, { journal: true });
  const [boot, ...lines] = journal!
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const { entropySeed, randomSeed, now, wall, config } = boot;
  return {
    boot: { entropySeed: bytesOf(entropySeed), randomSeed, now: micros(now), wall: wall as WallMicros, config },
    lines,
  };
}

/** The boot record and the inputs of a simulated call. */
export function callOf(change: Partial<Scenario> = {}): { boot: BootRecord; inputs: ShardInput[] } {
  const { boot, lines } = journalOf(change);
  return { boot, inputs: lines.flatMap((line) => inputOf(line) ?? []) };
}

/** Who writes the journals of tests. */
export const PROGRAM: Program = { version: "1.0.0", core: "aa" };

/** How a test records. */
export interface RecordingOptions {
  /** A page ends after so many bytes. */
  readonly pageBytes?: number;
  /** The host is killed in the input behind so many. */
  readonly endsAfter?: number;
  readonly program?: Program;
  /** From this input on, counted from 0, chance has another seed: as if another core had recorded. */
  readonly straysAt?: number;
}

/** Records a simulated call. */
export function recordCall(change: Partial<Scenario> = {}, options: RecordingOptions = {}): Recording {
  const { boot, inputs } = callOf(change);
  return recordInputs(boot, inputs, options);
}

/** Records these inputs. */
export function recordInputs(
  boot: BootRecord,
  inputs: readonly ShardInput[],
  options: RecordingOptions = {},
): Recording {
  const { pageBytes = 1e9, endsAfter = inputs.length, program = PROGRAM, straysAt = -1 } = options;
  const sink = createMemorySink();
  const sent: { flow: number; bytes: Uint8Array }[] = [];
  const secrets: Uint8Array[] = [];
  const recorder = createRecorder(boot, createNodeCrypto(), { sink, pageBytes, program });
  const ports = { crypto: recorder.crypto, outbox: createSilentOutbox(sent), scheduler: FIRST_COME_FIRST_SERVED };
  for (const [index, input] of inputs.slice(0, endsAfter).entries()) {
    if (index === straysAt) recorder.shard.randomSeed += 1;
    recordHandle(recorder, ports, copyOf(input));
    noteSecrets(secrets, recorder, input);
    if (index === Math.floor(endsAfter / 2)) noteMedia(secrets, recorder);
  }
  if (endsAfter === inputs.length) recordEnd(recorder);
  else killWithin(recorder, sink, inputs[endsAfter]!);
  return { recorder, sink, inputs, sent, secrets };
}

/** Leaves in the journal what is there when the shard never comes back from an input. */
function killWithin(recorder: Recorder, sink: MemorySink, input: ShardInput): void {
  const outbox = createSilentOutbox();
  const written = () => sink.written[0]!;
  sink.drain();
  const ports = { crypto: recorder.crypto, outbox, scheduler: FIRST_COME_FIRST_SERVED };
  recordHandle(recorder, ports, copyOf(input));
  // DONE, the number of effects and the fingerprint.
  sink.written[0] = written() - 6;
  sink.drain();
}

/** A few bytes out of the middle of pictures that may be sent again. */
function noteMedia(secrets: Uint8Array[], { shard }: Recorder): void {
  for (const { cache } of shard.streams.values()) {
    const slot = cache?.lengths.findIndex((length) => length > 300) ?? -1;
    const at = slot * LIMITS.datagramBytesMax + 100;
    if (slot >= 0) secrets.push(cache!.bytes.slice(at, at + 32));
  }
}

/** What a participant has that nobody else may know. */
function noteSecrets(secrets: Uint8Array[], { shard }: Recorder, input: ShardInput): void {
  if (input.kind !== "datagram") return;
  const participant = shard.flows.get(input.flow);
  const srtp = participant?.peer.srtp;
  if (participant === undefined || srtp === undefined || srtp === null || secrets.includes(srtp.readKey)) return;
  const { peer, resource, session } = participant;
  secrets.push(Buffer.from(session.remotePassword));
  secrets.push(srtp.readKey, srtp.readSalt, srtp.writeKey, srtp.writeSalt, peer.ice.localKey, Buffer.from(resource));
}

/** The shard decrypts in place. */
function copyOf(input: ShardInput): ShardInput {
  return "bytes" in input ? { ...input, bytes: input.bytes.slice() } : input;
}

function inputOf({ type, now, flow, address, bytes, commandId, command }: JournalLine): ShardInput | undefined {
  if (type === "timer") return { kind: type, now };
  if (type === "command") return { kind: type, now, commandId, command };
  if (type !== "datagram") return undefined;
  const datagram = bytesOf(bytes);
  return { kind: type, now, flow, address: bytesOf(address), bytes: datagram, offset: 0, length: datagram.length };
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}
