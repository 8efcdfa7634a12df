/**
 * A world: one loop, the shards of an SFU, the clients of a plan with their links, and the steps of the story.
 *
 * This file holds what a world is and how it begins. Who lives where and how datagrams travel stands in ./topology.ts,
 * what shards have to do with each other in ./shards.ts, how clients ask to join in ./signalling.ts, what the steps do in
 * ./operations.ts. Whoever watches is told of everything that crosses the node's door and of everything that a client
 * perceives.
 */
import {
  type BootRecord,
  type CommandReply,
  type CryptoProvider,
  createTunables,
  keyedUint32,
  MICROS_ORIGIN,
  type Micros,
  micros,
  type Program,
  type ShardEvent,
  type ShardInput,
  type Tunables,
  type WallMicros,
} from "../../core/index.ts";
import { createWordViews, type WordViews } from "../../io-crypto/index.ts";
import { HEADER_BYTES, SFU_IP, SFU_IP6 } from "../base/addresses.ts";
import { createDecisionBook, type Decision, type DecisionPlan } from "../base/decisions.ts";
import { createEventLoop, EVENT_CLASS, type EventLoop, schedule, type Ties } from "../base/event-loop.ts";
import { createGuardedProvider, type GuardState } from "../base/guards.ts";
import { SERVER_NEAR_WRAP } from "../base/near-wrap.ts";
import { createStream, randomBytes, type Seed } from "../base/random.ts";
import { readableTimes } from "../base/readable-times.ts";
import { createSlab, type Slab } from "../base/slab.ts";
import type { Client, ClientWatcher } from "../client/client.ts";
import { createJournal } from "../journal/journal.ts";
import type { Bottleneck, DropReason, Packet } from "../link/index.ts";
import type { Plan, StepPlan } from "../story/plan.ts";
import { type Audience, audienceOf, createAudience } from "./audience.ts";
import { type Attacker, createAttacker } from "./garbage.ts";
import { type Guise, PLAIN_GUISE } from "./guise.ts";
import { knobsText } from "./knobs.ts";
import { createNode, type NodeWorld, type SfuNode } from "./node.ts";
import { perform } from "./operations.ts";
import type { Effect } from "./recording-outbox.ts";
import { note, noteEvent, type TraceRow } from "./rows.ts";
import { createShards, ONE_SHARD, type Shards, sendRecord } from "./shards.ts";
import type { Request } from "./signalling.ts";
import { createSiteBook, type SiteBook } from "./sites.ts";
import { joinPeer } from "./tabs.ts";
import { addPeer, type Peer, transmitted } from "./topology.ts";
import { WALL_AT_ORIGIN } from "./wall-clock.ts";

/** A source of media: one camera or microphone of one client. */
export interface Source {
  readonly id: number;
  readonly peer: Peer;
  readonly kind: "camera" | "microphone";
  readonly client: Client;
}

/** Who is told what happens, at the clients too. Each may be missing, and none gets a `this`. */
export interface WorldWatcher extends Partial<ClientWatcher> {
  beforeInput?(input: ShardInput, node: SfuNode): void;
  afterInput?(input: ShardInput, effects: readonly Effect[], node: SfuNode): void;
  /** A datagram leaves a node for `target`; `peer` is whose address that is, if anybody's. */
  transmitted?(target: string, bytes: Uint8Array, peer: Peer | undefined, node: SfuNode): void;
  event?(event: ShardEvent): void;
  /** A datagram is put on a peer's link, comes out of it, or is dropped by it (for a reason that is "" otherwise). */
  carried?(peer: Peer, direction: "up" | "down", fate: "offered" | "delivered" | "dropped", what: Carried): void;
  /** The server's process has died, and a new one knows nothing of anybody. */
  crashed?(): void;
  /** One of several shards has died, and a new one in its place knows nothing of anybody. */
  lost?(node: SfuNode): void;
  /** A step of the story happens. */
  step?(step: StepPlan): void;
  /** A shard has said something to another one, by their numbers, or it has got lost on the way. */
  relayed?(from: number, to: number, lane: "packets" | "mail", record: Uint8Array, isLost: boolean): void;
  /** A request or a reply of the signalling is sent. */
  signalled?(peer: Peer, direction: "up" | "down", what: Request | CommandReply["type"]): void;
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
  readonly guise: Guise;
  /** What the server's shards are made with. */
  readonly tunables: Tunables;
  /** The server's first shard, which is the first of `nodes`: the only one, unless the plan has more. */
  node: SfuNode;
  /** The shards that live, by their places. */
  readonly nodes: SfuNode[];
  readonly shards: Shards;
  readonly peers: Map<string, Peer>;
  /** Those that links share, by name. */
  readonly bottlenecks: Map<string, Bottleneck>;
  /** By the address that the peer has now. */
  readonly byAddress: Map<string, Peer>;
  /** Peers by the clients that they have or had, and clients as they were found by their numbers; ask `clientOf`. */
  readonly byClient: Map<Client, Peer>;
  readonly byParticipant: Map<number, Client>;
  readonly sources: Map<number, Source>;
  readonly watchers: WorldWatcher[];
  /** Those of them who listen to what is frequent; ask `audienceOf`. */
  readonly audience: Audience;
  readonly attacker: Attacker;
  /** The cryptography of all clients. */
  readonly clientCrypto: CryptoProvider;
  /** Memory for the packets of all clients, and views of what packets lie in. */
  readonly packets: Slab;
  readonly words: WordViews;
  /** Failures that are injected into the core and its host. */
  readonly sites: SiteBook;
  /** Whether requests may come to nothing, so that pages have to ask again. */
  readonly hasSignallingTrouble: boolean;
  readonly startsAt: Micros;
  /** When everyone who joins at the start was connected; 0 before. */
  zeroAt: number;
  /** Whether the story is over and everybody was told to leave. */
  isDraining: boolean;
  /** What happened, one row each, for traces. */
  readonly rows: TraceRow[];
  /** What the server's participants are called, for rows. */
  readonly names: Map<number, string>;
  commands: number;
}

