/**
 * What one direction of a link is like, as plain data that a plan can hold.
 *
 * Every station of the pipeline (./link.ts) has its numbers here and an "off" value: zero, null or false. All numbers are
 * whole: times in microseconds, rates in bits per second, sizes in bytes with the headers of IP and UDP, shares in
 * millionths. A range is [least, greatest], both included, and every value in it is equally likely.
 */
import type { Ppm } from "../base/random.ts";

/** Least and greatest, both included. */
export type Range = readonly [least: number, greatest: number];

/** Something that comes and goes: quiet for a time out of `everyMicros`, then there for one out of `lastsMicros`. */
export interface EpisodesPlan {
  readonly everyMicros: Range;
  readonly lastsMicros: Range;
}

/** How the capacity of a bottleneck changes; times count from when the plan came into force. */
export type CapacityPlan =
  /** Set to these values at these times (ascending); begins again after `repeatMicros` when that is not 0. */
  | {
      readonly kind: "steps";
      readonly steps: readonly { readonly atMicros: number; readonly bps: number }[];
      readonly repeatMicros: number;
    }
  /** From one value to another in a straight line, and then the other for good. */
  | { readonly kind: "ramp"; readonly fromBps: number; readonly toBps: number; readonly overMicros: number }
  /** Up and down in straight lines, beginning at the least. */
  | {
      readonly kind: "oscillation";
      readonly leastBps: number;
      readonly greatestBps: number;
      readonly periodMicros: number;
    }
  /**
   * A random walk over levels (ascending): each holds for an exponential time around `dwellMicros`, then the walk goes up
   * or down by 1 to `reach` levels; a step beyond the ends is not made. All levels hold for equal shares of the time.
   */
  | {
      readonly kind: "markov";
      readonly levelsBps: readonly number[];
      readonly dwellMicros: number;
      readonly reach: number;
    }
  /** The link's `rateBps`, but `bps` during the episodes, which hit both directions at once. */
  | { readonly kind: "dips"; readonly bps: number; readonly episodes: EpisodesPlan }
  /** 1,500 bytes may leave at each of these moments (ascending, below `periodMicros`), again and again. */
  | { readonly kind: "trace"; readonly opportunitiesMicros: readonly number[]; readonly periodMicros: number };

/** Packets of others in the same queue: on for an exponential time at `bps`, then off for one. */
export interface CrossTrafficPlan {
  readonly bps: number;
  readonly packetBytes: number;
  readonly onMicros: number;
  readonly offMicros: number;
}

/** When the medium lets a station speak: in slots of a fixed rhythm, or some time after it has asked. */
export type MacPlan =
  | { readonly kind: "slots"; readonly everyMicros: number }
  | { readonly kind: "grants"; readonly waitMicros: Range };

/** Repetition below IP: each try fails with this probability and costs a wait; what fails `triesMax` times is lost. */
export interface ArqPlan {
  readonly failPpm: Ppm;
  readonly waitMicros: Range;
  readonly triesMax: number;
}

/** A delay that is redrawn: up to this much more or less than `delayMicros`, anew each `everyMicros` (0: only once). */
export interface SwingPlan {
  readonly byMicros: number;
  readonly everyMicros: number;
}

/** What happens each `everyMicros` when the path goes over another satellite. */
export interface HandoverPlan {
  readonly everyMicros: number;
  /** One of these is added to the delay for `spikeLastsMicros`. */
  readonly spikesMicros: readonly number[];
  readonly spikeLastsMicros: number;
  /** The share of handovers that lose packets, which share of the packets, and for how long. */
  readonly lossyPpm: Ppm;
  readonly lossPpm: Ppm;
  readonly lossLastsMicros: Range;
}

/** What one direction of a link is like. */
export interface LinkPlan {
  /** The sending host does nothing: what it sends meanwhile leaves at the end. */
  readonly stalls: EpisodesPlan | null;
  /** Whether nothing passes. */
  readonly cut: boolean;
  /** Whether everything waits; what has waited leaves at once when this ends. */
  readonly clogged: boolean;
  /** Largest IP packet; larger ones vanish, and nobody is told. */
  readonly mtuBytes: number;
  /**
   * What a firewall does to UDP. "tunnelled" carries datagrams in a TCP connection (RFC 4571): nothing is lost or
   * reordered, but what a loss would have taken comes a round trip late, and everything behind it waits.
   */
  readonly udp: "passes" | "dropped" | "tunnelled";
  /** A connection that carried nothing this way for so long is dead for good; 0 means never. */
  readonly idleMicros: number;
  /** Bytes of IP and UDP header: 28 with IPv4, 48 with IPv6. */
  readonly overheadBytes: number;
  /** Which datagrams of DTLS are lost, counted from 0 for each client. */
  readonly loseDtls: readonly number[];
  /** A token bucket that drops what exceeds it, and queues nothing; 0 means no policer. */
  readonly policerBps: number;
  readonly policerBurstBytes: number;
  /** Capacity of the bottleneck, its median when `capacity` makes it vary; 0 means without end. */
  readonly rateBps: number;
  readonly capacity: CapacityPlan | null;
  /** Links of a world that name the same bottleneck share it; "" means one of its own. */
  readonly shared: string;
  readonly cross: CrossTrafficPlan | null;
  /** What the queue holds, the packet being sent included; the tightest limit counts. Zero packets or time: no limit. */
  readonly queueBytes: number;
  readonly queuePackets: number;
  /** In time at `rateBps`. */
  readonly queueMicros: number;
  /** Whether CoDel manages the queue (RFC 8289, target 5 ms, interval 100 ms). */
  readonly codel: boolean;
  readonly mac: MacPlan | null;
  readonly arq: ArqPlan | null;
  /** Independent loss of each packet. */
  readonly lossPpm: Ppm;
  /** Bursts: mean dwell times in the good and the bad state, and the loss in the bad one; off while `burstBadMicros` is 0. */
  readonly burstGoodMicros: number;
  readonly burstBadMicros: number;
  readonly burstLossPpm: Ppm;
  /** Times in which everything is lost, in both directions at once. */
  readonly outages: EpisodesPlan | null;
  /** The way itself, without queueing. */
  readonly delayMicros: number;
  readonly swing: SwingPlan | null;
  readonly handovers: HandoverPlan | null;
  /** Standard deviation of the delay; no packet overtakes another by it. */
  readonly jitterMicros: number;
  /**
   * Packets that are held back so that later ones overtake them: for a time of at most this, or, when a range of packets is
   * given, until so many have passed by, but no longer than that time.
   */
  readonly reorderPpm: Ppm;
  readonly reorderMicros: number;
  readonly reorderPackets: Range | null;
  /** Packets that arrive twice, and how much later the second one is at most. */
  readonly duplicatePpm: Ppm;
  readonly duplicateMicros: number;
  /** Packets in which 1 to 32 bits flip. */
  readonly corruptPpm: Ppm;
  /** Packets whose end is cut off, somewhere behind the first byte. */
  readonly truncatePpm: Ppm;
  /** The receiver's host hands packets over together, this long after the first; 0 means one by one. */
  readonly batchMicros: number;
  /** What may wait for that. */
  readonly receiveBufferBytes: number;
}

