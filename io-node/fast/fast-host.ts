/**
 * The main thread's side of the fast host: it owns sockets, memory and the thread, and passes messages.
 *
 * A shard's thread that dies takes its calls with it and nothing else. Whoever started the host hears why, and a fresh
 * thread with an empty shard goes on over the same sockets. A thread that does not come back from an input is as good as
 * dead: it is ended, and then the same happens.
 *
 * Everything native is freed in one place, after the thread has ended, whichever way it has.
 */
import { once } from "node:events";
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from "node:worker_threads";
import type { Piece } from "../../bundle.mjs";
import type { CandidateAddress } from "../../core/index.ts";
import { type ContextLedger, createContextLedger, freeContexts } from "../../io-crypto/openssl-crypto.ts";
import { programFile } from "../../program.ts";
import type { JournalLife } from "../journal/life.ts";
import { finishJournals } from "../journal/sink.ts";
import type { ReceiveCounters } from "../portable/udp-host.ts";
import { loneSeat, type MeshSeat, type ShardLife } from "../relay/relay-mesh.ts";
import type { RelayCounters } from "../relay/relay-ways.ts";
import { type Deaths, pauseAfterDeath } from "../restarts.ts";
import type { ShardHost, ShardListeners } from "../shard-host.ts";
import { restoreErrorLines, startThread, threadCode } from "../thread-code.ts";
import { LINUX, type Libc, loadLibc } from "./libc.ts";
import { fastLoopBytes } from "./loop.ts";
import type { Priority } from "./priority.ts";
import type { FastSendCounters } from "./send-queues.ts";
import { COUNTERS, type FromThread, type ThreadBoot, type ToThread } from "./shard-thread.ts";
import { closeFastSockets, droppedUnread, type FastSockets, openFastSockets, SystemError } from "./sockets.ts";

/** A thread whose loop has not turned at so many looks in a row hangs. It turns ten times a second with nothing to do. */
const STILL_LOOKS_MAX = 5;
const LOOK_MILLIS = 1_000;

/** How much longer than its farewell a thread may take to end before it is ended. */
const END_MILLIS = 400;

/**
 * Room for the thread's young objects. Packets make none, and what a join leaves behind is dead at once: V8 would let it
 * grow to 48 MiB, most of it garbage, before it looked.
 */
const YOUNG_MEBIBYTES_MAX = 6;

/** The module that a thread runs in production. */
const ENTRY = programFile("io-node/fast/thread-entry.ts");

/** Everything native that a host owns. */
export interface FastResources {
  readonly libc: Libc;
  readonly sockets: FastSockets;
  readonly wakeFd: number;
  readonly block: { readonly address: number; readonly length: number };
}

/** What a host is made of. */
export interface FastHostParts extends ShardListeners {
  readonly resources: FastResources;
  readonly candidates: readonly CandidateAddress[];
  /** Whether the thread comes before others, as far as the system allows; left out, it does not. */
  readonly raised?: boolean;
  /** The module that the thread runs; tests have others. */
  readonly entry?: URL;
  /** How long a thread may stand still; tests have less patience. */
  readonly lookMillis?: number;
}

/** The host's own state. */
interface Host {
  readonly parts: FastHostParts;
  readonly code: Piece;
  readonly seat: MeshSeat;
  readonly counters: Float64Array;
  readonly ledger: ContextLedger;
  readonly deaths: Deaths;
  running: Running;
  restart: NodeJS.Timeout | undefined;
  closing: boolean;
}

/** A thread, and what is known of it. */
interface Running {
  readonly thread: Worker;
  readonly port: MessagePort;
  readonly life: ShardLife;
  readonly journals: JournalLife | undefined;
  /** Resolves when the thread has ended. */
  readonly ended: Promise<void>;
  /** The thread has come so far as to serve. */
  serves: boolean;
  /** The priority that it has of its own. */
  priority: Priority | undefined;
  /** Why it dies, if somebody knows. */
  lastWord: { readonly error: unknown } | undefined;
}

