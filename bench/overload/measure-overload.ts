/**
 * Measures what a server does with more work than it has time for: how much it carries, what becomes of joins, video and
 * audio at up to three times that, whether its memory stays in bounds, and how long it takes to be itself again.
 *
 * Everybody is in the rooms from the beginning; the load grows by the packets of each video stream. Somebody else knocks at
 * the door all along.
 */
import { type Generator, passSeconds, startGenerator } from "../load/generator.ts";
import type { Counted, CountedKind } from "../load/messages.ts";
import { type LoadShape, peersOf } from "../load/shape.ts";
import { cpuBetween, readCpu, readResidentBytes } from "../server/process-meter.ts";
import { type ServerProcess, startServerProcess } from "../server/server-process.ts";
import type { Progress } from "../words.ts";
import { type Knocks, type Probe, startProbe } from "./probe.ts";

const JOINS_AT_A_TIME = 16;
/** The search for what the server carries begins with this rate, and goes on by this factor. */
const FIRST_RATE = 60;
const SEARCH_FACTOR = 1.4;
const SEARCH_STEPS_MAX = 16;
/** The parts of what was sent that must come for a load to count as carried. */
const CARRIED_RATIO = 0.98;

/** The ramp in parts of what the server carries, and where the load goes down to afterwards. */
const RAMP = [0.5, 1, 1.5, 2, 2.5, 3] as const;
const CALM_PART = 0.5;
/** How long the server may take to be itself again. */
const RECOVERY_SECONDS_MAX = 40;
/** Memory that the server may need for the load itself: full queues, larger heaps. */
const GROWTH_BYTES_MAX = 128 * 1_024 * 1_024;

/** What is to be measured. */
export interface OverloadOptions extends LoadShape {
  readonly room: LoadShape["room"] & { readonly kind: "meeting" };
  /** Packets a second of each video stream that the server carries; searched for when undefined. */
  readonly capacity: number | undefined;
  /** Seconds of each step before it is measured, and while it is. */
  readonly settleSeconds: number;
  readonly seconds: number;
  /** Further words for `lockstep serve`. */
  readonly serveWords: readonly string[];
}

/** One step of the ramp. */
export interface OverloadStep {
  /** In parts of what the server carries, and in packets a second of each video stream. */
  readonly load: number;
  readonly packetsPerSecondPerStream: number;
  /** Packets a second that came to subscribers. */
  readonly packetsPerSecond: number;
  /** What came, as a part of what was sent times those who should get it. */
  readonly audioRatio: number;
  readonly videoRatio: number;
  /** Video slots that received anything, of all. */
  readonly videoSlotsServed: number;
  readonly videoSlots: number;
  readonly lossRatio: number;
  readonly joins: Knocks;
  /** Of the server. */
  readonly residentBytes: number;
  readonly coresBusy: number;
  readonly generatorBusy: number;
  readonly addedDelayMicros: Counted["delayMicros"];
}

/** Everything that was measured. */
export interface OverloadFigures {
  readonly io: string;
  /** Packets a second of each video stream that the server carries, and what that is for all subscribers together. */
  readonly capacity: number;
  readonly capacityPacketsPerSecond: number;
  readonly steps: readonly OverloadStep[];
  /** Seconds at half of what it carries until joins are taken, and every slot shows its video again; null for never. */
  readonly recovery: { readonly joinsSeconds: number | null; readonly videoSeconds: number | null };
  readonly residentBytesAfter: number;
  /** What was not as the server promises; empty when all was. */
  readonly broken: readonly string[];
}

/** What a measurement needs. */
interface Subject {
  readonly options: OverloadOptions;
  readonly server: ServerProcess;
  readonly generator: Generator;
  readonly probe: Probe;
}

/** Measures everything. Throws with a sentence when the server or the generator can't do its part. */
export async function measureOverload(options: OverloadOptions, onProgress: Progress): Promise<OverloadFigures> {
  const server = await startServerProcess(options.serveWords);
  let generator: Generator | undefined;
  let probe: Probe | undefined;
  try {
    const peers = peersOf(options);
    const pace = { joinsAtATime: JOINS_AT_A_TIME, withinSeconds: 0, sendsAtOnce: false };
    const meeting = { kind: "join", serverUrl: server.url, ...pace } as const;
    generator = await startGenerator({ meeting, peers }, (count) => onProgress("joining", count / peers.length));
    probe = startProbe(server.url);
    return await measureServer({ options, server, generator, probe }, onProgress);
  } finally {
    onProgress("", 1);
    probe?.stop();
    await generator?.stop();
    await server.stop();
  }
}