/** How a run differs from the plain one, for tools and tests; none of it changes what the plan says. */
export interface WorldOptions {
  readonly journal?: boolean;
  /** What the journal says of who wrote it. */
  readonly program?: Program;
  /** Answers of chance that count instead of those drawn, besides the plan's own. */
  readonly decisions?: readonly DecisionPlan[];
  /** Gets each answer of chance that the run consumes, in order. */
  readonly decisionLog?: Decision[];
  /** Lets chance turn as a plan may; counts instead of the plan's own. */
  readonly turn?: NonNullable<Plan["turn"]>;
  /** Cuts the shard down before these inputs. */
  readonly restartBefore?: (input: number) => boolean;
  /** How the world looks otherwise without anybody noticing. */
  readonly guise?: Partial<Guise>;
  /** Stands between the core and cryptography. */
  readonly wrapCrypto?: (crypto: CryptoProvider) => CryptoProvider;
  /** Tampers with what leaves the node: answers what is sent instead. For tests of the oracles alone. */
  readonly sabotage?: (target: string, bytes: Uint8Array) => { target: string; bytes: Uint8Array }[];
}

/** A loop that begins when the guise says; the order of what is (nearly) simultaneous may be the seed's to decide. */
function createLoop({ swapsWithinMicros }: Plan, seed: number, { uptimeMicros }: Guise): EventLoop {
  const ties: Ties = (lane, time) => keyedUint32(seed, `ties/${time}`, lane, 0);
  const origin = micros(MICROS_ORIGIN + uptimeMicros);
  return createEventLoop(swapsWithinMicros === undefined ? undefined : ties, origin, swapsWithinMicros);
}

/** A world in which nothing has happened yet. */
export function createWorld(plan: Plan, seed: number, options: WorldOptions = {}): World {
  const guise: Guise = { ...PLAIN_GUISE, ...options.guise };
  const loop = createLoop(plan, seed, guise);
  // Chance is asked while the world is being made, long before the story begins.
  let made: World | undefined;
  const storyTime = () => (made === undefined || made.zeroAt === 0 ? -1 : loop.now - made.zeroAt);
  const chance = chanceOf(plan, seed, options, storyTime);
  const guard: GuardState = { coreOnStack: false, outsiderOnStack: false };
  const words = createWordViews();
  const wrapCrypto = options.wrapCrypto ?? ((crypto) => crypto);
  const sites = createSiteBook(chance, loop);
  const boot = (place: number, number: number): SfuNode => {
    const record = bootRecord({ plan, chance, loop, guise }, number, place);
    // The first shard's streams are called as if there were no others.
    const name = number === 0 ? "shard" : `shard#${number}`;
    const scheduler = plan.scheduler === "fifo" ? null : createStream(chance, "scheduler", name).next();
    const setting = { scheduler, cipher: plan.cipher, program: options.program };
    const [theWorld, theNode] = [() => world, () => node];
    const node: SfuNode = createNode(loop, surroundingsOf(theWorld, theNode, options), {
      boot: record,
      createCrypto: () => wrapCrypto(createGuardedProvider(plan.cipher, guard, words)),
      scheduler,
      timerLateMicros: plan.timerLateMicros,
      lateness: createStream(chance, "timer-lateness", name),
      guard,
      journal: options.journal === true ? createJournal(record, setting) : undefined,
      sites: plan.steps.some(({ operation }) => operation.type === "buggify") ? sites : undefined,
      restartBefore: options.restartBefore ?? (() => false),
    });
    return node;
  };
  const shards = createShards(plan.shards ?? ONE_SHARD, guise.serverPort, boot);
  const nodes = [...shards.all];
  const world: World = {
    plan,
    seed,
    chance,
    loop,
    guard,
    guise,
    tunables: createTunables(plan.knobs ?? {}),
    // A field, as an object with a getter is a dictionary for V8: every look at the world would be a search.
    node: nodes[0]!,
    nodes,
    shards,
    peers: new Map(),
    bottlenecks: new Map(),
    byAddress: new Map(),
    byClient: new Map(),
    byParticipant: new Map(),
    sources: new Map(),
    watchers: [],
    audience: createAudience(),
    attacker: createAttacker(chance),
    clientCrypto: createGuardedProvider(plan.cipher, guard, words),
    packets: createSlab(),
    words,
    sites,
    hasSignallingTrouble: plan.steps.some(({ operation }) => ["signalling", "crash"].includes(operation.type)),
    startsAt: loop.origin,
    zeroAt: 0,
    isDraining: false,
    rows: [],
    names: new Map(),
    commands: 0,
  };
  made = world;
  plan.peers.forEach((peerPlan, index) => {
    addPeer(world, peerPlan, index);
  });
  return world;
}

