/**
 * An SFU node of the simulated world: the real shard, and around it what a host does.
 *
 * The node gives flows their numbers, hands the shard one input after the other with the loop's time, carries out its
 * effects, and wakes it when it has asked for that. It keeps two rolling hashes, one over inputs and one over effects, and
 * every thousand inputs it hashes the whole state into the run's fingerprint. At any input it can be cut down and go on
 * from a snapshot with a fresh provider of cryptography; nobody outside may notice.
 */
import {
  type BootRecord,
  type Command,
  type CommandReply,
  type CryptoProvider,
  createFingerprint,
  createShard,
  type DatagramInput,
  FIRST_COME_FIRST_SERVED,
  type Fingerprint,
  fingerprintHex,
  fingerprintNumber,
  fingerprintText,
  type Micros,
  micros,
  NEVER,
  type Scheduler,
  type Shard,
  type ShardEvent,
  type ShardInput,
  type ShardPorts,
  seededScheduler,
  shardHandle,
  shardNextTimeout,
  shardRestore,
  shardSnapshot,
} from "../../core/index.ts";
import { addressBytes } from "../base/addresses.ts";
import { EVENT_CLASS, type EventLoop, type LoopEvent, schedule } from "../base/event-loop.ts";
import type { GuardState } from "../base/guards.ts";
import { below, type Stream } from "../base/random.ts";
import { carveCopy, createSlab, type Slab } from "../base/slab.ts";
import { createStateHasher, hashState, type StateHasher } from "../base/state-hash.ts";
import { hashDatagram } from "../base/word-hash.ts";
import { type JournalWriter, journalBoot, journalEffects, journalInput, journalRestore } from "../journal/journal.ts";
import { createRecordingOutbox, type Effect, type RecordingOutbox, takeEffects } from "./recording-outbox.ts";
import { beginSites, hostFails, type SiteBook } from "./sites.ts";
import { createSleep, forgetWaiting, isAsleep, type Sleep, sleepFor, waitUntilAwake } from "./sleep.ts";

/** The state is hashed after each so many inputs. */
const STATE_HASH_INPUTS = 1_000;

/** How long an injected failure of the host lets things wait. */
const HOST_PAUSE_MICROS = 100_000;
const HOST_LATE_MICROS = 50_000;
const HOST_EARLY_MICROS = 5_000;

/** What the world does with what a node wants. */
export interface NodeWorld {
  /** A datagram for the client at this address. */
  transmit(target: string, bytes: Uint8Array): void;
  event(event: ShardEvent): void;
  /** A record for another shard; packets may be lost on the way, mail may not. */
  relay?(shard: number, lane: "packets" | "mail", record: Uint8Array): void;
  /** Before and after each input, for those who watch. */
  beforeInput?(input: ShardInput): void;
  afterInput?(input: ShardInput, effects: readonly Effect[]): void;
}

/** How a node is run. */
export interface NodeOptions {
  readonly boot: BootRecord;
  readonly createCrypto: () => CryptoProvider;
  /** The seed of the mailboxes' order, or null for first come, first served. */
  readonly scheduler: number | null;
  /** Timers fire up to this much late, drawn from `lateness`. */
  readonly timerLateMicros: number;
  readonly lateness: Stream;
  readonly guard: GuardState;
  readonly journal: JournalWriter | undefined;
  /** Failures to inject, or undefined in a world without any. */
  readonly sites?: SiteBook | undefined;
  /** Whether to cut the shard down before this input (counted from 0) and go on from a snapshot. */
  readonly restartBefore: (input: number) => boolean;
}

/** A node; make it with {@link createNode}. */
export interface SfuNode {
  readonly loop: EventLoop;
  readonly world: NodeWorld;
  readonly options: NodeOptions;
  shard: Shard;
  crypto: CryptoProvider;
  readonly scheduler: Scheduler;
  readonly outbox: RecordingOutbox;
  /** Where datagrams are received. */
  readonly received: Slab;
  /** Flows by address and the other way round, and numbers that are free again. */
  readonly flows: Map<string, number>;
  readonly addresses: ({ text: string; bytes: Uint8Array } | undefined)[];
  readonly freeFlows: number[];
  timer: LoopEvent | undefined;
  timerAt: number;
  /** While the process stands still, what comes waits. */
  readonly sleep: Sleep;
  /** There is no process before; what comes meanwhile is lost. */
  downUntil: number;
  crashes: number;
  /** Datagrams from strangers that those processes had counted which have died. */
  strangersBefore: number;
  readonly inputHash: Fingerprint;
  readonly effectHash: Fingerprint;
  readonly stateHash: Fingerprint;
  readonly stateHasher: StateHasher;
  inputs: number;
  restarts: number;
  nextCommand: number;
  readonly replies: Map<number, ((reply: CommandReply) => void) | undefined>;
  /** Replies to commands that were never given, or given twice. */
  strayReplies: number;
}

