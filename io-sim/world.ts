/**
 * A world: one loop, one SFU node, the clients of a plan with their links, and the steps of the story.
 *
 * The world moves datagrams between clients and node through the links, carries the signalling (reliable, one link delay
 * each way), gives every source of media a number that is never used again, and lets the steps happen. Whoever watches
 * (./oracles.ts) is told of everything that crosses the node's door and of everything that a client perceives.
 */
import {
  type CommandReply,
  type CryptoProvider,
  MICROS_ORIGIN,
  type Micros,
  micros,
  type ShardEvent,
  type ShardInput,
  type WallMicros,
} from "../core/index.ts";
import { createChecksumCrypto, createNodeCrypto } from "../io-crypto/index.ts";
import {
  type Client,
  type ClientWatcher,
  clientAnswered,
  clientIsActive,
  clientJoin,
  clientKill,
  clientLeave,
  clientMoved,
  clientReceive,
  clientRefused,
  createClient,
} from "./client/client.ts";
import type { FramePassport } from "./client/frame-body.ts";
import { createDecisionBook, type Decision, type DecisionPlan } from "./decisions.ts";
import { createEventLoop, EVENT_CLASS, type EventLoop, schedule } from "./event-loop.ts";
import { type Attacker, createAttacker, throwGarbage } from "./garbage.ts";
import { type GuardState, letProviderOut } from "./guards.ts";
import { createJournal, type JournalWriter } from "./journal.ts";
import { type Bottleneck, changeLink, createLink, type DropReason, type Link, linkSend, type Packet } from "./link.ts";
import { createNode, nodeCommand, nodeReceive, nodeRestart, type SfuNode } from "./node.ts";
import { CAMERAS, type Operation, type PeerPlan, type Plan, type StepPlan } from "./plan.ts";
import { createStream, randomBytes, type Seed } from "./random.ts";
import type { Effect } from "./recording-outbox.ts";

/** Where the SFU listens. */
const SFU_IP = "203.0.113.1";
const SFU_PORT = 40_000;
/** The same as `ip:port`. */
const SFU_ADDRESS = `${SFU_IP}:${SFU_PORT}`;

/** The wall clock at the origin of every world: 2026-01-01 UTC. */
const WALL_AT_ORIGIN = 1_767_225_600_000_000 as WallMicros;

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

/** A source of media: one camera or microphone of one client. */
export interface Source {
  readonly id: number;
  readonly peer: Peer;
  readonly kind: "camera" | "microphone";
  readonly client: Client;
}

/** Who is told what happens. Each may be missing. */
export interface WorldWatcher {
  beforeInput?(input: ShardInput): void;
  afterInput?(input: ShardInput, effects: readonly Effect[]): void;
  /** A datagram leaves the node for `target`; `peer` is whose address that is, if anybody's. */
  transmitted?(target: string, bytes: Uint8Array, peer: Peer | undefined): void;
  event?(event: ShardEvent): void;
  connected?(client: Client): void;
  perceived?(client: Client, mid: string, kind: "audio" | "video", passport: FramePassport): void;
  /** A datagram is put on a peer's link, comes out of it, or is dropped by it (for a reason that is "" otherwise). */
  carried?(peer: Peer, direction: "up" | "down", fate: "offered" | "delivered" | "dropped", what: Carried): void;
  /** A client has sealed what it sends, or opened what it got: RTP or RTCP in plain. */
  plain?(client: Client, direction: "up" | "down", bytes: Uint8Array): void;
  /** A step of the story happens. */
  step?(step: StepPlan): void;
  /** A request or a reply of the signalling is sent. */
  signalled?(peer: Peer, direction: "up" | "down", what: "join" | "leave" | CommandReply["type"]): void;
}

/** A datagram on a link, and why it was dropped. */
export interface Carried {
  readonly packet: Packet;
  readonly reason: DropReason | "";
}

