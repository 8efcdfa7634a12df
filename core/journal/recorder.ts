/**
 * A shard that is recorded: it is driven like any other, and what it is told, what the crypto provider answers it, and a
 * fingerprint of what it does are written into a journal, input by input.
 *
 *     BOOT | answers …            or  BOOT | SNAPSHOT
 *     input | answers … | DONE
 *     input | answers … | DONE | … | END
 *
 * An input is written before the shard has it, so that one which the shard does not survive is there too. When a journal has
 * become long enough a new one begins, with a snapshot: each can be replayed by itself, and old ones can be thrown away. The
 * shard stands still for its snapshot, the longer the more people are there, so a moment with few of them is preferred.
 * A journal holds no media and no key (kept.ts, secrets.ts); who talked when, with whom and from where, it does tell.
 */

import type { Micros } from "../base/micros.ts";
import { encodePlain } from "../base/plain-encode.ts";
import { deriveEntropy } from "../crypto/entropy.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { LIMITS } from "../limits.ts";
import type { BootRecord, DatagramInput, Outbox, ShardInput, ShardPorts } from "../sfu/ports.ts";
import { createShard, shardHandle } from "../sfu/shard.ts";
import type { Shard } from "../sfu/state.ts";
import { DEMUX, demux } from "../wire/demux.ts";
import { blankSnapshot, putCachedPackets } from "./blank-snapshot.ts";
import {
  FRAME_HEADER_BYTES,
  ITEM,
  ITEM_BYTES_MAX,
  type JournalSink,
  makeRoom,
  type Program,
  putByte,
  putLong,
  putNumber,
  putRun,
  putSigned,
  putSparse,
  putWord,
} from "./format.ts";
import { putDatagram, withoutMedia } from "./kept.ts";
import { createLanes, lanesWord } from "./lanes.ts";
import { createRecordingCrypto, type RecordingContext } from "./recording-crypto.ts";
import { pseudonymOf, withoutSecrets } from "./secrets.ts";
import { createWitnessOutbox } from "./witness.ts";

/** How a shard is recorded. */
export interface RecordOptions {
  readonly sink: JournalSink;
  /** Which program records. */
  readonly program: Program;
  /** Bytes of inputs after which a journal ends and the next one begins; where few people are there, after half as many. */
  readonly pageBytes: number;
}

/** A recorded shard; drive it with {@link recordHandle}, and ask its `shard` for the next timeout. */
export interface Recorder {
  readonly shard: Shard;
  readonly options: RecordOptions;
  readonly boot: BootRecord;
  readonly crypto: CryptoProvider;
  /** The same, with its answers written down: the shard's. */
  readonly recording: CryptoProvider;
  readonly context: RecordingContext;
  /** The ports that the shard gets, made of those that it was last handed. */
  ports: ShardPorts | null;
  givenOutbox: Outbox | null;
  /** Inputs so far. */
  inputs: number;
  /** The time of the last one. */
  now: Micros;
  /** Where in the page the inputs begin. */
  inputsAt: number;
  drainAt: Micros;
}

/** The snapshot of so many people in meetings takes some twenty milliseconds (docs/benchmarks.md, "With a journal"). */
const FEW_PARTICIPANTS = 16;

/** How long an input may wait in memory. */
const DRAIN_MICROS = 1_000_000;

/** Boots a shard as `createShard` does, and begins its journal. */
export function createRecorder(boot: BootRecord, crypto: CryptoProvider, options: RecordOptions): Recorder {
  const { sink } = options;
  const context: RecordingContext = {
    sink,
    witness: { lanes: createLanes(), effects: 0 },
    pseudonymKey: deriveEntropy(crypto, boot.entropySeed, "journal-pseudonyms", 0, 0, 32),
    scratch: new Uint8Array(LIMITS.datagramBytesMax),
    shard: null,
    flow: 0,
    offset: 0,
  };
  sink.written[0] = FRAME_HEADER_BYTES;
  putBoot(sink, boot, options.program);
  const recording = createRecordingCrypto(crypto, context);
  const shard = createShard(boot, recording);
  context.shard = shard;
  return {
    shard,
    options,
    boot,
    crypto,
    recording,
    context,
    ports: null,
    givenOutbox: null,
    inputs: 0,
    now: boot.now,
    inputsAt: 0,
    drainAt: (boot.now + DRAIN_MICROS) as Micros,
  };
}

/** Hands the shard an input, as `shardHandle` does, and writes it down. When it throws, call {@link recordFailure}. */
export function recordHandle(recorder: Recorder, ports: ShardPorts, input: ShardInput): void {
  const { shard, context } = recorder;
  const { sink, witness } = context;
  if (recorder.givenOutbox !== ports.outbox) adoptPorts(recorder, ports);
  keepHouse(recorder, input.now);
  putInput(recorder, input);
  witness.effects = 0;
  shardHandle(shard, recorder.ports!, input);
  makeRoom(sink, ITEM_BYTES_MAX);
  putByte(sink, ITEM.DONE);
  putNumber(sink, witness.effects);
  putWord(sink, lanesWord(witness.lanes));
  recorder.inputs++;
  recorder.now = input.now;
}