/** A node that has just booted. */
export function createNode(loop: EventLoop, world: NodeWorld, options: NodeOptions): SfuNode {
  const crypto = options.createCrypto();
  const effectHash = createFingerprint();
  return {
    loop,
    world,
    options,
    shard: createShard(options.boot, crypto),
    crypto,
    scheduler: options.scheduler === null ? FIRST_COME_FIRST_SERVED : seededScheduler(options.scheduler),
    outbox: createRecordingOutbox(effectHash),
    received: createSlab(),
    flows: new Map(),
    addresses: [],
    freeFlows: [],
    timer: undefined,
    timerAt: NEVER,
    sleep: createSleep(loop),
    downUntil: 0,
    crashes: 0,
    strangersBefore: 0,
    inputHash: createFingerprint(),
    effectHash,
    stateHash: createFingerprint(),
    stateHasher: createStateHasher(),
    inputs: 0,
    restarts: 0,
    nextCommand: 1,
    replies: new Map(),
    strayReplies: 0,
  };
}

/** A datagram has arrived from `source` (`ip:port`). */
export function nodeReceive(node: SfuNode, source: string, bytes: Uint8Array): void {
  const { sites } = node.options;
  if (nodeIsDown(node) || hostFails(sites, "host/receive-dropped")) return;
  if (!node.flows.has(source) && hostFails(sites, "host/flow-table-full")) return;
  if (hostFails(sites, "host/paused")) nodePause(node, HOST_PAUSE_MICROS);
  takeDatagram(node, source, bytes);
  if (hostFails(sites, "host/received-twice")) takeDatagram(node, source, bytes);
}

/** The process stands still for a while: what comes meanwhile waits. */
export function nodePause(node: SfuNode, forMicros: number): void {
  sleepFor(node.sleep, forMicros);
}

/** Acts at once, or in the order of arrival when the process runs again. */
function whenAwake(node: SfuNode, act: () => void): void {
  if (isAsleep(node.sleep)) waitUntilAwake(node.sleep, () => whenAwake(node, act));
  else act();
}

function takeDatagram(node: SfuNode, source: string, bytes: Uint8Array): void {
  if (isAsleep(node.sleep)) {
    takeWhenAwake(node, source, bytes);
    return;
  }
  const flow = internFlow(node, source);
  const input: DatagramInput = {
    kind: "datagram",
    now: node.loop.now,
    flow,
    address: node.addresses[flow]!.bytes,
    // The shard opens packets where they lie.
    bytes: carveCopy(node.received, bytes, 0, bytes.length),
    offset: 0,
    length: bytes.length,
  };
  handle(node, input);
}

function takeWhenAwake(node: SfuNode, source: string, bytes: Uint8Array): void {
  waitUntilAwake(node.sleep, () => takeDatagram(node, source, bytes));
}

/** Gives the shard a command; `onReply` hears its one reply. */
export function nodeCommand(node: SfuNode, command: Command, onReply: (reply: CommandReply) => void): void {
  const commandId = node.nextCommand++;
  node.replies.set(commandId, onReply);
  whenAwake(node, () => handle(node, { kind: "command", now: node.loop.now, commandId, command }));
}

/** Another shard has relayed these records. */
export function nodeRelay(node: SfuNode, shard: number, bytes: Uint8Array): void {
  whenAwake(node, () => {
    handle(node, { kind: "relay", now: node.loop.now, shard, bytes, offset: 0, length: bytes.length });
  });
}

/** Another shard is dead. */
export function nodeShardLost(node: SfuNode, shard: number): void {
  whenAwake(node, () => handle(node, { kind: "shard-lost", now: node.loop.now, shard }));
}

/** How many commands still wait for their reply. */
export function nodeUnanswered(node: SfuNode): number {
  return node.replies.size;
}

/** Cuts the shard down and goes on from a snapshot, with a fresh provider. */
export function nodeRestart(node: SfuNode): void {
  if (node.options.journal !== undefined) journalRestore(node.options.journal, node.loop.now);
  const bytes = shardSnapshot(node.shard);
  node.crypto = node.options.createCrypto();
  node.shard = shardRestore(bytes, node.crypto);
  node.restarts++;
}

/** The process dies, with all that it knew and all that waited for it; later another one begins with this boot record. */
export function nodeCrash(node: SfuNode, boot: BootRecord, forMicros: number): void {
  if (node.options.journal !== undefined) journalBoot(node.options.journal, boot);
  if (node.timer !== undefined) node.timer.run = undefined;
  node.timer = undefined;
  node.timerAt = NEVER;
  node.flows.clear();
  node.addresses.length = 0;
  node.freeFlows.length = 0;
  node.replies.clear();
  forgetWaiting(node.sleep);
  node.strangersBefore += node.shard.history.counters.datagramsFromStrangers;
  node.crypto = node.options.createCrypto();
  node.shard = createShard(boot, node.crypto);
  node.downUntil = node.loop.now + forMicros;
  node.crashes++;
}

/** Whether there is no process at present. */
export function nodeIsDown(node: SfuNode): boolean {
  return node.loop.now < node.downUntil;
}

/** The run's fingerprint so far: inputs, effects and the states in between. */
export function nodeFingerprint(node: SfuNode): string {
  const hash = createFingerprint();
  fingerprintText(hash, fingerprintHex(node.inputHash));
  fingerprintText(hash, fingerprintHex(node.effectHash));
  fingerprintText(hash, fingerprintHex(node.stateHash));
  return fingerprintHex(hash);
}

