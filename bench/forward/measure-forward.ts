/**
 * Measures a server under load: real sockets, real DTLS and SRTP, the server in a process of its own and the load in
 * another. Each step of the ramp sends for a while before it is measured.
 */
import { measureAdapterLimit, measureCLimit } from "../limit/measure-limit.ts";
import { type Generator, passSeconds, startGenerator } from "../load/generator.ts";
import type { Percentiles } from "../load/messages.ts";
import { forwardedPerSecond, type LoadShape, peersOf } from "../load/shape.ts";
import { cpuBetween, readCpu, readResidentBytes } from "../server/process-meter.ts";
import { type ServerProcess, startServerProcess } from "../server/server-process.ts";
import type { Progress } from "../words.ts";

/** Seconds of each step before it is measured. */
const SETTLE_SECONDS = 2;
/** Losses up to this count as none: what was under way when counting began or ended. */
const LOSS_MAX = 0.001;
/** Peers that ask to join at the same time. */
const JOINS_AT_A_TIME = 16;

/** What is to be measured. */
export interface ForwardOptions extends LoadShape {
  /** Packets a second of each video stream, step by step. */
  readonly rates: readonly number[];
  /** Seconds of each step. */
  readonly seconds: number;
  /** Another server's address; the benchmark starts its own when there is none. */
  readonly server: string | undefined;
  /** Further words for `lockstep serve`. */
  readonly serveWords: readonly string[];
  /** Whether the limits are measured too. */
  readonly limits: boolean;
}

/** One step of the ramp. Processor time is of all the server's threads; null when the server is another machine's. */
export interface ForwardStep {
  readonly packetsPerSecondPerStream: number;
  readonly packetsPerSecond: number;
  readonly cpuMicrosPerForwardedPacket: number | null;
  readonly userMicrosPerForwardedPacket: number | null;
  readonly systemMicrosPerForwardedPacket: number | null;
  readonly lossRatio: number;
  readonly addedDelayMicros: Percentiles;
  readonly garbage: { readonly pauses: number; readonly totalMicros: number; readonly longestMicros: number } | null;
  readonly verified: number;
  readonly wrong: number;
  /** Packets that the generator's own kernel did not take. */
  readonly refused: number;
  readonly slotsServed: number;
  readonly slots: number;
  /** Share of one core that the generator needed. Near 1 the figures are the generator's, not the server's. */
  readonly generatorBusy: number;
}

/** Everything that was measured. */
export interface ForwardFigures {
  readonly io: string;
  readonly joins: {
    readonly count: number;
    readonly seconds: number;
    readonly perSecond: number;
    /** Processor time of the server for one join. */
    readonly cpuMillisPerJoin: number | null;
  };
  /** Of the server, for a participant who is connected and has not sent or received anything yet. */
  readonly bytesPerParticipant: number | null;
  readonly steps: readonly ForwardStep[];
  /** Microseconds a packet through the adapter without the core, and in C. */
  readonly limitMicrosPerPacket: number | null;
  readonly limitCMicrosPerPacket: number | null;
  /** Why a limit is missing; empty when none is. */
  readonly limitWhy: string;
}

/** Measures everything. Throws with a sentence when the server or the generator can't do its part. */
export async function measureForward(options: ForwardOptions, onProgress: Progress): Promise<ForwardFigures> {
  const server = options.server === undefined ? await startServerProcess(options.serveWords) : undefined;
  try {
    const measured = await measureServer(options, server, onProgress);
    await server?.stop();
    return { ...measured, ...(await measureLimits(options, onProgress)) };
  } catch (error) {
    await server?.stop();
    throw error;
  }
}

/** Whether a step went without loss. */
export function isCarried({ lossRatio }: ForwardStep): boolean {
  return lossRatio <= LOSS_MAX;
}

/** The last step without loss, or the first when every one lost something: what the summary speaks of. */
export function bestStep(steps: readonly ForwardStep[]): ForwardStep {
  return steps.findLast(isCarried) ?? steps[0]!;
}

