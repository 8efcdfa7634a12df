/**
 * Who lives where, and how datagrams travel between there.
 *
 * Every peer has an address of its own at the end of a link with two directions; the server has an address of each family
 * that all know. What arrives at the server goes to its node, what arrives at a peer goes to its present client, and what is
 * sent to an address that nobody has (any more) is gone. A device that has two networks sends now from one, now from the
 * other.
 */
import { type Family, familyOf, HEADER_BYTES, peerAddress, withPort } from "../base/addresses.ts";
import { below, createStream, type Stream } from "../base/random.ts";
import { type Client, clientIsActive, clientMoved, clientReceive } from "../client/client.ts";
import { createLink, type DropReason, type Link, linkSend, type Packet } from "../link/index.ts";
import type { MovePlan, PeerPlan } from "../story/plan.ts";
import { audienceOf } from "./audience.ts";
import { WEIGHT_BYTES } from "./guise.ts";
import { nodeReceive, type SfuNode } from "./node.ts";
import { createSignalling, type Signalling } from "./signalling.ts";
import { createSleep, isAsleep, type Sleep, sleepFor, waitUntilAwake } from "./sleep.ts";
import { createPeerClock, type PeerClock } from "./wall-clock.ts";
import type { World } from "./world.ts";

/** A peer of the plan with its place in the network and its present client. */
export interface Peer {
  readonly plan: PeerPlan;
  readonly index: number;
  address: string;
  /** Whether nobody has come to live there since. */
  isHome: boolean;
  /** A second address that the device uses as well, or "". */
  secondAddress: string;
  /** The address that it had before, or "". */
  formerAddress: string;
  moves: number;
  readonly paths: Stream;
  readonly up: Link;
  readonly down: Link;
  /** While the device stands still, what comes and what it sends waits. */
  readonly sleep: Sleep;
  readonly clock: PeerClock;
  readonly signalling: Signalling;
  /** The present client, and those it has been (a peer that rejoins is a new browser tab). */
  client: Client | undefined;
  readonly clients: Client[];
  /** When in the story a step first changes this peer's link, address or life; joining and muting do not count. */
  readonly disturbedFromMicros: number;
}

/** Steps that leave a peer's connection alone. */
const HARMLESS: readonly string[] = ["join", "mute", "unmute"];

/** Gives a peer of the plan its address and its link. */
export function addPeer(world: World, plan: PeerPlan, index: number): void {
  const { loop, chance, guise } = world;
  const disturbing = world.plan.steps.filter(({ operation }) => {
    if (operation.type === "crash" || operation.type === "swizzle") return true;
    return "peer" in operation && operation.peer === plan.name && !HARMLESS.includes(operation.type);
  });
  const way = (direction: "up" | "down", arrive: (packet: Packet) => void): Link => {
    const link = createLink(
      loop,
      chance,
      `${plan.name}/${direction}`,
      plan[direction],
      (packet) => {
        tellCarried(world, peer, direction, "delivered", packet);
        arrive(packet);
      },
      world.bottlenecks,
    );
    link.onDrop = (packet, reason) => tellCarried(world, peer, direction, "dropped", packet, reason);
    return link;
  };
  const peer: Peer = {
    plan,
    index,
    address: peerAddress(guise.firstAddress + index, 0, plan.up.overheadBytes === HEADER_BYTES[6] ? 6 : 4),
    isHome: true,
    secondAddress: "",
    formerAddress: "",
    moves: 0,
    paths: createStream(chance, "paths", plan.name),
    up: way("up", (packet) => arriveAtNode(world, packet)),
    down: way("down", (packet) => arriveAtPeer(world, peer, packet)),
    sleep: createSleep(loop),
    clock: createPeerClock(loop.origin),
    signalling: createSignalling(chance, plan.name),
    client: undefined,
    clients: [],
    disturbedFromMicros: Math.min(Number.POSITIVE_INFINITY, ...disturbing.map(({ atMicros }) => atMicros)),
  };
  world.peers.set(plan.name, peer);
  world.byAddress.set(peer.address, peer);
}