/** The fingerprint of the effects alone, which a journal ends with. */
export function nodeEffectFingerprint(node: SfuNode): string {
  return fingerprintHex(node.effectHash);
}

function handle(node: SfuNode, input: ShardInput): void {
  // What waited for a process that stood still finds that it has died.
  if (nodeIsDown(node)) return;
  const { options, world, outbox } = node;
  const { sites } = options;
  if (options.restartBefore(node.inputs) || hostFails(sites, "host/restored")) nodeRestart(node);
  node.inputs++;
  hashInput(node.inputHash, input);
  if (options.journal !== undefined) journalInput(options.journal, input);
  world.beforeInput?.(input);
  const ports: ShardPorts = { crypto: node.crypto, outbox, scheduler: node.scheduler, faults: sites };
  if (sites !== undefined) beginSites(sites);
  options.guard.coreOnStack = true;
  shardHandle(node.shard, ports, input);
  options.guard.coreOnStack = false;
  const effects = takeEffects(outbox);
  if (options.journal !== undefined) {
    journalEffects(options.journal, effects.length, nodeEffectFingerprint(node), sites?.firings);
  }
  world.afterInput?.(input, effects);
  const taken = hostFails(sites, "host/batch-half-sent") ? effects.length >> 1 : effects.length;
  for (let index = 0; index < effects.length; index++) {
    const effect = effects[index]!;
    if (index < taken || effect.kind !== "transmit") carryOut(node, effect);
  }
  if (node.inputs % STATE_HASH_INPUTS === 0) hashState(node.stateHasher, node.stateHash, node.shard);
  arm(node);
}

function carryOut(node: SfuNode, effect: Effect): void {
  switch (effect.kind) {
    case "transmit": {
      const address = node.addresses[effect.flow];
      if (address === undefined || hostFails(node.options.sites, "host/send-refused")) return;
      node.world.transmit(address.text, effect.bytes);
      return;
    }
    case "event":
      node.world.event(effect.event);
      return;
    case "reply": {
      const { commandId } = effect.reply;
      const onReply = node.replies.get(commandId);
      if (onReply === undefined) node.strayReplies++;
      node.replies.delete(commandId);
      if (onReply === undefined) return;
      if (hostFails(node.options.sites, "host/reply-late")) {
        schedule(node.loop, micros(node.loop.now + HOST_LATE_MICROS), EVENT_CLASS.STEP, () => onReply(effect.reply));
      } else onReply(effect.reply);
      return;
    }
    case "relay":
      node.world.relay?.(effect.shard, effect.lane, effect.record);
      return;
    case "release":
      releaseFlow(node, effect.flow);
  }
}

function arm(node: SfuNode): void {
  const at = shardNextTimeout(node.shard);
  if (at !== node.timerAt) setTimer(node, at);
}

function setTimer(node: SfuNode, at: Micros): void {
  if (node.timer !== undefined) node.timer.run = undefined;
  node.timerAt = at;
  node.timer = undefined;
  if (at === NEVER) return;
  const { timerLateMicros, lateness, sites } = node.options;
  const late = timerLateMicros === 0 ? 0 : below(lateness, timerLateMicros + 1);
  const later = hostFails(sites, "host/timer-late") ? HOST_LATE_MICROS : 0;
  const isEarly = hostFails(sites, "host/timer-early");
  const early = Math.min(at, Math.max(node.loop.now + 1_000, at - HOST_EARLY_MICROS));
  const time = micros(isEarly ? early : at + late + later);
  const timer = schedule(node.loop, time, EVENT_CLASS.TIMER, () => {
    whenAwake(node, () => {
      if (node.timer !== timer) return;
      node.timer = undefined;
      node.timerAt = -1;
      handle(node, { kind: "timer", now: node.loop.now });
    });
  });
  node.timer = timer;
}

function internFlow(node: SfuNode, source: string): number {
  const known = node.flows.get(source);
  if (known !== undefined) return known;
  const flow = node.freeFlows.pop() ?? node.flows.size;
  node.flows.set(source, flow);
  node.addresses[flow] = { text: source, bytes: addressBytes(source) };
  return flow;
}

function releaseFlow(node: SfuNode, flow: number): void {
  const address = node.addresses[flow];
  if (address === undefined) return;
  node.addresses[flow] = undefined;
  node.flows.delete(address.text);
  node.freeFlows.push(flow);
}

function hashInput(hash: Fingerprint, input: ShardInput): void {
  fingerprintNumber(hash, input.now);
  fingerprintText(hash, input.kind);
  if (input.kind === "datagram") {
    fingerprintNumber(hash, input.flow);
    hashDatagram(hash, input.bytes, input.offset, input.length);
  } else if (input.kind === "command") fingerprintText(hash, JSON.stringify(input.command));
  else if (input.kind === "relay" || input.kind === "shard-lost") {
    fingerprintNumber(hash, input.shard);
    if (input.kind === "relay") hashDatagram(hash, input.bytes, input.offset, input.length);
  }
}
