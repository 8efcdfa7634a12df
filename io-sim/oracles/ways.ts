/**
 * What links explain: the one place that says what a link carries, and what is nobody's fault but the link's.
 *
 * A promise about time or quality is made over links, and whoever judges it asks here first: does the link carry what a
 * call needs at all ({@link waysCarry}), for how long may it hold a stream up ({@link holdsUpMicros}), may a queue stand in
 * it ({@link mayQueue})? All that is read from the plan of the link alone. How long things may take otherwise stands in
 * ./bounds.ts, and how a generated world is healed in ../search/settling.ts.
 */

import { keyframeBytes } from "../client/camera.ts";
import { type LinkPlan, linkQueueMicros, linkSlowestMicros } from "../link/index.ts";
import type { CapacityPlan, EpisodesPlan } from "../link/plan.ts";
import { CAMERAS, type CameraKind } from "../story/plan.ts";
import type { Peer } from "../world/topology.ts";
import type { World } from "../world/world.ts";

/** The smallest IP packet that media and handshakes fit into. */
const MTU_BYTES_MIN = 1_280;
/** What a link has to carry at any time for all that a small call may send. */
const RATE_BPS_MIN = 3_000_000;
/** What a client sends at one moment beside its pictures: sound, reports, a check. */
const BESIDE_PICTURES_BYTES = 2_000;
/** So many bytes of a picture come with one more of headers, tag and what a link counts. */
const BYTES_PER_HEADER_BYTE = 8;
/** What may leave at each moment of a trace. */
const OPPORTUNITY_BYTES = 1_500;
/** The share of packets, in millionths, that may be lost where anything is promised to come within a time. */
const LOSS_PPM_MAX = 100_000;
/** How long a packet may wait in a queue that stands still at times, or of which nothing else is known. */
const QUEUE_MICROS = 2_500_000;
/** A time out of an exponential distribution is longer than this many means once in fifty times. */
const MEANS_MAX = 4;

/** Whether the links of a peer carry what a call needs, so that waiting has an end. */
export function waysCarry({ up, down }: Peer): boolean {
  return linkCarries(up.plan) && linkCarries(down.plan);
}

/** Whether the links of a peer, as they are when it comes, carry what a call needs and lose nothing of it. */
export function beganWell({ plan: { up, down } }: Peer): boolean {
  return [up, down].every((plan) => linkCarries(plan) && !losesPackets(plan));
}

function linkCarries(plan: LinkPlan): boolean {
  const narrow = mayQueue(plan) || plan.mtuBytes < MTU_BYTES_MIN;
  const broken =
    plan.cut || plan.udp !== "passes" || plan.idleMicros > 0 || plan.outages !== null || plan.stalls !== null;
  const lossy = plan.lossPpm + (plan.burstBadMicros > 0 ? plan.burstLossPpm / 10 : 0) + plan.corruptPpm;
  return !narrow && !broken && lossy <= LOSS_PPM_MAX;
}

/**
 * The longest that a link may hold up a stream that goes on: everything is lost or waits for so long, or is so much later
 * than what came before. Nothing for a link that only takes its time.
 */
export function holdsUpMicros(plan: LinkPlan): number {
  const { handovers } = plan;
  const handover = handovers === null ? 0 : handovers.lossLastsMicros[1];
  const silent = longest(plan.outages) + handover + MEANS_MAX * plan.burstBadMicros;
  const later = linkSlowestMicros(plan) - plan.delayMicros + (mayQueue(plan) ? linkQueueMicros(plan) : 0);
  return silent + later;
}

/**
 * Whether a link may lose a packet, or damage it so that nobody takes it. A queue that is never full loses nothing, and what
 * only changes places comes.
 */
export function losesPackets(plan: LinkPlan): boolean {
  const { lossPpm, burstBadMicros, corruptPpm, truncatePpm, policerBps, arq, outages, handovers } = plan;
  const losesByChance = lossPpm + burstBadMicros + corruptPpm + truncatePpm > 0 || arq !== null || outages !== null;
  return losesByChance || handovers !== null || policerBps > 0 || mayQueue(plan);
}

