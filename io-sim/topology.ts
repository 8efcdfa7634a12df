/**
 * Who lives where, and how datagrams travel between there.
 *
 * Every peer has an address of its own at the end of a link with two directions; the server has one address that all know.
 * What arrives at the server goes to its node, what arrives at a peer goes to its present client, and what is sent to an
 * address that nobody has (any more) is gone.
 */
import { type Client, clientMoved, clientReceive } from "./client/client.ts";
import { createLink, type DropReason, type Link, linkSend, type Packet } from "./link.ts";
import { nodeReceive } from "./node.ts";
import type { PeerPlan } from "./plan.ts";
import type { World } from "./world.ts";

/** Where the SFU listens. */
export const SFU_IP = "203.0.113.1";
/** Its one port. */
export const SFU_PORT = 40_000;
/** The same as `ip:port`. */
export const SFU_ADDRESS = `${SFU_IP}:${SFU_PORT}`;

/** A peer of the plan with its place in the network and its present client. */
export interface Peer {
  readonly plan: PeerPlan;
  readonly index: number;
  address: string;
  moves: number;
  readonly up: Link;
  readonly down: Link;
  /** The present client, and those it has been (a peer that rejoins is a new browser tab). */
  client: Client | undefined;
  readonly clients: Client[];
  /** Whether any step ever changes this peer's link, address or life; joining and muting do not count. */
  readonly disturbed: boolean;
}

/** Gives a peer of the plan its address and its link. */
export function addPeer(world: World, plan: PeerPlan, index: number): void {
  const { loop, chance } = world;
  const disturbed = world.plan.steps.some(
    ({ operation }) =>
      "peer" in operation && operation.peer === plan.name && !["join", "mute", "unmute"].includes(operation.type),
  );
  const peer: Peer = {
    plan,
    index,
    address: peerAddress(index, 0),
    moves: 0,
    up: createLink(
      loop,
      chance,
      `${plan.name}/up`,
      plan.up,
      (packet) => {
        tellCarried(world, peer, "up", "delivered", packet);
        arriveAtNode(world, packet);
      },
      world.bottlenecks,
    ),
    down: createLink(
      loop,
      chance,
      `${plan.name}/down`,
      plan.down,
      (packet) => {
        tellCarried(world, peer, "down", "delivered", packet);
        arriveAtPeer(world, packet);
      },
      world.bottlenecks,
    ),
    client: undefined,
    clients: [],
    disturbed,
  };
  peer.up.onDrop = (packet, reason) => tellCarried(world, peer, "up", "dropped", packet, reason);
  peer.down.onDrop = (packet, reason) => tellCarried(world, peer, "down", "dropped", packet, reason);
  world.peers.set(plan.name, peer);
  world.byAddress.set(peer.address, peer);
}

function tellCarried(
  world: World,
  peer: Peer,
  direction: "up" | "down",
  fate: "offered" | "delivered" | "dropped",
  packet: Packet,
  reason: DropReason | "" = "",
): void {
  for (const watcher of world.watchers) watcher.carried?.(peer, direction, fate, { packet, reason });
}

/** Peers live in 10.0.0.0/8, each move gives another address and port. */
function peerAddress(index: number, moves: number): string {
  return `10.${moves & 255}.${index >> 8}.${(index & 255) + 1}:${20_000 + index + 7 * moves}`;
}

/** Gives a peer another address; `noticed` says whether its client knows. */
export function movePeer(world: World, peer: Peer, noticed: boolean): void {
  world.byAddress.delete(peer.address);
  peer.moves++;
  peer.address = peerAddress(peer.index, peer.moves);
  world.byAddress.set(peer.address, peer);
  if (peer.client !== undefined) clientMoved(peer.client, noticed);
}

function arriveAtNode(world: World, packet: Packet): void {
  if (packet.target !== SFU_ADDRESS) return;
  world.attacker.remember(packet);
  nodeReceive(world.node, packet.source, packet.bytes);
}

function arriveAtPeer(world: World, packet: Packet): void {
  // What is still under way to an address that was given up never arrives.
  const peer = world.byAddress.get(packet.target);
  if (peer?.client !== undefined) clientReceive(peer.client, packet.bytes);
}

/** Takes a datagram that leaves the node for `target`. */
export function transmitted(world: World, target: string, bytes: Uint8Array): void {
  const peer = world.byAddress.get(target);
  for (const watcher of world.watchers) watcher.transmitted?.(target, bytes, peer);
  if (peer === undefined) return;
  sendOn(world, peer, "down", { bytes, source: SFU_ADDRESS, target, overheadBytes: peer.down.plan.overheadBytes });
}

/** Puts a datagram on a direction of a peer's link. */
export function sendOn(world: World, peer: Peer, direction: "up" | "down", packet: Packet): void {
  tellCarried(world, peer, direction, "offered", packet);
  linkSend(peer[direction], packet);
}
