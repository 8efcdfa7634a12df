/**
 * What a recorder knows while its run goes on.
 */
import type { Peer } from "../world/topology.ts";
import type { World } from "../world/world.ts";
import type { Kept } from "./kept.ts";
import type { MessageBook } from "./messages.ts";
import type { TracedPacket } from "./packets.ts";
import type { FactBook } from "./strips.ts";
import type { TraceTicks } from "./ticks.ts";
import type { TracedDrops } from "./trace.ts";

/** The records of a run that is still going on. */
export interface Recording {
  readonly world: World;
  readonly packets: Kept<TracedPacket>;
  readonly messages: MessageBook;
  readonly facts: FactBook;
  readonly ticks: TraceTicks;
  readonly drops: Map<string, TracedDrops>;
  /** All addresses that a peer has had. */
  readonly addresses: Map<string, Set<string>>;
  /** The server's number for a peer's latest tab. */
  readonly participants: Map<string, number>;
  sampledTick: number;
}

/** What the shard in this place is called: the server, where it is the only one. */
export function shardName(world: World, place: number): string {
  return world.shards.plan.count === 1 ? "server" : `shard ${place}`;
}

/** A peer that rejoins is "ana#2"; all its tabs are one viewer. */
export function nameOfTab(name: string): string {
  return name.replace(/#\d+$/, "");
}

/** `peer/camera` or `peer/microphone`. */
export function sourceName(source: { readonly peer: Peer; readonly kind: string }): string {
  return `${source.peer.plan.name}/${source.kind}`;
}