/** The client with this participant number. Nobody has 0: it stands for an empty slot, and for each client unknown there. */
export function clientOf(world: World, participant: number): Client | undefined {
  if (participant === 0) return undefined;
  const { byParticipant } = world;
  const known = byParticipant.get(participant);
  // He may have another client by now.
  if (known?.participant === participant) return known;
  for (const { clients } of world.peers.values()) {
    for (let i = 0; i < clients.length; i++) {
      const client = clients[i]!;
      if (client.participant !== participant) continue;
      byParticipant.set(participant, client);
      return client;
    }
  }
  return undefined;
}

/** A participant has a new connection at the server: from now on he is the client that has asked for it. */
export function handOver(world: World, participant: number): void {
  for (const { clients } of world.peers.values()) {
    const heir = clients.findLast(({ former }) => former?.participant === participant);
    if (heir?.former === undefined) continue;
    heir.participant = participant;
    heir.former.participant = 0;
  }
}

/** Whose client this is, now or before. */
export function peerOf(world: World, client: Client): Peer | undefined {
  return world.byClient.get(client);
}

function tellCarried(
  world: World,
  peer: Peer,
  direction: "up" | "down",
  fate: "offered" | "delivered" | "dropped",
  packet: Packet,
  reason: DropReason | "" = "",
): void {
  const { carried } = audienceOf(world);
  if (carried.length === 0) return;
  const what = { packet, reason };
  for (const hear of carried) hear(peer, direction, fate, what);
}

/** Gives a peer another address; `noticed` says whether its client knows. */
export function movePeer(world: World, peer: Peer, to: MovePlan, noticed: boolean): void {
  peer.moves++;
  const { moves, address } = peer;
  const index = world.guise.firstAddress + peer.index;
  if (to === "beside") {
    peer.secondAddress = peerAddress(index, moves, familyOf(address));
    world.byAddress.set(peer.secondAddress, peer);
  } else {
    const fresh = peerAddress(index, moves, familyFor(to, address));
    settle(world, peer, to === "port" ? withPort(address, 20_000 + index + 7 * moves) : fresh);
  }
  if (peer.client !== undefined) clientMoved(peer.client, noticed);
}

/**
 * Gives a peer the address that another one has given up, or that its dead client still seems to have. Nothing happens while
 * somebody still lives there, nor to a peer that has gone: it will have another address when it comes back.
 */
export function inheritAddress(world: World, peer: Peer, from: Peer): void {
  const address = from.formerAddress === "" ? from.address : from.formerAddress;
  const holder = world.byAddress.get(address)?.client;
  if (holder !== undefined && clientIsActive(holder)) return;
  if (peer.client !== undefined && !clientIsActive(peer.client)) return;
  settle(world, peer, address);
  if (peer.client !== undefined) clientMoved(peer.client, true);
}

function familyFor(to: MovePlan, address: string): Family {
  return to === "ipv6" ? 6 : to === "ipv4" ? 4 : familyOf(address);
}

function settle(world: World, peer: Peer, address: string): void {
  for (const old of [peer.address, peer.secondAddress]) {
    if (world.byAddress.get(old) === peer) world.byAddress.delete(old);
  }
  peer.formerAddress = peer.address;
  peer.secondAddress = "";
  peer.address = address;
  const before = world.byAddress.get(address);
  if (before !== undefined) before.isHome = false;
  peer.isHome = true;
  world.byAddress.set(address, peer);
}

/** The device does nothing for a while: what comes and what it would send waits. */
export function stallPeer(peer: Peer, forMicros: number): void {
  sleepFor(peer.sleep, forMicros);
}