/** More bytes than any queue ever holds. */
export const BYTES_UNLIMITED = 1_000_000_000;

/** A link that does nothing to packets but carry them for 10 ms. */
export const PLAIN_LINK: LinkPlan = {
  stalls: null,
  cut: false,
  clogged: false,
  mtuBytes: 1_500,
  udp: "passes",
  idleMicros: 0,
  overheadBytes: 28,
  loseDtls: [],
  policerBps: 0,
  policerBurstBytes: 0,
  rateBps: 0,
  capacity: null,
  shared: "",
  cross: null,
  queueBytes: 150_000,
  queuePackets: 0,
  queueMicros: 0,
  codel: false,
  mac: null,
  arq: null,
  lossPpm: 0,
  burstGoodMicros: 0,
  burstBadMicros: 0,
  burstLossPpm: 0,
  outages: null,
  delayMicros: 10_000,
  swing: null,
  handovers: null,
  jitterMicros: 0,
  reorderPpm: 0,
  reorderMicros: 0,
  reorderPackets: null,
  duplicatePpm: 0,
  duplicateMicros: 0,
  corruptPpm: 0,
  truncatePpm: 0,
  batchMicros: 0,
  receiveBufferBytes: BYTES_UNLIMITED,
};

/** Whether no station does anything to a packet that is not too large, but the way, and that takes `delayMicros` alone. */
export function linkIsStraight(plan: LinkPlan): boolean {
  const { idleMicros, policerBps, rateBps, lossPpm, burstBadMicros, jitterMicros, batchMicros } = plan;
  const { reorderPpm, duplicatePpm, corruptPpm, truncatePpm } = plan;
  const numbers = idleMicros + policerBps + rateBps + lossPpm + burstBadMicros + jitterMicros + batchMicros;
  const processes = [
    plan.stalls,
    plan.capacity,
    plan.cross,
    plan.mac,
    plan.arq,
    plan.outages,
    plan.swing,
    plan.handovers,
  ];
  return (
    numbers + reorderPpm + duplicatePpm + corruptPpm + truncatePpm === 0 &&
    processes.every((process) => process === null) &&
    plan.udp === "passes" &&
    plan.shared === "" &&
    !plan.cut &&
    !plan.clogged
  );
}

/** The longest that a packet may take when nothing queues and nothing is repeated. */
export function linkSlowestMicros(plan: LinkPlan): number {
  const { mac, swing, handovers, arq } = plan;
  const macMicros = mac === null ? 0 : mac.kind === "slots" ? mac.everyMicros : mac.waitMicros[1];
  const spikeMicros = handovers === null ? 0 : Math.max(0, ...handovers.spikesMicros);
  const arqMicros = arq === null ? 0 : arq.waitMicros[1] * arq.triesMax;
  const stallMicros = plan.stalls === null ? 0 : plan.stalls.lastsMicros[1];
  const steadyMicros = plan.delayMicros + (swing?.byMicros ?? 0) + 3 * plan.jitterMicros;
  return steadyMicros + macMicros + spikeMicros + arqMicros + stallMicros + plan.batchMicros;
}

/** The longest that a packet may wait in the queue of a link whose rate is always the same; 0 when it has none. */
export function linkQueueMicros({ rateBps, queueBytes, queuePackets, queueMicros, mtuBytes }: LinkPlan): number {
  if (rateBps === 0) return 0;
  const bytes = Math.min(queueBytes, queuePackets > 0 ? queuePackets * mtuBytes : queueBytes);
  const micros = Math.ceil((bytes * 8_000_000) / rateBps);
  return queueMicros > 0 ? Math.min(queueMicros, micros) : micros;
}

/** Whether the link may lose a packet, change it, or keep it from its place. */
export function linkIsLossy(plan: LinkPlan): boolean {
  const { lossPpm, burstBadMicros, corruptPpm, truncatePpm, reorderPpm, rateBps, policerBps } = plan;
  return (
    lossPpm + burstBadMicros + corruptPpm + truncatePpm + reorderPpm + rateBps + policerBps > 0 ||
    plan.capacity !== null ||
    plan.arq !== null ||
    plan.outages !== null ||
    plan.handovers !== null
  );
}
