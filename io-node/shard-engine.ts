/**
 * A real shard for a host: born from fresh secrets and the clocks of this machine.
 */
import { randomBytes } from "node:crypto";
import {
  type BootRecord,
  type CandidateAddress,
  type CryptoProvider,
  createRecorder,
  createShard,
  createShardLooks,
  ENTROPY_SEED_BYTES,
  type Finding,
  lookAtShard,
  recordEnd,
  recordFailure,
  recordHandle,
  type Shard,
  shardHandle,
  shardNextTimeout,
} from "../core/index.ts";
import { type Clock, wallClock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { type JournalLife, pageBytesOf } from "./journal/life.ts";
import { openJournals } from "./journal/sink.ts";
import type { ShardLife } from "./relay/relay-mesh.ts";

/** Makes what a host drives: a shard, recorded if there are journals for it, or what a test puts in its place. */
export type CreateEngine = (
  boot: BootRecord,
  crypto: CryptoProvider,
  onLook: OnLook,
  journals: JournalLife | undefined,
) => Engine;

/** Hears what a look at the shard has found. */
export type OnLook = (findings: readonly Finding[]) => void;

/** Time between two looks, and how many participants each looks at: a few thousand comparisons a second. */
const LOOK_MICROS = 1_000_000;
const LOOKED_AT_MOST = 32;

/** The boot record of a shard's life, with secrets that nobody has seen. */
export function createBootRecord(
  clock: Clock,
  candidates: readonly CandidateAddress[],
  { number, wall }: ShardLife,
): BootRecord {
  return {
    entropySeed: Uint8Array.from(randomBytes(ENTROPY_SEED_BYTES)),
    randomSeed: randomBytes(4).readUInt32BE(0),
    now: clock(),
    wall: wallClock(wall),
    config: { candidates },
    shard: number,
  };
}

/** A shard of the core, as a host drives it. Now and then, after an input, it is looked at. */
export function createShardEngine(
  boot: BootRecord,
  crypto: CryptoProvider,
  onLook: OnLook,
  journals?: JournalLife,
): Engine {
  const { shard, handle, end } =
    journals === undefined ? plainShard(boot, crypto) : recordedShard(boot, crypto, journals);
  const looks = createShardLooks();
  let nextLookAt: number = boot.now;
  return {
    handle(ports, input) {
      handle(ports, input);
      if (input.now < nextLookAt) return;
      nextLookAt = input.now + LOOK_MICROS;
      onLook(lookAtShard(shard, looks, LOOKED_AT_MOST));
    },
    nextTimeout: () => shardNextTimeout(shard),
    end,
  };
}

/** A shard, how it gets its inputs, and what is to be done when there are no more. */
interface DrivenShard {
  readonly shard: Shard;
  readonly handle: Engine["handle"];
  readonly end: () => void;
}

function plainShard(boot: BootRecord, crypto: CryptoProvider): DrivenShard {
  const shard = createShard(boot, crypto);
  return { shard, handle: (ports, input) => shardHandle(shard, ports, input), end() {} };
}

function recordedShard(boot: BootRecord, crypto: CryptoProvider, journals: JournalLife): DrivenShard {
  const sink = openJournals(journals);
  const pageBytes = pageBytesOf(journals);
  const recorder = createRecorder(boot, crypto, { sink, pageBytes, program: journals.program });
  return {
    shard: recorder.shard,
    handle(ports, input) {
      try {
        recordHandle(recorder, ports, input);
      } catch (error) {
        recordFailure(recorder, String(error));
        throw error;
      }
    },
    end: () => recordEnd(recorder),
  };
}