/** Whether a queue may stand in a link: it is narrow at times, or others use it. */
export function mayQueue(plan: LinkPlan): boolean {
  return plan.cross !== null || plan.shared !== "" || narrowestBps(plan) < RATE_BPS_MIN;
}

/**
 * The most that a client with this camera sends at one moment, as a link counts it: a keyframe in each layer, as each
 * connection begins.
 */
export function momentBytes(camera: CameraKind | null): number {
  if (camera === null) return BESIDE_PICTURES_BYTES;
  const { layers, framesPerSecond } = CAMERAS[camera];
  const pictures = layers.reduce((sum, layer) => sum + keyframeBytes(layer, framesPerSecond), 0);
  return BESIDE_PICTURES_BYTES + pictures + Math.ceil(pictures / BYTES_PER_HEADER_BYTE);
}

/**
 * How long so many bytes, sent at one moment, may take to pass a way that is wide enough for them: the last packet comes so
 * much later than a packet alone would. Where the way carries nothing for a while they wait for as long, and then pass; what
 * never passes is not late.
 */
export function momentMicros({ rateBps, policerBps, capacity }: LinkPlan, bytes: number): number {
  const rates = [rateBps, policerBps, ...(capacity === null ? [] : ratesOf(capacity))].filter((bps) => bps > 0);
  const passing = Math.ceil((bytes * 8_000_000) / Math.min(Number.POSITIVE_INFINITY, ...rates));
  return passing + (capacity === null ? 0 : darkMicros(capacity, bytes));
}

/** The longest that a packet of a small call may wait in the queue of a link: not at all where the link is wide. */
export function longestQueueMicros(plan: LinkPlan): number {
  return mayQueue(plan) ? fullQueueMicros(plan) : 0;
}

/** How long a full queue takes to drain at the least rate. */
function fullQueueMicros(plan: LinkPlan): number {
  const least = Math.min(plan.rateBps || Number.POSITIVE_INFINITY, leastOf(plan.capacity));
  const isKnown = least > 0 && Number.isFinite(least) && plan.capacity?.kind !== "trace";
  return isKnown ? linkQueueMicros({ ...plan, rateBps: least }) : QUEUE_MICROS;
}

/**
 * The longest that a packet of this peer can have been on its way up until this moment, over all that its link has been like
 * so far, and with all that has clogged it or made its device stand still. Huge frames fill the queue of any link with a rate.
 */
export function slowestUpSoFar({ plan, zeroAt }: World, { plan: { name, camera, up } }: Peer, moment: number): number {
  let way = up;
  const bytes = momentBytes(camera);
  let isFilled = false;
  let slowest = slowestMicros(up, bytes, isFilled);
  let held = 0;
  for (const { atMicros, operation } of plan.steps) {
    if (zeroAt === 0 || zeroAt + atMicros > moment) continue;
    if (operation.type === "swizzle" && operation.peers.includes(name)) held += operation.overMicros;
    if (!("peer" in operation) || operation.peer !== name) continue;
    if (operation.type === "stall") held += operation.forMicros;
    if (operation.type === "misbehave" && operation.habit === "huge-frames") isFilled = camera !== null;
    if (operation.type === "link") way = { ...way, ...operation.up };
    slowest = Math.max(slowest, slowestMicros(way, bytes, isFilled));
  }
  return slowest + held;
}

/**
 * The shortest that a packet can have been on its way to this peer and back until this moment, over all that its links have
 * been like so far.
 */
export function shortestTripSoFar({ plan, zeroAt }: World, { plan: { name, ...links } }: Peer, moment: number): number {
  let { up, down } = links;
  let shortest = fastestMicros(up) + fastestMicros(down);
  for (const { atMicros, operation } of plan.steps) {
    if (zeroAt === 0 || zeroAt + atMicros > moment || operation.type !== "link" || operation.peer !== name) continue;
    up = { ...up, ...operation.up };
    down = { ...down, ...operation.down };
    shortest = Math.min(shortest, fastestMicros(up) + fastestMicros(down));
  }
  return shortest;
}

function fastestMicros({ delayMicros, jitterMicros, swing }: LinkPlan): number {
  return Math.max(0, delayMicros - 3 * jitterMicros - (swing?.byMicros ?? 0));
}

