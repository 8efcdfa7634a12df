/**
 * The main thread's side of the fast host: it owns sockets, memory and the thread, and passes messages.
 *
 * A shard's thread that dies takes its calls with it and nothing else. Whoever started the host hears why, and a fresh
 * thread with an empty shard goes on over the same sockets. When that happens again and again, something is wrong that a
 * fresh shard doesn't cure: then the host gives up.
 *
 * Everything native is freed in one place, after the thread has ended, whichever way it has.
 */
import { once } from "node:events";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { CandidateAddress, CommandReply, ShardEvent } from "../../core/index.ts";
import type { ShardHost } from "../shard-host.ts";
import type { ReceiveCounters } from "../udp-host.ts";
import { LINUX, type Libc, loadLibc } from "./libc.ts";
import { fastLoopBytes } from "./loop.ts";
import type { FastSendCounters } from "./send-queues.ts";
import { COUNTERS, type FromThread, type ThreadBoot, type ToThread } from "./shard-thread.ts";
import { closeFastSockets, type FastSockets, openFastSockets, SystemError } from "./sockets.ts";

/** A thread that dies more often than this within {@link DEATHS_MILLIS} is not replaced any more. */
const DEATHS_MAX = 5;
const DEATHS_MILLIS = 60_000;

/** How much longer than its farewell a thread may take to end before it is ended. */
const END_MILLIS = 400;

/** Everything native that a host owns. */
export interface FastResources {
  readonly libc: Libc;
  readonly sockets: FastSockets;
  readonly wakeFd: number;
  readonly block: { readonly address: number; readonly length: number };
}

/** What a host is made of. */
export interface FastHostParts {
  readonly resources: FastResources;
  readonly candidates: readonly CandidateAddress[];
  readonly onReply: (reply: CommandReply) => void;
  readonly onEvent: (event: ShardEvent) => void;
  /** The shard's thread has died: everybody in a call is gone, open commands get no reply. A fresh shard takes over. */
  readonly onLost: (error: unknown) => void;
  /** Threads have died too often; there is no fresh one. */
  readonly onFailure: (error: unknown) => void;
  /** The module that the thread runs; tests have others. */
  readonly entry?: URL;
}

/** The host's own state. */
interface Host {
  readonly parts: FastHostParts;
  readonly counters: Float64Array;
  thread: Worker;
  port: MessagePort;
  /** When threads have died lately, by `performance.now`. */
  deaths: number[];
  /** The thread's own word about why it dies. */
  lastWord: { readonly error: unknown } | undefined;
  /** A thread has come so far as to serve. */
  serves: boolean;
  closing: boolean;
  /** Resolves when the thread that runs now has ended. */
  ended: Promise<void>;
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
  libc.native.free(block.address);
}

/**
 * Starts a thread with a shard; resolves when it serves, and rejects with its reason when it does not come to that. The
 * resources belong to the host from now on.
 */
export async function startFastHost(parts: FastHostParts): Promise<ShardHost> {
  const counters = new Float64Array(new SharedArrayBuffer(COUNTERS.length * 8));
  const host: Host = {
    parts,
    counters,
    deaths: [],
    lastWord: undefined,
    serves: false,
    closing: false,
    ...startThread(parts, counters),
  };
  watchThread(host);
  await Promise.race([once(host.port, "message"), host.ended]);
  if (!host.serves) {
    await host.ended;
    closeFastResources(parts.resources);
    throw reasonOf(host);
  }
  let closed: Promise<void> | undefined;
  return {
    get received() {
      return readCounters(counters);
    },
    get sent() {
      return readCounters(counters);
    },
    command(commandId, command) {
      tell(host, { kind: "command", commandId, command });
    },
    close(waitMillis) {
      closed ??= close(host, waitMillis);
      return closed;
    },
  };
}

/** All counters by name: those of receiving and those of sending have different ones. */
function readCounters(counters: Float64Array): ReceiveCounters & FastSendCounters {
  return Object.fromEntries(COUNTERS.map((name, index) => [name, counters[index]!])) as Record<
    (typeof COUNTERS)[number],
    number
  >;
}

function startThread(parts: FastHostParts, counters: Float64Array): Pick<Host, "thread" | "port" | "ended"> {
  const { port1, port2 } = new MessageChannel();
  const { resources, candidates } = parts;
  const boot: ThreadBoot = {
    entry: (parts.entry ?? new URL("./thread-entry.ts", import.meta.url)).href,
    port: port2,
    candidates,
    block: resources.block,
    fds: resources.sockets.fds,
    wakeFd: resources.wakeFd,
    counters,
  };
  const thread = new Worker(new URL("./thread.mjs", import.meta.url), {
    workerData: boot,
    transferList: [port2],
    // The thread's own flags: what the main thread was started with may not fit a thread.
    execArgv: [],
  });
  const ended = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
  return { thread, port: port1, ended };
}

function watchThread(host: Host): void {
  const { thread, port, parts } = host;
  const hear = (message: FromThread) => {
    if (message.kind === "started") host.serves = true;
    if (message.kind === "failed") host.lastWord = { error: message.error };
    if (message.kind !== "outputs") return;
    for (const event of message.events) parts.onEvent(event);
    for (const reply of message.replies) parts.onReply(reply);
  };
  port.on("message", hear);
  thread.on("error", (error) => {
    host.lastWord = { error };
  });
  thread.once("exit", () => {
    for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
      hear(last.message as FromThread);
    }
    port.close();
    if (host.serves && !host.closing) replaceThread(host);
  });
}

function replaceThread(host: Host): void {
  const { parts } = host;
  const error = reasonOf(host);
  host.lastWord = undefined;
  const now = performance.now();
  host.deaths = [...host.deaths.filter((at) => now - at < DEATHS_MILLIS), now];
  parts.onLost(error);
  if (host.deaths.length >= DEATHS_MAX) {
    parts.onFailure(error);
    return;
  }
  Object.assign(host, startThread(parts, host.counters));
  watchThread(host);
}

/** Why a thread has ended. */
function reasonOf(host: Host): unknown {
  return host.lastWord?.error ?? new Error("the shard's thread has ended without a word");
}

function tell(host: Host, message: ToThread): void {
  host.port.postMessage(message);
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
  tell(host, { kind: "close", waitMillis });
  const late = setTimeout(() => {
    host.thread.terminate();
    knock(host.parts.resources);
  }, waitMillis + END_MILLIS);
  await host.ended;
  clearTimeout(late);
  closeFastResources(host.parts.resources);
}