/** Opens the sockets on `port` and takes memory; a sentence when this machine can't, and a throw for a port it can't have. */
export function openFastResources(port: number): FastResources | string {
  const libc = loadLibc();
  if (typeof libc === "string") return libc;
  const sockets = openFastSockets(libc, port);
  const wakeFd = libc.eventfd(0, LINUX.EVENT_FLAGS);
  if (wakeFd < 0) {
    closeFastSockets(libc, sockets);
    throw new SystemError("eventfd", libc.native.errno());
  }
  const length = fastLoopBytes(sockets.fds.length);
  return { libc, sockets, wakeFd, block: { address: libc.native.allocate(length), length } };
}

/** Gives everything back. No thread may use it any more. */
export function closeFastResources({ libc, sockets, wakeFd, block }: FastResources): void {
  closeFastSockets(libc, sockets);
  libc.close(wakeFd);
  libc.native.free(block.address, block.length);
}

/**
 * Starts a thread with a shard; resolves when it serves, and rejects with its reason when it does not come to that. The
 * resources belong to the host from now on.
 */
export async function startFastHost(parts: FastHostParts): Promise<ShardHost> {
  const counters = new Float64Array(new SharedArrayBuffer(COUNTERS.length * 8));
  const ledger = createContextLedger();
  const seat = parts.seat ?? loneSeat();
  const notStarted = (why: unknown) => {
    // Nobody wakes it up: nobody has met anybody before all have started.
    void seat.end();
    closeFastResources(parts.resources);
    return why;
  };
  let code: Piece;
  try {
    code = threadCode(parts.entry ?? ENTRY);
  } catch (error) {
    throw notStarted(error);
  }
  const own = { parts, code, seat, counters, ledger };
  const running = startShard(own, seat.begin());
  const host: Host = { ...own, deaths: [], running, restart: undefined, closing: false };
  watchThread(host, running);
  await Promise.race([once(running.port, "message"), running.ended]);
  if (!running.serves) {
    await running.ended;
    throw notStarted(reasonOf(running));
  }
  const looking = lookAfter(host);
  let closed: Promise<void> | undefined;
  return {
    get received() {
      return readCounters(counters);
    },
    get sent() {
      return readCounters(counters);
    },
    get relayed() {
      return readCounters(counters);
    },
    get number() {
      return host.running.life.number;
    },
    get priority() {
      return host.running.priority;
    },
    wakeFd: parts.resources.wakeFd,
    meet: (peer) => tell(host, { kind: "meet", peer }),
    part: (number) => tell(host, { kind: "part", number }),
    wake: () => {},
    giveUp: () => endThread(host, new Error("the shard does not read what other shards tell it")),
    get journals() {
      return host.running.journals;
    },
    get cpuMicros() {
      return counters[COUNTERS.indexOf("cpuMicros")]!;
    },
    get droppedUnread() {
      return droppedUnread(parts.resources.libc, parts.resources.sockets);
    },
    command(commandId, command) {
      tell(host, { kind: "command", commandId, command });
    },
    close(waitMillis) {
      clearInterval(looking);
      closed ??= close(host, waitMillis);
      return closed;
    },
  };
}

/** All counters by name: those of receiving, of sending and of relaying have different ones. */
function readCounters(counters: Float64Array): ReceiveCounters & FastSendCounters & RelayCounters {
  return Object.fromEntries(COUNTERS.map((name, index) => [name, counters[index]!])) as Record<
    (typeof COUNTERS)[number],
    number
  >;
}

function startShard(
  { parts, code, counters, ledger }: Pick<Host, "parts" | "code" | "counters" | "ledger">,
  life: ShardLife,
): Running {
  const { port1, port2 } = new MessageChannel();
  const { resources, candidates } = parts;
  const journals = parts.journals?.();
  const boot: ThreadBoot = {
    port: port2,
    candidates,
    life,
    journals,
    block: resources.block,
    fds: resources.sockets.fds,
    wakeFd: resources.wakeFd,
    raised: parts.raised === true,
    counters,
    ledger,
  };
  const { thread, ended } = startThread(code, boot, YOUNG_MEBIBYTES_MAX);
  return { thread, port: port1, life, journals, ended, serves: false, priority: undefined, lastWord: undefined };
}

