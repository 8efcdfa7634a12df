/**
 * A real shard for a host: born from fresh secrets and the clocks of this machine.
 */
import { randomBytes } from "node:crypto";
import {
  type BootRecord,
  type CandidateAddress,
  type CryptoProvider,
  createShard,
  createShardLooks,
  ENTROPY_SEED_BYTES,
  type Finding,
  lookAtShard,
  shardHandle,
  shardNextTimeout,
} from "../core/index.ts";
import { type Clock, wallClock } from "./clock.ts";
import type { ShardLife } from "./relay-mesh.ts";
import type { Engine } from "./udp-host.ts";

/** Makes what a host drives: a shard, or what a test puts in its place. */
export type CreateEngine = (boot: BootRecord, crypto: CryptoProvider, onLook: OnLook) => Engine;

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
export function createShardEngine(boot: BootRecord, crypto: CryptoProvider, onLook: OnLook): Engine {
  const shard = createShard(boot, crypto);
  const looks = createShardLooks();
  let nextLookAt: number = boot.now;
  return {
    handle(ports, input) {
      shardHandle(shard, ports, input);
      if (input.now < nextLookAt) return;
      nextLookAt = input.now + LOOK_MICROS;
      onLook(lookAtShard(shard, looks, LOOKED_AT_MOST));
    },
    nextTimeout: () => shardNextTimeout(shard),
  };
}
