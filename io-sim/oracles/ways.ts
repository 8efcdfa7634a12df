/**
 * What links explain: the one place that says what a link carries, and what is nobody's fault but the link's.
 *
 * A promise about time or quality is made over links, and whoever judges it asks here first: does the link carry what a
 * call needs at all ({@link waysCarry}), for how long may it hold a stream up ({@link holdsUpMicros}), may a queue stand in
 * it ({@link mayQueue})? All that is read from the plan of the link alone. How long things may take otherwise stands in
 * ./bounds.ts, and how a generated world is healed in ../search/settling.ts.
 */
import type { CapacityPlan, EpisodesPlan } from "../link/plan.ts";
import { type LinkPlan, linkQueueMicros, linkSlowestMicros } from "../link.ts";
import type { Peer } from "../topology.ts";

/** The smallest IP packet that media and handshakes fit into. */
const MTU_BYTES_MIN = 1_280;
/** What a link has to carry at any time for all that a small call may send. */
const RATE_BPS_MIN = 3_000_000;
/** What a camera sends at one moment: a picture in each of three layers, of which few are larger together. */
const MOMENT_BYTES = 8_000;
/** The share of packets, in millionths, that may be lost where anything is promised to come within a time. */
const LOSS_PPM_MAX = 100_000;
/** A time out of an exponential distribution is longer than this many means once in fifty times. */
const MEANS_MAX = 4;

/** Whether the links of a peer carry what a call needs, so that waiting has an end. */
export function waysCarry({ up, down }: Peer): boolean {
  return linkCarries(up.plan) && linkCarries(down.plan);
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
 * How long what a camera sends at one moment may take to pass a way that is wide enough for it: its last packet comes so much
 * later than a packet alone would, in each picture.
 */
export function momentMicros(plan: LinkPlan): number {
  return Math.ceil((MOMENT_BYTES * 8_000_000) / narrowestBps(plan));
}

/** What a link carries when it carries least; without end where nothing limits it. */
function narrowestBps({ rateBps, policerBps, capacity }: LinkPlan): number {
  const limits = [rateBps, policerBps].filter((bps) => bps > 0);
  return Math.min(Number.POSITIVE_INFINITY, ...limits, ...(capacity === null ? [] : [leastBps(capacity)]));
}

function leastBps(capacity: CapacityPlan): number {
  switch (capacity.kind) {
    case "steps":
      return Math.min(...capacity.steps.map(({ bps }) => bps));
    case "ramp":
      return Math.min(capacity.fromBps, capacity.toBps);
    case "oscillation":
      return capacity.leastBps;
    case "markov":
      return Math.min(...capacity.levelsBps);
    case "dips":
      return capacity.bps;
    case "trace":
      return Math.floor((capacity.opportunitiesMicros.length * 12_000_000_000) / capacity.periodMicros);
  }
}

function longest(episodes: EpisodesPlan | null): number {
  return episodes === null ? 0 : episodes.lastsMicros[1];
}