async function measureServer(
  options: ForwardOptions,
  server: ServerProcess | undefined,
  onProgress: Progress,
): Promise<Pick<ForwardFigures, "io" | "joins" | "bytesPerParticipant" | "steps">> {
  const peers = peersOf(options);
  const idleBytes = server === undefined ? 0 : readResidentBytes(server.pid);
  const idleCpu = server === undefined ? undefined : readCpu(server.pid);
  const serverUrl = server?.url ?? options.server!;
  if (server === undefined) await findServer(serverUrl);
  const pace = { joinsAtATime: JOINS_AT_A_TIME, withinSeconds: 0, sendsAtOnce: false };
  const meeting = { kind: "join", serverUrl, ...pace } as const;
  const generator = await startGenerator({ meeting, peers }, (count) => onProgress("joining", count / peers.length));
  try {
    const joinCpu = server === undefined ? null : cpuBetween(idleCpu!, readCpu(server.pid));
    const residentBytes = server === undefined ? null : readResidentBytes(server.pid) - idleBytes;
    const steps: ForwardStep[] = [];
    for (const [index, rate] of options.rates.entries()) {
      onProgress(`${rate} packets/s a stream`, index / options.rates.length);
      generator.setRate(rate / options.packetsPerSecond);
      await passSeconds(SETTLE_SECONDS);
      steps.push(await measureStep(server, generator, rate, options.seconds));
    }
    onProgress("forwarding", 1);
    return {
      io: server?.io ?? "unknown",
      joins: {
        count: peers.length,
        seconds: generator.joinSeconds,
        perSecond: peers.length / generator.joinSeconds,
        cpuMillisPerJoin: joinCpu === null ? null : (joinCpu.userMicros + joinCpu.systemMicros) / 1_000 / peers.length,
      },
      bytesPerParticipant: residentBytes === null ? null : Math.max(0, residentBytes) / peers.length,
      steps,
    };
  } finally {
    await generator.stop();
  }
}

/** Rejects with a sentence when nobody serves there. */
async function findServer(url: string): Promise<void> {
  const why = await fetch(`${url}/healthz`).then(
    ({ ok, status }) => (ok ? "" : `it answers ${status} to /healthz`),
    ({ cause, message }) => cause?.code ?? cause?.message ?? message,
  );
  if (why !== "") throw new Error(`There is no Lockstep at ${url} (${why}): start one there, or correct --server.`);
}

async function measureStep(
  server: ServerProcess | undefined,
  generator: Generator,
  rate: number,
  seconds: number,
): Promise<ForwardStep> {
  server?.takePauses();
  const before = server === undefined ? undefined : readCpu(server.pid);
  const counted = await generator.count(seconds);
  const cpu = server === undefined ? undefined : cpuBetween(before!, readCpu(server.pid));
  const pauses = server?.takePauses();
  const { received, lost } = counted;
  const each = (micros: number | undefined) => (micros === undefined || received === 0 ? null : micros / received);
  return {
    packetsPerSecondPerStream: rate,
    packetsPerSecond: received / counted.seconds,
    cpuMicrosPerForwardedPacket: each(cpu && cpu.userMicros + cpu.systemMicros),
    userMicrosPerForwardedPacket: each(cpu?.userMicros),
    systemMicrosPerForwardedPacket: each(cpu?.systemMicros),
    lossRatio: received + lost === 0 ? 1 : lost / (received + lost),
    addedDelayMicros: counted.delayMicros,
    garbage:
      pauses === undefined
        ? null
        : {
            pauses: pauses.length,
            totalMicros: pauses.reduce((sum, pause) => sum + pause, 0),
            longestMicros: Math.max(0, ...pauses),
          },
    verified: counted.verified,
    wrong: counted.wrong,
    refused: counted.refused,
    slotsServed: counted.slotsServed,
    slots: counted.slots,
    generatorBusy: counted.cpuMicros / 1_000_000 / counted.seconds,
  };
}

/** The limits for as many packets to as many sockets; one publisher stands for all. */
async function measureLimits(
  options: ForwardOptions,
  onProgress: Progress,
): Promise<Pick<ForwardFigures, "limitMicrosPerPacket" | "limitCMicrosPerPacket" | "limitWhy">> {
  const none = { limitMicrosPerPacket: null, limitCMicrosPerPacket: null };
  if (!options.limits) return { ...none, limitWhy: "" };
  if (options.server !== undefined) {
    return { ...none, limitWhy: "Limits are of the server's machine: take them there, with bench limit." };
  }
  const subscribers = subscribersOfLimit(options);
  const packetsPerSecond = Math.max(1, Math.round(forwardedPerSecond(options) / subscribers));
  const shape = { subscribers, packetsPerSecond, packetBytes: options.packetBytes, seconds: options.seconds };
  onProgress("the limit through the adapter", 0);
  const adapter = await measureAdapterLimit(shape);
  onProgress("the limit in C", 0.5);
  const inC = await measureCLimit(shape);
  onProgress("the limits", 1);
  return {
    limitMicrosPerPacket: adapter.microsPerPacket,
    limitCMicrosPerPacket: typeof inC === "string" ? null : inC.microsPerPacket,
    limitWhy: typeof inC === "string" ? inC : "",
  };
}

function subscribersOfLimit({ room }: LoadShape): number {
  return room.kind === "meeting" ? room.people - 1 : room.subscribers;
}