function slowestMicros(plan: LinkPlan, bytes: number, isFilled: boolean): number {
  const fills = isFilled && (plan.rateBps > 0 || plan.capacity !== null);
  const queue = fills ? fullQueueMicros(plan) : longestQueueMicros(plan);
  return linkSlowestMicros(plan) + queue + momentMicros(plan, bytes);
}

/** What a link carries when it carries least; without end where nothing limits it. */
function narrowestBps({ rateBps, policerBps, capacity }: LinkPlan): number {
  const limits = [rateBps, policerBps].filter((bps) => bps > 0);
  return Math.min(Number.POSITIVE_INFINITY, ...limits, leastOf(capacity));
}

function leastOf(capacity: CapacityPlan | null): number {
  return capacity === null ? Number.POSITIVE_INFINITY : Math.min(...ratesOf(capacity));
}

/** The rates that a capacity has, or has between them. */
function ratesOf(capacity: CapacityPlan): readonly number[] {
  switch (capacity.kind) {
    case "steps":
      return capacity.steps.map(({ bps }) => bps);
    case "ramp":
      return [capacity.fromBps, capacity.toBps];
    case "oscillation":
      return [capacity.leastBps, capacity.greatestBps];
    case "markov":
      return capacity.levelsBps;
    case "dips":
      return [capacity.bps];
    case "trace":
      return [
        Math.floor((capacity.opportunitiesMicros.length * OPPORTUNITY_BYTES * 8_000_000) / capacity.periodMicros),
      ];
  }
}

/** The longest that a capacity carries nothing at a time, or too little for a moment's packets, and then carries again. */
function darkMicros(capacity: CapacityPlan, bytes: number): number {
  switch (capacity.kind) {
    case "steps":
      return darkStepsMicros(capacity);
    case "ramp": {
      const { fromBps, toBps, overMicros } = capacity;
      return Math.min(fromBps, toBps) > 0 ? 0 : slopeMicros(Math.max(fromBps, toBps), overMicros, bytes);
    }
    case "oscillation": {
      const { leastBps, greatestBps, periodMicros } = capacity;
      // Down to nothing, and up again.
      return leastBps > 0 ? 0 : 2 * slopeMicros(greatestBps, Math.ceil(periodMicros / 2), bytes);
    }
    case "markov":
      // Each other step would lead below the least level and is not made.
      return Math.min(...capacity.levelsBps) > 0 ? 0 : 2 * MEANS_MAX * capacity.dwellMicros;
    case "dips":
      return capacity.bps > 0 ? 0 : longest(capacity.episodes);
    case "trace":
      return slowestOpportunities(capacity, bytes);
  }
}

function darkStepsMicros({ steps, repeatMicros }: Extract<CapacityPlan, { kind: "steps" }>): number {
  // One round behind the other, so that a stretch may go over the end of one.
  const rounds = repeatMicros > 0 ? [0, repeatMicros] : [0];
  let most = 0;
  let from: number | undefined;
  for (const round of rounds) {
    for (const { atMicros, bps } of steps) {
      if (bps === 0) from ??= round + atMicros;
      else if (from !== undefined) {
        most = Math.max(most, round + atMicros - from);
        from = undefined;
      }
    }
  }
  return most;
}

/** How long a moment's packets take while a capacity grows from nothing to this in a straight line. */
function slopeMicros(toBps: number, overMicros: number, bytes: number): number {
  if (toBps === 0) return 0;
  return Math.min(overMicros, Math.ceil(Math.sqrt((2 * overMicros * bytes * 8_000_000) / toBps)));
}

/** How long a moment's packets wait for where the opportunities of a trace are rarest. */
function slowestOpportunities(
  { opportunitiesMicros, periodMicros }: Extract<CapacityPlan, { kind: "trace" }>,
  bytes: number,
): number {
  const { length } = opportunitiesMicros;
  const needed = Math.ceil(bytes / OPPORTUNITY_BYTES);
  const timeOf = (index: number) => opportunitiesMicros[index % length]! + Math.floor(index / length) * periodMicros;
  return Math.max(0, ...opportunitiesMicros.map((at, index) => timeOf(index + needed) - at));
}

function longest(episodes: EpisodesPlan | null): number {
  return episodes === null ? 0 : episodes.lastsMicros[1];
}