async function measureServer(subject: Subject, onProgress: Progress): Promise<OverloadFigures> {
  const { options, server } = subject;
  const capacity = options.capacity ?? (await findCapacity(subject, onProgress));
  // A search ends in overload; the ramp begins with a server that has recovered.
  await recover(subject, capacity);
  const steps: OverloadStep[] = [];
  for (const [index, load] of RAMP.entries()) {
    onProgress(`${load} times what it carries`, index / RAMP.length);
    steps.push(await measureStep(subject, load, capacity));
  }
  onProgress("recovering", 0.99);
  const recovery = await recover(subject, capacity);
  const residentBytesAfter = readResidentBytes(server.pid);
  return {
    io: server.io,
    capacity,
    capacityPacketsPerSecond: Math.max(...steps.filter(({ load }) => load <= 1).map((step) => step.packetsPerSecond)),
    steps,
    recovery,
    residentBytesAfter,
    broken: findBroken(steps, recovery),
  };
}

/** The greatest rate of the search that the server carries whole, with joins. */
async function findCapacity(subject: Subject, onProgress: Progress): Promise<number> {
  let carried = 0;
  let rate = FIRST_RATE;
  for (let step = 0; step < SEARCH_STEPS_MAX; step++) {
    onProgress(`looking for what it carries, ${rate} packets/s a stream`, step / SEARCH_STEPS_MAX);
    const { audioRatio, videoRatio, joins } = await measureStep(subject, 1, rate);
    if (Math.min(audioRatio, videoRatio) < CARRIED_RATIO || joins.refused > 0) break;
    carried = rate;
    rate = Math.round(rate * SEARCH_FACTOR);
  }
  if (carried === 0) throw new Error(`the server does not even carry ${FIRST_RATE} packets/s a stream: ask for less`);
  return carried;
}

async function measureStep({ options, server, generator, probe }: Subject, load: number, capacity: number) {
  const rate = Math.round(load * capacity);
  generator.setRate(rate / options.packetsPerSecond);
  await passSeconds(options.settleSeconds);
  probe.take();
  const before = readCpu(server.pid);
  const counted = await generator.count(options.seconds);
  const { userMicros, systemMicros } = cpuBetween(before, readCpu(server.pid));
  const { audio, video, seconds, received, lost } = counted;
  const ratio = ({ sent, received: came }: CountedKind) => (sent === 0 ? 1 : came / sent / (options.room.people - 1));
  const step: OverloadStep = {
    load,
    packetsPerSecondPerStream: rate,
    packetsPerSecond: received / seconds,
    audioRatio: ratio(audio),
    videoRatio: ratio(video),
    videoSlotsServed: video.slotsServed,
    videoSlots: video.slots,
    lossRatio: received + lost === 0 ? 1 : lost / (received + lost),
    joins: probe.take(),
    residentBytes: readResidentBytes(server.pid),
    coresBusy: (userMicros + systemMicros) / 1_000_000 / seconds,
    generatorBusy: counted.cpuMicros / 1_000_000 / seconds,
    addedDelayMicros: counted.delayMicros,
  };
  return step;
}

/** Goes down with the load, and waits until joins are taken and every slot shows its video. */
async function recover({ options, generator, probe }: Subject, capacity: number): Promise<OverloadFigures["recovery"]> {
  generator.setRate((CALM_PART * capacity) / options.packetsPerSecond);
  probe.take();
  const startedAt = performance.now();
  let [joinsSeconds, videoSeconds]: (number | null)[] = [null, null];
  while (joinsSeconds === null || videoSeconds === null) {
    const { video } = await generator.count(1);
    const { tried, refused } = probe.take();
    const seconds = (performance.now() - startedAt) / 1_000;
    if (tried > 0 && refused === 0) joinsSeconds ??= seconds;
    if (video.slotsServed === video.slots) videoSeconds ??= seconds;
    if (seconds > RECOVERY_SECONDS_MAX) break;
  }
  return { joinsSeconds: joinsSeconds ?? null, videoSeconds: videoSeconds ?? null };
}

/** Holds what was measured against what the server promises. */
function findBroken(steps: readonly OverloadStep[], recovery: OverloadFigures["recovery"]): string[] {
  const broken: string[] = [];
  for (const { load, joins, videoSlotsServed, videoSlots } of steps) {
    const times = `at ${load} times what it carries`;
    if (videoSlotsServed < videoSlots && joins.refused < joins.tried) {
      broken.push(`Video was left out ${times}, and still somebody was let in.`);
    }
    if (joins.toldWhen < joins.refused) broken.push(`A join was refused without 503 and Retry-After ${times}.`);
  }
  const first = steps[0]!.residentBytes;
  const most = Math.max(...steps.map(({ residentBytes }) => residentBytes));
  if (most - first > GROWTH_BYTES_MAX) broken.push("Memory grew with the load beyond its bound.");
  if (recovery.joinsSeconds === null) broken.push("Joins were not taken again after the load had gone down.");
  if (recovery.videoSeconds === null) broken.push("Not all video came back after the load had gone down.");
  return broken;
}
