/**
 * The oracle at the end: what must be true of the whole run once the story is over, and once everybody has gone.
 */
import {
  emptyShardResidue,
  NEVER,
  type ShardEvent,
  shardNextTimeout,
  shardOf,
  shardResidue,
} from "../../core/index.ts";
import { countWaiting } from "../base/event-loop.ts";
import type { Client } from "../client/client.ts";
import { linkConserves, linkCounters } from "../link/index.ts";
import { nodeUnanswered, type SfuNode } from "../world/node.ts";
import { longestStandstillMicros } from "../world/shards.ts";
import type { Peer } from "../world/topology.ts";
import type { World, WorldWatcher } from "../world/world.ts";
import { connectBound } from "./bounds.ts";
import { excused, wasDisturbed } from "./excuses.ts";
import { judge, type PromiseBook } from "./promises.ts";

/** The oracle: a watcher, and two last words. */
export interface EndOracle extends WorldWatcher {
  /** When the story is over and everyone is still there. */
  judgeStory(): void;
  /** When everyone has left. */
  judgeEmptiness(): void;
}

/** The oracle of this world. */
export function createEndOracle(world: World, book: PromiseBook): EndOracle {
  const joined = new Map<number, number>();
  const left = new Map<number, number>();
  const count = (counts: Map<number, number>, key: number) => counts.set(key, (counts.get(key) ?? 0) + 1);

  function judgeEntry(peer: Peer, client: Client): void {
    // Who pretends to be somebody else never is.
    if (client.status !== "connected") return;
    if (excused(book, "disturbed", wasDisturbed(world, peer, client.connectedAt))) return;
    const took = client.connectedAt - client.joinedAskedAt;
    const bound = connectBound(peer, world.tunables, longestStandstillMicros(world));
    const { name } = client.plan;
    judge(book, "L1", took <= bound, () => `${name} took ${took} µs to connect, its link explains ${bound} µs.`);
  }

  return {
    crashed() {
      joined.clear();
      left.clear();
    },
    event(event: ShardEvent) {
      if (event.type === "joined") count(joined, event.participant);
      if (event.type === "left") count(left, event.participant);
    },
    judgeStory() {
      for (const peer of world.peers.values()) for (const client of peer.clients) judgeEntry(peer, client);
    },
    judgeEmptiness() {
      for (const peer of world.peers.values()) {
        for (const link of [peer.up, peer.down]) {
          judge(book, "S18", linkConserves(linkCounters(link)), () => `A link of ${peer.plan.name} does not add up.`);
        }
      }
      for (const participant of joined.keys()) {
        const times = left.get(participant) ?? 0;
        const isDead = world.shards.dead.has(shardOf(participant));
        if (times === 0 && excused(book, "dead shard", isDead)) continue;
        judge(book, "S16", times === 1, () => `Participant ${participant} left ${times} times.`);
      }
      for (const node of world.nodes) judgeNode(book, node);
      const waiting = countWaiting(world.loop);
      judge(
        book,
        "L6",
        waiting === 0,
        () => `${waiting} ${waiting === 1 ? "event still waits" : "events still wait"} when the drain should be over.`,
      );
    },
  };
}

/** What must be true of each shard that lives. */
function judgeNode(book: PromiseBook, node: SfuNode): void {
  judge(book, "S16", node.strayReplies === 0, () => "A command was answered twice.");
  judge(book, "S16", nodeUnanswered(node) === 0, () => `${nodeUnanswered(node)} commands were never answered.`);
  judge(book, "L7", shardNextTimeout(node.shard) === NEVER, () => "The shard still waits for a timer.");
  const empty = Buffer.compare(shardResidue(node.shard), emptyShardResidue()) === 0;
  judge(book, "R1", empty, () => `Something remains: ${remains(node)}.`);
}

/** Which tables of the shard are not empty. */
function remains({ shard }: SfuNode): string {
  const tables = {
    rooms: shard.rooms.size,
    participants: shard.participants.size,
    publications: shard.publications.size,
    proxies: shard.proxies.size,
    streams: shard.streams.size,
    slots: shard.slots.size,
    ufrags: shard.ufrags.size,
    resources: shard.resources.size,
    flows: shard.flows.size,
    timers: shard.timers.keys.length,
  };
  const full = Object.entries(tables).filter(([, size]) => size > 0);
  return full.length === 0 ? "in the mail" : full.map(([name, size]) => `${size} ${name}`).join(", ");
}