/** A world; make it with {@link createWorld}. */
export interface World {
  readonly plan: Plan;
  readonly seed: number;
  /** The seed with the book of decisions, when there is one: what all streams are made from. */
  readonly chance: Seed;
  readonly loop: EventLoop;
  readonly guard: GuardState;
  readonly node: SfuNode;
  readonly journal: JournalWriter | undefined;
  readonly peers: Map<string, Peer>;
  /** Those that links share, by name. */
  readonly bottlenecks: Map<string, Bottleneck>;
  /** By the address that the peer has now. */
  readonly byAddress: Map<string, Peer>;
  readonly sources: Map<number, Source>;
  readonly watchers: WorldWatcher[];
  readonly attacker: Attacker;
  /** When everyone who joins at the start was connected; 0 before. */
  zeroAt: number;
  /** What happened, one row each, for traces. */
  readonly rows: TraceRow[];
  commands: number;
}

/** One row of the trace. */
export interface TraceRow {
  readonly time: Micros;
  readonly text: string;
}

/** How a run differs from the plain one, for tools and tests; none of it changes what the plan says. */
export interface WorldOptions {
  readonly journal?: boolean;
  /** Answers of chance that count instead of those drawn, besides the plan's own. */
  readonly decisions?: readonly DecisionPlan[];
  /** Gets each answer of chance that the run consumes, in order. */
  readonly decisionLog?: Decision[];
  /** Cuts the shard down before these inputs. */
  readonly restartBefore?: (input: number) => boolean;
  /** Stands between the core and cryptography. */
  readonly wrapCrypto?: (crypto: CryptoProvider) => CryptoProvider;
  /** Tampers with what leaves the node: answers what is sent instead. For tests of the oracles alone. */
  readonly sabotage?: (target: string, bytes: Uint8Array) => { target: string; bytes: Uint8Array }[];
}

/** A world in which nothing has happened yet. */
export function createWorld(plan: Plan, seed: number, options: WorldOptions = {}): World {
  const loop = createEventLoop();
  const chance = chanceOf(plan, seed, options);
  const guard: GuardState = { coreOnStack: false, providerOnStack: false };
  const createCrypto = () => {
    const crypto = createProvider(plan, guard);
    return options.wrapCrypto === undefined ? crypto : options.wrapCrypto(crypto);
  };
  const boot = {
    entropySeed: randomBytes(createStream(chance, "boot", "entropy"), 32),
    randomSeed: createStream(chance, "boot", "random").next(),
    now: MICROS_ORIGIN,
    wall: WALL_AT_ORIGIN,
    config: { candidates: [{ ip: SFU_IP, port: SFU_PORT }] },
  };
  const scheduler = plan.scheduler === "fifo" ? null : createStream(chance, "scheduler", "shard").next();
  const journal = options.journal === true ? createJournal(boot, { scheduler, cipher: plan.cipher }) : undefined;
  const watchers: WorldWatcher[] = [];
  const node = createNode(
    loop,
    {
      transmit: (target, bytes) => {
        for (const sent of options.sabotage?.(target, bytes) ?? [{ target, bytes }]) {
          transmitted(world, sent.target, sent.bytes);
        }
      },
      event: (event) => {
        note(world, `server: ${describeEvent(event)}`);
        for (const watcher of watchers) watcher.event?.(event);
      },
      beforeInput: (input) => {
        for (const watcher of watchers) watcher.beforeInput?.(input);
      },
      afterInput: (input, effects) => {
        for (const watcher of watchers) watcher.afterInput?.(input, effects);
      },
    },
    {
      boot,
      createCrypto,
      scheduler,
      timerLateMicros: plan.timerLateMicros,
      lateness: createStream(chance, "timer-lateness", "shard"),
      guard,
      journal,
      restartBefore: options.restartBefore ?? (() => false),
    },
  );
  const world: World = {
    plan,
    seed,
    chance,
    loop,
    guard,
    node,
    journal,
    peers: new Map(),
    bottlenecks: new Map(),
    byAddress: new Map(),
    sources: new Map(),
    watchers,
    attacker: createAttacker(chance),
    zeroAt: 0,
    rows: [],
    commands: 0,
  };
  plan.peers.forEach((peerPlan, index) => {
    addPeer(world, peerPlan, index);
  });
  return world;
}

function chanceOf(plan: Plan, seed: number, options: WorldOptions): Seed {
  const fixed = [...(plan.decisions ?? []), ...(options.decisions ?? [])];
  if (fixed.length === 0 && options.decisionLog === undefined) return seed;
  return { seed, decisions: createDecisionBook(fixed, options.decisionLog) };
}