/**
 * What a shard with this number is born with, in this place. In a world of one, the number counts the crashes before.
 */
export function bootRecord(
  { plan, chance, loop, guise }: Pick<World, "plan" | "chance" | "loop" | "guise">,
  number: number,
  place: number,
): BootRecord {
  const entity = (what: string) => (number === 0 ? what : `${what}#${number}`);
  const ips = usesIpv6(plan) ? [SFU_IP, SFU_IP6] : [SFU_IP];
  return {
    entropySeed: randomBytes(createStream(chance, "boot", entity("entropy")), 32),
    randomSeed: createStream(chance, "boot", entity("random")).next(),
    now: loop.now,
    wall: (wallOrigin(plan) + (loop.now - loop.origin)) as WallMicros,
    config: {
      candidates: ips.map((ip) => ({ ip, port: guise.serverPort + place })),
      ...(plan.knobs === undefined ? {} : { tunables: plan.knobs }),
      ...(plan.serverNearWrap === true ? { firstNumbers: SERVER_NEAR_WRAP } : {}),
    },
    ...(number === 0 ? {} : { shard: number }),
  };
}

/** What the server's clock showed at the beginning. */
export function wallOrigin(plan: Plan): number {
  return plan.wallMicros ?? WALL_AT_ORIGIN;
}

function usesIpv6({ peers, steps }: Plan): boolean {
  const moves = steps.some(({ operation }) => operation.type === "move" && operation.to === "ipv6");
  return moves || peers.some(({ up }) => up.overheadBytes === HEADER_BYTES[6]);
}

/** What a node has around it: links for what it sends, ways to the other shards, and watchers. */
function surroundingsOf(world: () => World, node: () => SfuNode, options: WorldOptions): NodeWorld {
  return {
    transmit: (target, bytes) => {
      if (options.sabotage === undefined) transmitted(world(), node(), target, bytes);
      else for (const sent of options.sabotage(target, bytes)) transmitted(world(), node(), sent.target, sent.bytes);
    },
    event: (event) => {
      noteEvent(world(), event);
      for (const watcher of world().watchers) watcher.event?.(event);
    },
    relay: (shard, lane, record) => sendRecord(world(), node().shard.number, shard, lane, record),
    beforeInput: (input) => {
      for (const hear of audienceOf(world()).beforeInput) hear(input, node());
    },
    afterInput: (input, effects) => {
      for (const hear of audienceOf(world()).afterInput) hear(input, effects, node());
    },
  };
}

function chanceOf(plan: Plan, seed: number, options: WorldOptions, time: () => number): Seed {
  const fixed = [...(plan.decisions ?? []), ...(options.decisions ?? [])];
  const plain = fixed.length === 0 && options.decisionLog === undefined;
  const turn = options.turn ?? plan.turn;
  if (plain && turn === undefined) return seed;
  return {
    seed,
    ...(plain ? {} : { decisions: createDecisionBook(fixed, options.decisionLog) }),
    ...(turn === undefined ? {} : { turn: { seed: turn.seed, hasCome: () => time() >= turn.atMicros } }),
  };
}

/** Lets everyone who is there from the start join, each a little after the other. */
export function startWorld(world: World): void {
  const stagger = createStream(world.chance, "world", "stagger");
  for (const peer of world.peers.values()) {
    if (!peer.plan.atStart) continue;
    const at = micros(world.startsAt + (stagger.next() % 40_000));
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
  note(world, "story", "", "everyone is connected: time zero");
  const knobs = knobsText(world.plan.knobs);
  if (knobs !== "") note(world, "story", "", `the server has other knobs than usual: ${readableTimes(knobs)}`);
  for (const step of world.plan.steps) {
    schedule(world.loop, micros(world.zeroAt + step.atMicros), EVENT_CLASS.STEP, () => {
      note(world, "story", "peer" in step.operation ? step.operation.peer : "", step.label);
      for (const watcher of world.watchers) watcher.step?.(step);
      perform(world, step.operation);
    });
  }
}
