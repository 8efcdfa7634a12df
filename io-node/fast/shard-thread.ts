/**
 * What a shard's thread does all its life: turns of the loop, with messages of the main thread in between.
 *
 * The thread never goes back to Node's event loop while it serves. Messages are fetched from their port by hand; a byte
 * in the wake-up descriptor ends the waiting when one has been posted. Replies and events of a turn travel in one message.
 * Counters lie in memory that both threads see, so that nobody has to ask for them.
 */
import { randomBytes } from "node:crypto";
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { CandidateAddress, Command, CommandReply, CryptoProvider, Finding, ShardEvent } from "../../core/index.ts";
import { type ContextLedger, createOpensslCrypto } from "../../io-crypto/openssl-crypto.ts";
import { createClock } from "../clock.ts";
import type { JournalLife } from "../journal/life.ts";
import type { ShardLife } from "../relay/relay-mesh.ts";
import type { RelayPeer } from "../relay/relay-ways.ts";
import { type CreateEngine, createBootRecord } from "../shard-engine.ts";
import { loadLibc } from "./libc.ts";
import {
  createFastLoop,
  type FastLoop,
  fastCommand,
  fastFarewell,
  fastMeet,
  fastPart,
  fastTurn,
  stopFastLoop,
} from "./loop.ts";
import { openBlock } from "./memory.ts";
import { createOutputs, outputEvent, takeOutputs } from "./outputs.ts";
import { type Priority, raisePriority } from "./priority.ts";

/** The longest that a thread waits without looking around: an exit of the process waits for its threads. */
const WAIT_MICROS_MAX = 100_000;

/** What a thread is told at its birth. */
export interface ThreadBoot {
  readonly port: MessagePort;
  readonly candidates: readonly CandidateAddress[];
  readonly life: ShardLife;
  readonly journals: JournalLife | undefined;
  /** Native memory and descriptors, lent by the main thread. */
  readonly block: { readonly address: number; readonly length: number };
  readonly fds: readonly number[];
  readonly wakeFd: number;
  /** Whether the thread is to come before others, as far as the system allows. */
  readonly raised: boolean;
  /** Shared; in the order of {@link COUNTERS}. */
  readonly counters: Float64Array;
  /** Shared: what the thread holds of native memory besides. */
  readonly ledger: ContextLedger;
}

/** What the main thread says. */
export type ToThread =
  | { readonly kind: "command"; readonly commandId: number; readonly command: Command }
  | { readonly kind: "meet"; readonly peer: RelayPeer }
  | { readonly kind: "part"; readonly number: number }
  | { readonly kind: "close"; readonly waitMillis: number };

/** What the thread says. */
export type FromThread =
  /** It serves from now on, with a priority of its own if it has got one. */
  | { readonly kind: "started"; readonly priority: Priority | undefined }
  | { readonly kind: "outputs"; readonly events: readonly ShardEvent[]; readonly replies: readonly CommandReply[] }
  /** The shard with this number does not read what it is told. */
  | { readonly kind: "given-up"; readonly number: number }
  | { readonly kind: "looked"; readonly findings: readonly Finding[] }
  | { readonly kind: "failed"; readonly error: unknown };

/**
 * The counters that both threads see, in order: of receiving, of sending, of relaying, how often the loop has turned, and
 * processor time.
 */
export const COUNTERS = [
  ...(["received", "receivedBytes", "badLength", "noFlow", "socketErrors"] as const),
  ...(["sent", "sentBytes", "dropped", "failed", "noBuffers"] as const),
  ...(["relayedPackets", "relayDropped", "relayedMail"] as const),
  ...(["turns", "cpuMicros"] as const),
] as const;

/** Serves until the main thread says "close" or the shard throws. What fails here is told to the main thread. */
export function runShardThread(createEngine: CreateEngine): void {
  const boot = workerData as ThreadBoot;
  const say = (message: FromThread) => boot.port.postMessage(message);
  const crypto = createOpensslCrypto(boot.ledger);
  try {
    if (typeof crypto === "string") throw new Error(crypto);
    serve(boot, crypto, createEngine, say);
  } catch (error) {
    say({ kind: "failed", error });
  } finally {
    if (typeof crypto !== "string") crypto.close();
    boot.port.close();
  }
}

function serve(
  boot: ThreadBoot,
  crypto: CryptoProvider,
  createEngine: CreateEngine,
  say: (message: FromThread) => void,
): void {
  const libc = loadLibc();
  if (typeof libc === "string") throw new Error(libc);
  const priority = boot.raised ? raisePriority(libc) : undefined;
  const clock = createClock();
  const outputs = createOutputs();
  const failures: unknown[] = [];
  const loop = createFastLoop({
    libc,
    block: openBlock(libc.native, boot.block.address, boot.block.length),
    fds: boot.fds,
    wakeFd: boot.wakeFd,
    engine: createEngine(
      createBootRecord(clock, boot.candidates, boot.life),
      crypto,
      (findings) => say({ kind: "looked", findings }),
      boot.journals,
    ),
    crypto,
    clock,
    flowSeed: randomBytes(4).readInt32LE(0),
    onEvent: (event) => outputEvent(outputs, event),
    onReply: (reply) => outputs.replies.push(reply),
    onFailure: (error) => failures.push(error),
  });
  say({ kind: "started", priority });
  for (;;) {
    const farewellMillis = loop.knocked ? takeMessages(boot.port, loop) : -1;
    const told = takeOutputs(outputs, loop.now);
    if (told !== undefined) say({ kind: "outputs", ...told });
    if (loop.relays.givenUp.length > 0) sayGivenUp(loop, say);
    if (farewellMillis >= 0) fastFarewell(loop, farewellMillis);
    writeCounters(loop, boot.counters);
    if (failures.length > 0) throw failures[0];
    if (farewellMillis >= 0) return;
    fastTurn(loop, WAIT_MICROS_MAX);
  }
}

/** Carries out what the main thread has said; answers with the milliseconds of the farewell, or -1 while there is none. */
function takeMessages(port: MessagePort, loop: FastLoop): number {
  loop.knocked = false;
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    const message = next.message as ToThread;
    switch (message.kind) {
      case "command":
        fastCommand(loop, message.commandId, message.command);
        break;
      case "meet":
        fastMeet(loop, message.peer);
        break;
      case "part":
        fastPart(loop, message.number);
        break;
      case "close":
        stopFastLoop(loop);
        return message.waitMillis;
    }
  }
  return -1;
}

function sayGivenUp({ relays }: FastLoop, say: (message: FromThread) => void): void {
  for (const number of relays.givenUp.splice(0)) say({ kind: "given-up", number });
}

/** In the order of {@link COUNTERS}, by name and not in a loop over names: this is done in each turn. */
export function writeCounters({ received, sent, relays, turns, cpuMicros }: FastLoop, counters: Float64Array): void {
  counters[0] = received.received;
  counters[1] = received.receivedBytes;
  counters[2] = received.badLength;
  counters[3] = received.noFlow;
  counters[4] = received.socketErrors;
  counters[5] = sent.sent;
  counters[6] = sent.sentBytes;
  counters[7] = sent.dropped;
  counters[8] = sent.failed;
  counters[9] = sent.noBuffers;
  counters[10] = relays.counters.relayedPackets;
  counters[11] = relays.counters.relayDropped;
  counters[12] = relays.counters.relayedMail;
  counters[13] = turns;
  counters[14] = cpuMicros;
}