function createProvider(plan: Plan, guard: GuardState): CryptoProvider {
  const crypto = letProviderOut(guard, createNodeCrypto());
  return plan.cipher === "real" ? crypto : createChecksumCrypto(crypto);
}

function addPeer(world: World, plan: PeerPlan, index: number): void {
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

/** Lets everyone who is there from the start join, each a little after the other. */
export function startWorld(world: World): void {
  const stagger = createStream(world.chance, "world", "stagger");
  for (const peer of world.peers.values()) {
    if (!peer.plan.atStart) continue;
    const at = micros(MICROS_ORIGIN + (stagger.next() % 40_000));
    schedule(world.loop, at, EVENT_CLASS.STEP, () => joinPeer(world, peer));
  }
}

/** Whether everyone who joins at the start is connected, or has failed for good. */
export function everyoneIsThere(world: World): boolean {
  for (const peer of world.peers.values()) {
    if (!peer.plan.atStart) continue;
    const status = peer.client?.status;
    if (status === undefined || status === "new" || status === "joining" || status === "checking") return false;
  }
  return true;
}

/** Sets time zero to now and schedules the story's steps. */
export function beginStory(world: World): void {
  world.zeroAt = world.loop.now;
  note(world, "everyone is connected: time zero");
  for (const step of world.plan.steps) {
    schedule(world.loop, micros(world.zeroAt + step.atMicros), EVENT_CLASS.STEP, () => {
      note(world, `step: ${step.label}`);
      for (const watcher of world.watchers) watcher.step?.(step);
      perform(world, step.operation);
    });
  }
}

/** Does one operation now. */
function perform(world: World, operation: Operation): void {
  switch (operation.type) {
    case "garbage":
      throwGarbage(world, operation.perSecond, operation.forMicros);
      return;
    case "restart":
      nodeRestart(world.node);
      return;
    default:
      performOnPeer(world, operation, world.peers.get(operation.peer)!);
  }
}

function performOnPeer(
  world: World,
  operation: Exclude<Operation, { type: "garbage" } | { type: "restart" }>,
  peer: Peer,
): void {
  const { client } = peer;
  switch (operation.type) {
    case "join":
      joinPeer(world, peer);
      return;
    case "leave":
      if (client !== undefined) clientLeave(client);
      return;
    case "kill":
      if (client !== undefined) clientKill(client);
      return;
    case "move":
      movePeer(world, peer, operation.noticed);
      return;
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

function joinPeer(world: World, peer: Peer): void {
  if (peer.client !== undefined && clientIsActive(peer.client)) return;
  // Another browser tab on the same machine has another port.
  if (peer.clients.length > 0) movePeer(world, peer, false);
  const client = createPeerClient(world, peer);
  peer.client = client;
  peer.clients.push(client);
  note(world, `${peer.plan.name} asks to join`);
  clientJoin(client);
}

function createPeerClient(world: World, peer: Peer): Client {
  const { plan, clients } = peer;
  const first = 2 * (peer.index + world.peers.size * clients.length) + 1;
  const client = createClient(
    world.chance,
    {
      name: clients.length === 0 ? plan.name : `${plan.name}#${clients.length + 1}`,
      room: plan.room,
      cipher: world.plan.cipher,
      impostor: plan.impostor,
      media: {
        camera: plan.camera === null ? null : { source: first, ...CAMERAS[plan.camera] },
        microphone: plan.microphone === null ? null : { source: first + 1, level: plan.microphone },
        audioSlots: plan.audioSlots,
        videoSlots: plan.videoSlots,
        nearWrap: plan.nearWrap,
      },
    },
    {
      loop: world.loop,
      crypto: createProvider(world.plan, world.guard),
      wallClock: (now) => WALL_AT_ORIGIN + (now - MICROS_ORIGIN),
      send: (bytes, target) => {
        sendOn(world, peer, "up", { bytes, source: peer.address, target, overheadBytes: peer.up.plan.overheadBytes });
      },
      askToJoin: (offer) => signalJoin(world, peer, client, offer),
      askToLeave: (resource) => signalLeave(world, peer, client, resource),
      watcher: {
        connected: (who) => {
          note(world, `${who.plan.name} is connected`);
          for (const watcher of world.watchers) watcher.connected?.(who);
        },
        perceived: (who, mid, kind, passport) => {
          for (const watcher of world.watchers) watcher.perceived?.(who, mid, kind, passport);
        },
        ...plainWatcher(world),
      },
    },
  );
  if (plan.camera !== null) world.sources.set(first, { id: first, peer, kind: "camera", client });
  if (plan.microphone !== null) world.sources.set(first + 1, { id: first + 1, peer, kind: "microphone", client });
  return client;
}

/** Plain packets cost a copy each, so clients show them only when somebody looks. */
function plainWatcher(world: World): Pick<ClientWatcher, "plain"> {
  const watchers = world.watchers.filter((watcher) => watcher.plain !== undefined);
  if (watchers.length === 0) return {};
  return {
    plain: (client, direction, bytes) => {
      for (const watcher of watchers) watcher.plain?.(client, direction, bytes);
    },
  };
}

/** The signalling is a request over TCP: it comes late but it comes. A round trip of the link goes by before it is sent. */
function signalJoin(world: World, peer: Peer, client: Client, offer: string): void {
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
    note(world, `${client.plan.name} was refused: ${reply.detail}`);
    clientRefused(client, reply.detail);
  }
}

function signalLeave(world: World, peer: Peer, client: Client, resource: string): void {
  const { loop, node } = world;
  tellSignalled(world, peer, "up", "leave");
  schedule(loop, micros(loop.now + peer.up.plan.delayMicros), EVENT_CLASS.STEP, () => {
    world.commands++;
    nodeCommand(node, { type: "leave", room: client.plan.room, resource }, () => {});
  });
}

function movePeer(world: World, peer: Peer, noticed: boolean): void {
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

function transmitted(world: World, target: string, bytes: Uint8Array): void {
  const peer = world.byAddress.get(target);
  for (const watcher of world.watchers) watcher.transmitted?.(target, bytes, peer);
  if (peer === undefined) return;
  sendOn(world, peer, "down", { bytes, source: SFU_ADDRESS, target, overheadBytes: peer.down.plan.overheadBytes });
}

function sendOn(world: World, peer: Peer, direction: "up" | "down", packet: Packet): void {
  tellCarried(world, peer, direction, "offered", packet);
  linkSend(peer[direction], packet);
}

function tellSignalled(
  world: World,
  peer: Peer,
  direction: "up" | "down",
  what: "join" | "leave" | CommandReply["type"],
): void {
  for (const watcher of world.watchers) watcher.signalled?.(peer, direction, what);
}

/** Notes a row for the trace. */
export function note(world: World, text: string): void {
  world.rows.push({ time: world.loop.now, text });
}

/** A world's time as people read it: seconds from time zero (or from the origin, before), with milliseconds. */
export function showTime(world: World, time: number): string {
  const from = world.zeroAt === 0 ? MICROS_ORIGIN : world.zeroAt;
  const millis = Math.floor((time - from) / 1_000);
  const size = Math.abs(millis);
  const sign = millis < 0 ? "-" : "";
  return `${sign}${Math.floor(size / 1_000)}.${String(size % 1_000).padStart(3, "0")} s`;
}

function describeEvent(event: ShardEvent): string {
  switch (event.type) {
    case "joined":
      return `${event.name} (${event.participant}) joined ${event.room}`;
    case "connected":
      return `participant ${event.participant} is connected after ${Math.floor(event.afterMicros / 1_000)} ms`;
    case "left":
      return `participant ${event.participant} left: ${event.reason}${event.detail === "" ? "" : ` (${event.detail})`}`;
    case "roster":
      return `roster of ${event.room}: ${event.participants.map((view) => view.name).join(", ")}`;
    case "bindings": {
      const slots = event.slots.map((slot) => `${slot.mid}=${slot.publication === 0 ? "-" : slot.participant}`);
      return `participant ${event.participant} is shown ${slots.join(" ")}`;
    }
    case "path-changed":
      return `participant ${event.participant} moved to flow ${event.flow}`;
    default:
      return `room ${event.room} closed`;
  }
}
