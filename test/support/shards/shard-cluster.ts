/**
 * Several shards of one server with clients around each, and the ways between them: what one relays the others get when a
 * test lets it through, in order and whole unless the test loses a packet.
 */
import {
  FIRST_COME_FIRST_SERVED,
  type Micros,
  type Scheduler,
  shardHandle,
  shardNextTimeout,
} from "../../../core/index.ts";
import { createShardWorld, deliver, type ShardWorld } from "./shard-world.ts";

/** The shards, with numbers from 0. */
export interface ShardCluster {
  readonly worlds: ShardWorld[];
  /** Loses packet records: called for each with its place among all of them, counted from 0. */
  loses: (packet: number) => boolean;
  packets: number;
}

/** Shards of one server without clients. */
export function createShardCluster(count: number, scheduler: Scheduler = FIRST_COME_FIRST_SERVED): ShardCluster {
  const worlds = Array.from({ length: count }, (_, number) => createShardWorld(scheduler, number));
  return { worlds, loses: () => false, packets: 0 };
}

/** Carries what is relayed, and what that leads to, until nothing is under way. All records of a moment are one batch. */
export function relay(cluster: ShardCluster): void {
  for (let moved = true; moved; ) {
    moved = false;
    for (const from of cluster.worlds) {
      const records = from.relayed.splice(0);
      const kept = records.filter(({ lane }) => lane === "mail" || !cluster.loses(cluster.packets++));
      for (const to of cluster.worlds) {
        const batch = kept.filter(({ shard }) => shard === to.shard.number).map(({ record }) => record);
        if (batch.length === 0) continue;
        moved = true;
        hand(to, from.shard.number, batch);
        deliver(to);
      }
    }
  }
}

/** Hands a shard a batch of records from another one. */
export function hand(to: ShardWorld, shard: number, records: readonly Uint8Array[]): void {
  const bytes = Uint8Array.from(records.flatMap((record) => [...record]));
  shardHandle(to.shard, to.ports, { kind: "relay", now: to.now, shard, bytes, offset: 0, length: bytes.length });
}

/** Moves the time of all shards on by whole milliseconds, with every timer and all that is relayed on the way. */
export function passTogether(cluster: ShardCluster, millis: number): void {
  const end = cluster.worlds[0]!.now + millis * 1_000;
  relay(cluster);
  for (;;) {
    const next = Math.min(...cluster.worlds.map(({ shard }) => shardNextTimeout(shard)));
    const now = Math.max(cluster.worlds[0]!.now, Math.min(next, end)) as Micros;
    for (const world of cluster.worlds) world.now = now;
    if (next > end) return;
    for (const world of cluster.worlds) {
      if (shardNextTimeout(world.shard) > now) continue;
      shardHandle(world.shard, world.ports, { kind: "timer", now });
      deliver(world);
    }
    relay(cluster);
  }
}

/** Takes a shard out of the cluster without a word to its clients; the others are told. */
export function lose(cluster: ShardCluster, number: number): void {
  const index = cluster.worlds.findIndex(({ shard }) => shard.number === number);
  cluster.worlds.splice(index, 1);
  for (const world of cluster.worlds) {
    shardHandle(world.shard, world.ports, { kind: "shard-lost", now: world.now, shard: number });
    deliver(world);
  }
  relay(cluster);
}
