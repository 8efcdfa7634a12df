/**
 * Looks at how busy the shards are, and sees to it that each does what its overload asks for (overload.ts): the placement
 * hears who refuses joins, the shard how much video it leaves out, the log what has changed.
 */
import { type Control, controlLeaveOutVideo } from "./control.ts";
import type { Log } from "./log.ts";
import { createOverload, lookAtLoad, type Overload } from "./overload.ts";
import type { ShardHost } from "./shard-host.ts";

/** What a look needs of a host. */
export type WatchedHost = Pick<ShardHost, "cpuMicros" | "droppedUnread" | "sent">;

/** What is watched; make it with {@link createLoadWatch}. */
export interface LoadWatch {
  readonly control: Control;
  readonly hosts: readonly WatchedHost[];
  readonly log: Log;
  readonly shards: WatchedShard[];
}

interface WatchedShard {
  overload: Overload;
  /** When it was looked at last, and what was read then. */
  atMillis: number;
  cpuMicros: number;
  dropped: number;
  droppedUnread: number;
  /** What the system dropped unread between the two looks before. */
  unreadBefore: number;
}

/** A watch over shards that have nothing to do so far. */
export function createLoadWatch(
  control: Control,
  hosts: readonly WatchedHost[],
  log: Log,
  nowMillis: number,
): LoadWatch {
  return { control, hosts, log, shards: hosts.map((host) => beginWatch(host, nowMillis)) };
}

/** Looks at each shard; to be called every `LOOK_MILLIS`. */
export function lookAtShards(watch: LoadWatch, nowMillis: number): void {
  for (const [shard, host] of watch.hosts.entries()) {
    if (!watch.control.placement.places[shard]!.serves) watch.shards[shard] = beginWatch(host, nowMillis);
    else lookAtShard(watch, shard, host, nowMillis);
  }
}

function lookAtShard({ control, log, shards }: LoadWatch, shard: number, host: WatchedHost, nowMillis: number): void {
  const watched = shards[shard]!;
  const { overload } = watched;
  const { refusesJoins, videoPartsLeftOut } = overload;
  const { cpuMicros, droppedUnread, sent } = host;
  const unread = droppedUnread - watched.droppedUnread;
  const busy = (cpuMicros - watched.cpuMicros) / Math.max((nowMillis - watched.atMillis) * 1_000, 1);
  // One pause of the machine fills a socket once, and means nothing; what is dropped look after look does.
  lookAtLoad(overload, busy, sent.dropped - watched.dropped + Math.min(unread, watched.unreadBefore));
  const read = { atMillis: nowMillis, cpuMicros, dropped: sent.dropped, droppedUnread, unreadBefore: unread };
  Object.assign(watched, read);
  control.placement.places[shard]!.overloaded = overload.refusesJoins;
  const fields = { shard, busy: Math.round(overload.busy * 100) / 100 };
  if (overload.refusesJoins && !refusesJoins) log.warn(fields, "too busy: joins are refused");
  if (!overload.refusesJoins && refusesJoins) log.info(fields, "joins are taken again");
  if (overload.videoPartsLeftOut === videoPartsLeftOut) return;
  log.warn({ ...fields, parts: overload.videoPartsLeftOut }, "parts of the video are left out");
  controlLeaveOutVideo(control, shard, overload.videoPartsLeftOut);
}

function beginWatch({ cpuMicros, droppedUnread, sent }: WatchedHost, atMillis: number): WatchedShard {
  const read = { atMillis, cpuMicros, dropped: sent.dropped, droppedUnread, unreadBefore: 0 };
  return { overload: createOverload(), ...read };
}