/** Says what the shard has thrown in place of handling the last input; only the host can tell. */
export function recordFailure({ context: { sink } }: Recorder, error: string): void {
  makeRoom(sink, ITEM_BYTES_MAX);
  putByte(sink, ITEM.FAILED);
  putLong(sink, encodePlain(error));
}

/** Says that the shard gets no more inputs because its host ends. */
export function recordEnd({ context: { sink, witness } }: Recorder): void {
  makeRoom(sink, ITEM_BYTES_MAX);
  putByte(sink, ITEM.END);
  putWord(sink, witness.lanes[0]!);
  putWord(sink, witness.lanes[1]!);
  sink.drain();
}

function adoptPorts(recorder: Recorder, ports: ShardPorts): void {
  recorder.givenOutbox = ports.outbox;
  const outbox = createWitnessOutbox(ports.outbox, recorder.context.witness);
  recorder.ports = { ...ports, crypto: recorder.recording, outbox };
}

/** Between two inputs: what is old is written out, and a long journal ends. */
function keepHouse(recorder: Recorder, now: Micros): void {
  const { sink } = recorder.options;
  if (now >= recorder.drainAt) {
    recorder.drainAt = (now + DRAIN_MICROS) as Micros;
    sink.drain();
  }
  const bytes = sink.pageBytes - recorder.inputsAt;
  if (
    sink.wantsPage ||
    bytes >= recorder.options.pageBytes ||
    (2 * bytes >= recorder.options.pageBytes && isSmall(recorder))
  ) {
    turnPage(recorder);
  }
}

/** Whether a snapshot takes little time: half a page is waited for such a moment. */
function isSmall({ shard }: Recorder): boolean {
  return shard.participants.size <= FEW_PARTICIPANTS;
}

function turnPage(recorder: Recorder): void {
  const { context, options, boot, shard, inputs, now } = recorder;
  const { sink } = options;
  const { lanes } = context.witness;
  const state = blankSnapshot(shard, (resource) => pseudonymOf(recorder.crypto, context.pseudonymKey, resource));
  sink.turnPage();
  putBoot(sink, boot, options.program);
  makeRoom(sink, ITEM_BYTES_MAX);
  putByte(sink, ITEM.SNAPSHOT);
  putNumber(sink, now);
  putNumber(sink, inputs);
  putWord(sink, lanes[0]!);
  putWord(sink, lanes[1]!);
  putSparse(sink, state);
  putCachedPackets(sink, shard, context.scratch);
  sink.drain();
  recorder.inputsAt = sink.pageBytes;
}

/** The seed of the secrets stays where it is; the numbers that are not secret derive from the other one. */
function putBoot(sink: JournalSink, boot: BootRecord, program: Program): void {
  const entropySeed = new Uint8Array(boot.entropySeed.length);
  makeRoom(sink, ITEM_BYTES_MAX);
  putByte(sink, ITEM.BOOT);
  putLong(sink, encodePlain({ boot: { ...boot, entropySeed }, program }));
}

function putInput(recorder: Recorder, input: ShardInput): void {
  const { context, shard } = recorder;
  const { sink } = context;
  makeRoom(sink, ITEM_BYTES_MAX);
  const wait = input.now - recorder.now;
  switch (input.kind) {
    case "datagram":
      putByte(sink, ITEM.DATAGRAM);
      putSigned(sink, wait);
      putDatagramInput(recorder, input);
      return;
    case "command": {
      const pseudonym = (resource: string) => pseudonymOf(recorder.crypto, context.pseudonymKey, resource);
      putByte(sink, ITEM.COMMAND);
      putSigned(sink, wait);
      putNumber(sink, input.commandId);
      putLong(sink, encodePlain(withoutSecrets(input.command, pseudonym)));
      return;
    }
    case "relay":
      putByte(sink, ITEM.RELAY);
      putSigned(sink, wait);
      putNumber(sink, input.shard);
      putSparse(sink, withoutMedia(shard, input.bytes, input.offset, input.length));
      return;
    case "shard-lost":
      putByte(sink, ITEM.SHARD_LOST);
      putSigned(sink, wait);
      putNumber(sink, input.shard);
      return;
    case "timer":
      putByte(sink, ITEM.TIMER);
      putSigned(sink, wait);
  }
}

/** The core looks at a sender's address in STUN alone, so it is written down there alone. */
function putDatagramInput({ context }: Recorder, { flow, address, bytes, offset, length }: DatagramInput): void {
  const { sink } = context;
  context.flow = flow;
  context.offset = offset;
  putNumber(sink, flow);
  const isStun = demux(bytes, offset, length) === DEMUX.STUN;
  putRun(sink, address, 0, isStun ? address.length : 0);
  putDatagram(sink, bytes, offset, length);
}
