/**
 * How much a bottleneck carries, and until when that is true.
 *
 * Every process is a row of constant stretches: `capacityAt` answers the rate of the present one and notes its end, and
 * the bottleneck comes back there. Lines (ramps and oscillations) are stairs of 10 ms. Traces are no rates but moments at
 * which bytes may leave; `nextOpportunity` finds them.
 */
import { below, between, dwell, type Stream } from "../base/random.ts";
import { createEpisodes, type Episodes, inEpisode } from "./episodes.ts";
import type { CapacityPlan, LinkPlan } from "./plan.ts";

/** Width of the stairs by which lines are climbed. */
const STAIR_MICROS = 10_000;

/** Where a capacity process is. */
export interface Capacity {
  readonly stream: Stream;
  readonly dips: Episodes;
  readonly since: number;
  /** The level of a walk, and when it ends. */
  level: number;
  levelEndsAt: number;
  /** When the rate that was answered last ends. */
  until: number;
}

/** A process that begins at `now`; `dips` is the stream that both directions have in common. */
export function createCapacity(stream: Stream, dips: Stream, now: number): Capacity {
  return { stream, dips: createEpisodes(dips, now), since: now, level: -1, levelEndsAt: now, until: now };
}

/** Bits per second at `time`, valid until `capacity.until`. Times never go back. Not for traces. */
export function capacityAt(capacity: Capacity, plan: LinkPlan, time: number): number {
  const { capacity: process } = plan;
  capacity.until = Number.MAX_SAFE_INTEGER;
  if (process === null) return plan.rateBps;
  const elapsed = time - capacity.since;
  switch (process.kind) {
    case "steps":
      return stepAt(capacity, process, time, elapsed);
    case "ramp": {
      if (elapsed >= process.overMicros) return process.toBps;
      capacity.until = nextStair(time, elapsed);
      const middle = Math.min(process.overMicros, middleOfStair(elapsed));
      return onLine(process.fromBps, process.toBps, middle, process.overMicros);
    }
    case "oscillation": {
      const { leastBps, greatestBps, periodMicros } = process;
      const half = Math.max(1, Math.floor(periodMicros / 2));
      const phase = middleOfStair(elapsed) % (2 * half);
      capacity.until = nextStair(time, elapsed);
      return onLine(leastBps, greatestBps, phase < half ? phase : 2 * half - phase, half);
    }
    case "markov":
      return walk(capacity, process, time);
    case "dips": {
      const dipped = inEpisode(capacity.dips, process.episodes, time);
      capacity.until = dipped ? capacity.dips.endsAt : capacity.dips.startsAt;
      return dipped ? process.bps : plan.rateBps;
    }
    default:
      return 0;
  }
}

function nextStair(time: number, elapsed: number): number {
  return time + STAIR_MICROS - (elapsed % STAIR_MICROS);
}

function middleOfStair(elapsed: number): number {
  return elapsed - (elapsed % STAIR_MICROS) + STAIR_MICROS / 2;
}

/** The value of a line that takes `over` from one value to the other. */
function onLine(from: number, to: number, elapsed: number, over: number): number {
  return from + Math.trunc(((to - from) * elapsed) / over);
}

function stepAt(
  capacity: Capacity,
  { steps, repeatMicros }: Extract<CapacityPlan, { kind: "steps" }>,
  time: number,
  elapsed: number,
): number {
  const phase = repeatMicros > 0 ? elapsed % repeatMicros : elapsed;
  let bps = steps[0]?.bps ?? 0;
  for (const step of steps) {
    if (step.atMicros > phase) {
      capacity.until = time + step.atMicros - phase;
      return bps;
    }
    bps = step.bps;
  }
  if (repeatMicros > 0) capacity.until = time + repeatMicros - phase;
  return bps;
}

function walk(
  capacity: Capacity,
  { levelsBps, dwellMicros, reach }: Extract<CapacityPlan, { kind: "markov" }>,
  time: number,
): number {
  const { stream } = capacity;
  if (capacity.level < 0 || capacity.level >= levelsBps.length) {
    capacity.level = below(stream, levelsBps.length);
    capacity.levelEndsAt = time + 1 + dwell(stream, dwellMicros);
  }
  while (time >= capacity.levelEndsAt) {
    const distance = between(stream, 1, reach);
    const next = capacity.level + (below(stream, 2) === 0 ? -distance : distance);
    // A step beyond the ends is not made: that keeps every level equally likely.
    if (next >= 0 && next < levelsBps.length) capacity.level = next;
    capacity.levelEndsAt += 1 + dwell(stream, dwellMicros);
  }
  capacity.until = capacity.levelEndsAt;
  return levelsBps[capacity.level]!;
}

/** The first moment after `time` at which the trace lets bytes leave. */
export function nextOpportunity(
  capacity: Capacity,
  { opportunitiesMicros, periodMicros }: Extract<CapacityPlan, { kind: "trace" }>,
  time: number,
): number {
  const phase = (time - capacity.since) % periodMicros;
  const start = time - phase;
  let low = 0;
  let high = opportunitiesMicros.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (opportunitiesMicros[middle]! > phase) high = middle;
    else low = middle + 1;
  }
  const found = opportunitiesMicros[low];
  return found === undefined ? start + periodMicros + opportunitiesMicros[0]! : start + found;
}

/** The rate that stands for a varying capacity where one number is asked for: the middle of its values. */
export function nominalRate(process: CapacityPlan): number {
  switch (process.kind) {
    case "steps": {
      const rates = process.steps.map(({ bps }) => bps).sort((a, b) => a - b);
      return rates[rates.length >> 1] ?? 0;
    }
    case "ramp":
      return Math.max(process.fromBps, process.toBps);
    case "oscillation":
      return Math.floor((process.leastBps + process.greatestBps) / 2);
    case "markov":
      return process.levelsBps[process.levelsBps.length >> 1] ?? 0;
    case "dips":
      return process.bps;
    default:
      return Math.floor((process.opportunitiesMicros.length * 1_500 * 8 * 1_000_000) / process.periodMicros);
  }
}