function watchThread(host: Host, running: Running): void {
  const { thread, port } = running;
  const { parts } = host;
  const hear = (message: FromThread) => {
    if (message.kind === "failed") noteLastWord(host, running, message.error);
    if (message.kind === "started") {
      running.serves = true;
      running.priority = message.priority;
      if (host.deaths.length > 0) parts.onServing();
    }
    if (message.kind === "given-up") host.seat.giveUp(message.number);
    if (message.kind === "looked") parts.onLook(message.findings);
    if (message.kind !== "outputs") return;
    for (const event of message.events) parts.onEvent(event);
    for (const reply of message.replies) parts.onReply(reply);
  };
  port.on("message", hear);
  thread.on("error", (error) => noteLastWord(host, running, error));
  thread.once("exit", () => {
    for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
      hear(last.message as FromThread);
    }
    port.close();
    if (running.journals !== undefined) finishJournals(running.journals);
    freeContexts(host.ledger);
    const isFirst = host.deaths.length === 0;
    if (!host.closing && (running.serves || !isFirst)) replaceThread(host, running);
  });
}

/** Takes down why a thread dies, as it says it itself. */
function noteLastWord({ code }: Host, running: Running, error: unknown): void {
  restoreErrorLines(code, error);
  running.lastWord ??= { error };
}

function replaceThread(host: Host, dead: Running): void {
  const { parts } = host;
  const pause = pauseAfterDeath(host.deaths, performance.now());
  parts.onLost(reasonOf(dead));
  host.restart = setTimeout(() => {
    host.running = startShard(host, host.seat.begin());
    watchThread(host, host.running);
  }, pause);
}

/** Why a thread has ended. */
function reasonOf(running: Running): unknown {
  return running.lastWord?.error ?? new Error("the shard's thread has ended without a word");
}

/** Looks at the loop's turns from time to time, and ends a thread that hangs. */
function lookAfter(host: Host): NodeJS.Timeout {
  const at = COUNTERS.indexOf("turns");
  const lookMillis = host.parts.lookMillis ?? LOOK_MILLIS;
  let [turns, still] = [-1, 0];
  const look = () => {
    const { running, counters } = host;
    still = running.serves && counters[at] === turns ? still + 1 : 0;
    turns = counters[at]!;
    if (still < STILL_LOOKS_MAX) return;
    still = 0;
    const seconds = (STILL_LOOKS_MAX * lookMillis) / 1_000;
    endThread(host, new Error(`the shard has not come back from an input for ${seconds} s`));
  };
  // Looks are counted, and not seconds: a machine that slept must not end its threads for that.
  return setInterval(look, lookMillis).unref();
}

/** Ends a thread from outside; `error` says why, if it has not said so itself. */
function endThread(host: Host, error: Error): void {
  host.running.lastWord ??= { error };
  terminate(host);
}

function terminate({ running, parts }: Host): void {
  void running.thread.terminate();
  knock(parts.resources);
}

function tell(host: Host, message: ToThread): void {
  host.running.port.postMessage(message);
  knock(host.parts.resources);
}

/** Ends the thread's waiting: the counter of an eventfd goes up by one. */
function knock({ libc, wakeFd }: FastResources): void {
  libc.write(wakeFd, libc.native.addressOf(ONE), 8);
}

/** The number 1 in 64 bits. */
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

async function close(host: Host, waitMillis: number): Promise<void> {
  host.closing = true;
  clearTimeout(host.restart);
  tell(host, { kind: "close", waitMillis });
  const late = setTimeout(() => terminate(host), waitMillis + END_MILLIS);
  await host.running.ended;
  clearTimeout(late);
  await host.seat.end();
  closeFastResources(host.parts.resources);
}