/** Takes what a peer's client sends. */
export function sendFromPeer(world: World, peer: Peer, bytes: Uint8Array, target: string): void {
  if (isAsleep(peer.sleep)) {
    sendWhenAwake(world, peer, bytes, target);
    return;
  }
  const { address, secondAddress } = peer;
  // A way carries media only when it has been checked, so each has a check of its own (RFC 8445 §6.1.4, RFC 7675 §5.1).
  if (secondAddress !== "" && bytes[0]! < 4) {
    for (const each of [address, secondAddress]) sendOn(world, peer, "up", each, target, bytes);
    return;
  }
  const source = secondAddress !== "" && below(peer.paths, 2) === 1 ? secondAddress : address;
  sendOn(world, peer, "up", source, target, bytes);
}

function sendWhenAwake(world: World, peer: Peer, bytes: Uint8Array, target: string): void {
  waitUntilAwake(peer.sleep, () => sendFromPeer(world, peer, bytes, target));
}

/** Takes a datagram that leaves a node for `target`. */
export function transmitted(world: World, node: SfuNode, target: string, bytes: Uint8Array): void {
  const peer = world.byAddress.get(target);
  for (const hear of audienceOf(world).transmitted) hear(target, bytes, peer, node);
  if (peer !== undefined) sendOn(world, peer, "down", addressOf(world, node, target), target, bytes);
}

function sendOn(
  world: World,
  peer: Peer,
  direction: "up" | "down",
  source: string,
  target: string,
  bytes: Uint8Array,
): void {
  const link = direction === "up" ? peer.up : peer.down;
  const overheadBytes = world.guise.weighsAlike
    ? weightAlike(bytes) - bytes.length
    : Math.max(link.plan.overheadBytes, headerBytes(source));
  const packet = { bytes, source, target, overheadBytes, sentAt: world.loop.now };
  tellCarried(world, peer, direction, "offered", packet);
  linkSend(link, packet);
}

/** The bytes that a link counts of a datagram where handshakes and families make no difference (RFC 7983 §7). */
function weightAlike(bytes: Uint8Array): number {
  const isMedia = bytes[0]! >= 128 && bytes[0]! <= 191;
  return isMedia ? bytes.length + HEADER_BYTES[6] : WEIGHT_BYTES;
}

function arriveAtNode(world: World, packet: Packet): void {
  const node = nodeAt(world, packet.target);
  if (node === undefined) return;
  world.attacker.remember(packet);
  nodeReceive(node, packet.source, packet.bytes);
}

/** The shard that listens there. */
function nodeAt(world: World, address: string): SfuNode | undefined {
  const { addresses } = world.shards;
  for (let place = 0; place < addresses.length; place++) {
    if (ofFamily(addresses[place]!, address) === address) return world.nodes[place];
  }
  return undefined;
}

/** Of two addresses that of the family of a third. A constant key is found at once, one that is computed is looked for. */
function ofFamily(addresses: Readonly<Record<Family, string>>, like: string): string {
  return familyOf(like) === 6 ? addresses[6] : addresses[4];
}

function headerBytes(address: string): number {
  return familyOf(address) === 6 ? HEADER_BYTES[6] : HEADER_BYTES[4];
}

/** The address of a shard that answers somebody at `target`. */
function addressOf(world: World, node: SfuNode, target: string): string {
  return ofFamily(world.shards.addresses[world.nodes.indexOf(node)]!, target);
}

function arriveAtPeer(world: World, peer: Peer, packet: Packet): void {
  const { target } = packet;
  // What is still under way to an address that was given up never arrives.
  const receiver = peer.isHome && peer.address === target ? peer : world.byAddress.get(target);
  if (receiver !== undefined) receiveAtPeer(world, receiver, packet);
}

function receiveAtPeer(world: World, peer: Peer, packet: Packet): void {
  if (isAsleep(peer.sleep)) receiveWhenAwake(world, peer, packet);
  else if (peer.client !== undefined) clientReceive(peer.client, packet.bytes, packet.sentAt);
}

function receiveWhenAwake(world: World, peer: Peer, packet: Packet): void {
  waitUntilAwake(peer.sleep, () => receiveAtPeer(world, peer, packet));
}
