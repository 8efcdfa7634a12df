/**
 * A real shard for a host: born from fresh secrets and the clocks of this machine.
 */
import { randomBytes } from "node:crypto";
import {
  type BootRecord,
  type CandidateAddress,
  type CryptoProvider,
  createShard,
  ENTROPY_SEED_BYTES,
  shardHandle,
  shardNextTimeout,
} from "../core/index.ts";
import { type Clock, wallClock } from "./clock.ts";
import type { ShardLife } from "./relay-mesh.ts";
import type { Engine } from "./udp-host.ts";

/** Makes what a host drives: a shard, or what a test puts in its place. */
export type CreateEngine = (boot: BootRecord, crypto: CryptoProvider) => Engine;

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

/** A shard of the core, as a host drives it. */
export function createShardEngine(boot: BootRecord, crypto: CryptoProvider): Engine {
  const shard = createShard(boot, crypto);
  return {
    handle: (ports, input) => shardHandle(shard, ports, input),
    nextTimeout: () => shardNextTimeout(shard),
  };
}
