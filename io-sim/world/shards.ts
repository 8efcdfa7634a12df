/**
 * The shards of the server and the ways between them.
 *
 * Each shard is a node with an address of its own; a peer joins the one that its plan names, and a room lives on the shard
 * that its first guest came to. Between each two shards leads a way in each direction. What is said on it stays in order and
 * mail always arrives; packets may be lost by chance, or because the way is full, and are counted then. Ways of different
 * pairs know nothing of each other, so what two shards tell a third may arrive in any order. Records of the same moment
 * travel as one batch.
 *
 * A shard may die. The one that takes its place has a number of its own, and the others are told that the dead one is gone.
 */
import { micros, NEVER, shardOf } from "../../core/index.ts";
import { type Family, shardAddresses } from "../base/addresses.ts";
import { createLane, EVENT_CLASS, scheduleArrival } from "../base/event-loop.ts";
import { below, chance, createStream, type Ppm, type Stream } from "../base/random.ts";
import { audienceOf } from "./audience.ts";
import { nodeRelay, nodeShardLost, type SfuNode } from "./node.ts";
import { note } from "./rows.ts";
import { forgetWaiting } from "./sleep.ts";
import type { Peer } from "./topology.ts";
import type { World } from "./world.ts";

/** How many shards there are, and what the ways between them are like. */
export interface ShardsPlan {
  readonly count: number;
  /** How long a batch takes, and how much longer at most. */
  readonly delayMicros: number;
  readonly jitterMicros: number;
  /** How long a batch waits for more records before it leaves. */
  readonly batchMicros: number;
  /** Packets lost by chance; mail never is. */
  readonly lossPpm: Ppm;
  /** Bytes on one way at a time; packets beyond are dropped. */
  readonly ringBytes: number;
}

/** What a plan without shards means. */
export const ONE_SHARD: ShardsPlan = {
  count: 1,
  delayMicros: 0,
  jitterMicros: 0,
  batchMicros: 0,
  lossPpm: 0 as Ppm,
  ringBytes: 4_194_304,
};

/** The shards of a world. */
export interface Shards {
  readonly plan: ShardsPlan;
  /** Where those in each place listen. */
  readonly addresses: readonly Readonly<Record<Family, string>>[];
  /** Every shard that there has been, in the order of their numbers. */
  readonly all: SfuNode[];
  /** The number of the shard on which a room lives. */
  readonly homes: Map<string, number>;
  /** The numbers of those that have died. */
  readonly dead: Set<number>;
  readonly ways: Map<string, Way>;
  /** Boots a shard for this place with the next number. */
  readonly boot: (place: number, number: number) => SfuNode;
}

/** From one shard to another. */
interface Way {
  readonly lane: number;
  readonly stream: Stream;
  open: Batch | undefined;
  bytes: number;
  lastAt: number;
  lost: number;
}

interface Batch {
  readonly records: Uint8Array[];
  readonly until: number;
}

/** So many shards as the plan says, all of them booted, that listen from a first port on. */
export function createShards(plan: ShardsPlan, firstPort: number, boot: Shards["boot"]): Shards {
  const all = Array.from({ length: plan.count }, (_, place) => boot(place, place));
  const addresses = shardAddresses(plan.count, firstPort);
  return { plan, addresses, all, homes: new Map(), dead: new Set(), ways: new Map(), boot };
}

/** Where a peer of this index is let in, if its plan does not say: each in turn. */
export function placeOf(world: World, peer: Peer): number {
  return peer.plan.shard ?? peer.index % world.nodes.length;
}

/** The living shard that a participant is on. */
export function nodeOf(world: World, participant: number): SfuNode | undefined {
  if (world.nodes.length === 1) return world.node;
  return world.nodes.find(({ shard }) => shard.number === shardOf(participant));
}

