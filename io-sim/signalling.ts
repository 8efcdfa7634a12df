/**
 * The signalling: the requests by which clients join and leave, and the server's replies.
 *
 * A request travels over TCP, so it comes late but it comes: a round trip of the link goes by before it is sent.
 */
import { type CommandReply, micros } from "../core/index.ts";
import { type Client, clientAnswered, clientRefused } from "./client/client.ts";
import { EVENT_CLASS, schedule } from "./event-loop.ts";
import { nodeCommand } from "./node.ts";
import { note } from "./rows.ts";
import type { Peer } from "./topology.ts";
import type { World } from "./world.ts";

/** Carries an offer to the server and the reply back. */
export function signalJoin(world: World, peer: Peer, client: Client, offer: string): void {
  const { loop, node } = world;
  const up = 2 * peer.up.plan.delayMicros + peer.down.plan.delayMicros;
  tellSignalled(world, peer, "up", "join");
  schedule(loop, micros(loop.now + up), EVENT_CLASS.STEP, () => {
    world.commands++;
    nodeCommand(node, { type: "join", room: client.plan.room, name: client.plan.name, offer }, (reply) => {
      tellSignalled(world, peer, "down", reply.type);
      const at = micros(loop.now + peer.down.plan.delayMicros);
      schedule(loop, at, EVENT_CLASS.STEP, () => hearReply(world, client, reply));
    });
  });
}

function hearReply(world: World, client: Client, reply: CommandReply): void {
  if (reply.type === "joined") clientAnswered(client, reply.participant, reply.resource, reply.answer);
  else if (reply.type === "refused") {
    note(world, "client", client.plan.name, `was refused: ${reply.detail}`);
    clientRefused(client, reply.detail);
  }
}

/** Carries a goodbye to the server; nobody waits for the reply. */
export function signalLeave(world: World, peer: Peer, client: Client, resource: string): void {
  const { loop, node } = world;
  tellSignalled(world, peer, "up", "leave");
  schedule(loop, micros(loop.now + peer.up.plan.delayMicros), EVENT_CLASS.STEP, () => {
    world.commands++;
    nodeCommand(node, { type: "leave", room: client.plan.room, resource }, () => {});
  });
}

function tellSignalled(
  world: World,
  peer: Peer,
  direction: "up" | "down",
  what: "join" | "leave" | CommandReply["type"],
): void {
  for (const watcher of world.watchers) watcher.signalled?.(peer, direction, what);
}
