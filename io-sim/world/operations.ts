/**
 * What the steps of a story do.
 *
 * One branch for each kind of operation that a plan can hold; each does its thing now, and what follows from it happens by
 * events of the loop.
 */
import { micros } from "../../core/index.ts";
import { EVENT_CLASS, schedule } from "../base/event-loop.ts";
import { below, createStream } from "../base/random.ts";
import { type Client, clientKill, clientLeave } from "../client/client.ts";
import { setHabit } from "../client/client-media.ts";
import type { Habit } from "../client/misbehaviour.ts";
import { changeLink } from "../link/index.ts";
import type { Operation } from "../story/plan.ts";
import { throwGarbage } from "./garbage.ts";
import { nodeCommand, nodeCrash, nodeIsDown, nodePause, nodeRestart } from "./node.ts";
import { crashShard } from "./shards.ts";
import { setSites } from "./sites.ts";
import { joinPeer, reconnectPeer, rejoinPeer } from "./tabs.ts";
import { inheritAddress, movePeer, type Peer, stallPeer } from "./topology.ts";
import { setPeerClock } from "./wall-clock.ts";
import { bootRecord, type World } from "./world.ts";

/** Does one operation now. */
export function perform(world: World, operation: Operation): void {
  switch (operation.type) {
    case "garbage":
      throwGarbage(world, operation.kind, operation.perSecond, operation.forMicros);
      return;
    case "restart":
      for (const node of world.nodes) nodeRestart(node);
      return;
    case "crash":
      crash(world, operation.forMicros);
      return;
    case "crash-shard":
      crashShard(world, operation.place);
      return;
    case "pause":
      for (const node of world.nodes) nodePause(node, operation.forMicros);
      return;
    case "overload":
      for (const node of world.nodes) {
        if (!nodeIsDown(node)) nodeCommand(node, { type: "leave-out-video", parts: operation.parts }, () => {});
      }
      return;
    case "buggify":
      setSites(world.sites, operation.sites, operation.sharePpm);
      return;
    case "swizzle":
      swizzle(world, operation.peers, operation.overMicros);
      return;
    default:
      performOnPeer(world, operation, world.peers.get(operation.peer)!);
  }
}

function performOnPeer(world: World, operation: Extract<Operation, { peer: string }>, peer: Peer): void {
  const { client } = peer;
  switch (operation.type) {
    case "join":
      joinPeer(world, peer);
      return;
    case "reconnect":
      reconnectPeer(world, peer);
      return;
    case "rejoin":
      rejoinPeer(world, peer, operation.times, operation.everyMicros);
      return;
    case "leave":
      if (client !== undefined) clientLeave(client);
      return;
    case "kill":
      if (client !== undefined) clientKill(client);
      return;
    case "move":
      movePeer(world, peer, operation.to, operation.noticed);
      return;
    case "inherit":
      inheritAddress(world, peer, world.peers.get(operation.from)!);
      return;
    case "stall":
      stallPeer(peer, operation.forMicros);
      return;
    case "clock":
      setPeerClock(peer.clock, world.loop.now, operation.stepMicros, operation.driftPpm);
      return;
    case "misbehave":
      if (client !== undefined) takeUpHabit(world, client, operation.habit, operation.forMicros);
      return;
    case "signalling": {
      const { lostPpm, unheardPpm, repeatedPpm, delayMicros } = operation;
      peer.signalling.plan = { lostPpm, unheardPpm, repeatedPpm, delayMicros };
      return;
    }
    case "link":
      changeLink(peer.up, operation.up);
      changeLink(peer.down, operation.down);
      return;
    default:
      if (client === undefined) return;
      if (operation.source === "camera") client.media.cameraMuted = operation.type === "mute";
      else client.media.microphoneMuted = operation.type === "mute";
  }
}

function takeUpHabit(world: World, client: Client, habit: Habit, forMicros: number): void {
  setHabit(client, habit, true);
  const until = micros(world.loop.now + forMicros);
  schedule(world.loop, until, EVENT_CLASS.STEP, () => setHabit(client, habit, false));
}

/** The process dies with all that it knew; another one begins with nothing after a while. */
function crash(world: World, forMicros: number): void {
  nodeCrash(world.node, bootRecord(world, world.node.crashes + 1, 0), forMicros);
  // The next process gives out the same numbers again, to others.
  for (const peer of world.peers.values()) for (const client of peer.clients) client.participant = 0;
  for (const watcher of world.watchers) watcher.crashed?.();
}

/** Clogs the links of half of these peers one by one, and unclogs them in another order. */
function swizzle(world: World, names: readonly string[], overMicros: number): void {
  const { loop } = world;
  const stream = createStream(world.chance, "swizzle", names.join(","));
  const left = [...names];
  const half = Math.max(1, Math.floor(overMicros / 2));
  const clogAt = (time: number, peer: Peer, clogged: boolean) =>
    schedule(loop, micros(time), EVENT_CLASS.STEP, () => {
      changeLink(peer.up, { clogged });
      changeLink(peer.down, { clogged });
    });
  for (let count = Math.ceil(names.length / 2); count > 0; count--) {
    const [name] = left.splice(below(stream, left.length), 1);
    const peer = world.peers.get(name!)!;
    clogAt(loop.now + below(stream, half), peer, true);
    clogAt(loop.now + half + below(stream, half), peer, false);
  }
}