/** The number of the shard on which a room lives: that of whoever comes first, and as long as that one lives. */
export function homeOf(world: World, room: string, comesTo: SfuNode): number {
  const { homes, dead } = world.shards;
  const home = homes.get(room);
  if (home !== undefined && !dead.has(home)) return home;
  homes.set(room, comesTo.shard.number);
  return comesTo.shard.number;
}

/** Takes a record on its way to another shard. */
export function sendRecord(world: World, from: number, to: number, lane: "packets" | "mail", record: Uint8Array): void {
  const { plan } = world.shards;
  const { loop } = world;
  const way = wayBetween(world, from, to);
  const isLost = lane === "packets" && (chance(way.stream, plan.lossPpm) || way.bytes + record.length > plan.ringBytes);
  for (const hear of audienceOf(world).relayed) hear(from, to, lane, record, isLost);
  if (isLost) {
    way.lost++;
    return;
  }
  way.bytes += record.length;
  if (way.open !== undefined && loop.now <= way.open.until) {
    way.open.records.push(record);
    return;
  }
  const batch: Batch = { records: [record], until: loop.now + plan.batchMicros };
  way.open = batch;
  const jitter = plan.jitterMicros === 0 ? 0 : below(way.stream, plan.jitterMicros + 1);
  way.lastAt = Math.max(way.lastAt, batch.until + plan.delayMicros + jitter);
  const arrive = () => {
    if (way.open === batch) way.open = undefined;
    deliver(world, way, from, to, batch);
  };
  scheduleArrival(loop, micros(way.lastAt), arrive, undefined, way.lane, EVENT_CLASS.RELAY);
}

/** The longest that anything takes from one shard to another while nobody stands still; 0 in a world of one. */
export function longestWayMicros({ shards }: World): number {
  const { count, delayMicros, jitterMicros, batchMicros } = shards.plan;
  return count === 1 ? 0 : delayMicros + jitterMicros + batchMicros;
}

/** The longest that any shard has stood still at a time. */
export function longestStandstillMicros({ nodes }: World): number {
  return nodes.reduce((most, { sleep }) => Math.max(most, sleep.longestMicros), 0);
}

/** Packets that the way from one shard to another has lost, by their numbers. */
export function lostBetweenShards({ shards }: World, from: number, to: number): number {
  return shards.ways.get(`${from}>${to}`)?.lost ?? 0;
}

/** The shard in this place dies without a word, with everything in it; a fresh one begins. */
export function crashShard(world: World, place: number): void {
  const { all, dead, boot } = world.shards;
  const former = world.nodes[place]!;
  const { number } = former.shard;
  dead.add(number);
  former.downUntil = NEVER;
  forgetWaiting(former.sleep);
  if (former.timer !== undefined) former.timer.run = undefined;
  const next = boot(place, all.length);
  all.push(next);
  world.nodes[place] = next;
  world.node = world.nodes[0]!;
  note(world, "server", "", `shard ${number} is dead; shard ${next.shard.number} takes its place`);
  for (const watcher of world.watchers) watcher.lost?.(former);
  for (const node of world.nodes) if (node !== next) nodeShardLost(node, number);
}

function wayBetween(world: World, from: number, to: number): Way {
  const key = `${from}>${to}`;
  const known = world.shards.ways.get(key);
  if (known !== undefined) return known;
  const way: Way = {
    lane: createLane(world.loop),
    stream: createStream(world.chance, "shards/way", key),
    open: undefined,
    bytes: 0,
    lastAt: 0,
    lost: 0,
  };
  world.shards.ways.set(key, way);
  return way;
}

function deliver(world: World, way: Way, from: number, to: number, { records }: Batch): void {
  const node = world.nodes.find(({ shard }) => shard.number === to);
  for (const record of records) way.bytes -= record.length;
  if (node === undefined || world.shards.dead.has(from)) return;
  if (world.guise.relaysSingly) for (const record of records) nodeRelay(node, from, record);
  else nodeRelay(node, from, joined(records));
}

function joined(records: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0));
  let at = 0;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
  }
  return bytes;
}
