/**
 * One direction of one client's link: what a wire does to packets.
 *
 * Picture a row of stations that each packet passes: the cut, the MTU, the bottleneck with its queue, loss, the way itself
 * with its jitter, and at the end the accidents (overtaking, doubling, flipped bits). Each station is off by default, draws
 * from a stream of its own, and counts what it drops and why; so impairing one direction moves only its own counters, and
 * packets are conserved: offered + doubled = delivered + dropped + still under way.
 *
 * Loss in bursts is a Gilbert-Elliott process in continuous time: the link dwells in its good and its bad state for
 * milliseconds and not for packets, so a burst hits audio and video alike. Jitter never reorders (RFC 8868 §4.5.1): a
 * packet that would overtake waits for the one before it. Overtaking is an accident of its own.
 */
import { type Micros, micros } from "../core/index.ts";
import { EVENT_CLASS, type EventLoop, schedule } from "./event-loop.ts";
import { below, between, chance, createStream, dwell, type Ppm, type Seed, type Stream, spread } from "./random.ts";

/** What one direction of a link is like. All numbers are whole; times in microseconds, rates in bits per second. */
export interface LinkPlan {
  /** The way itself, without queueing. */
  readonly delayMicros: number;
  /** Standard deviation of the delay; no packet overtakes another by it. */
  readonly jitterMicros: number;
  /** Independent loss of each packet. */
  readonly lossPpm: Ppm;
  /** Bursts: mean dwell times in the good and the bad state, and the loss in the bad one; off while `badMicros` is 0. */
  readonly burstGoodMicros: number;
  readonly burstBadMicros: number;
  readonly burstLossPpm: Ppm;
  /** Packets that are held back so that later ones overtake them, and for how long at most. */
  readonly reorderPpm: Ppm;
  readonly reorderMicros: number;
  /** Packets that arrive twice, and how much later the second one is at most. */
  readonly duplicatePpm: Ppm;
  readonly duplicateMicros: number;
  /** Packets in which 1 to 32 bits flip. */
  readonly corruptPpm: Ppm;
  /** Capacity of the bottleneck; 0 means without end. */
  readonly rateBps: number;
  /** What the bottleneck's drop-tail queue holds, headers included. */
  readonly queueBytes: number;
  /** Largest IP packet; larger ones vanish. */
  readonly mtuBytes: number;
  /** Whether nothing passes. */
  readonly cut: boolean;
  /** Which datagrams of DTLS are lost, counted from 0 for each client. */
  readonly loseDtls: readonly number[];
}

/** A link that does nothing to packets but carry them for 10 ms. */
export const PLAIN_LINK: LinkPlan = {
  delayMicros: 10_000,
  jitterMicros: 0,
  lossPpm: 0,
  burstGoodMicros: 0,
  burstBadMicros: 0,
  burstLossPpm: 0,
  reorderPpm: 0,
  reorderMicros: 0,
  duplicatePpm: 0,
  duplicateMicros: 0,
  corruptPpm: 0,
  rateBps: 0,
  queueBytes: 150_000,
  mtuBytes: 1_500,
  cut: false,
  loseDtls: [],
};

/** A datagram on its way. */
export interface Packet {
  /** UDP payload; nobody writes to it once it is on the link. */
  readonly bytes: Uint8Array;
  /** Transport addresses as `ip:port`. */
  readonly source: string;
  readonly target: string;
  /** Bytes of IP and UDP header: 28 for IPv4, 48 for IPv6. */
  readonly overheadBytes: number;
}

/** What has become of the packets of one direction; all counts of packets but `deliveredBytes`. */
export interface LinkCounters {
  offered: number;
  delivered: number;
  deliveredBytes: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
  underWay: number;
  droppedByCut: number;
  droppedByMtu: number;
  droppedByQueue: number;
  droppedByLoss: number;
  droppedByBurst: number;
  droppedByHandshakeLoss: number;
}

/** One direction of a link; make it with {@link createLink}. */
export interface Link {
  readonly loop: EventLoop;
  plan: LinkPlan;
  readonly deliver: (packet: Packet) => void;
  readonly counters: LinkCounters;
  readonly streams: LinkStreams;
  /** When the bottleneck is free again, and the part of a microsecond that was left over (in bit-millionths). */
  busyUntil: number;
  rateRemainder: number;
  /** What waits in the bottleneck: when each packet has left, and its size. */
  queue: { leavesAt: number; bytes: number }[];
  queuedBytes: number;
  /** No packet arrives before this one, unless it is held back on purpose. */
  lastArrival: number;
  /** The burst process: which state, and when it changes. */
  bad: boolean;
  changesAt: number;
  dtlsSeen: number;
  /** Hears of each packet that is dropped, and why. */
  onDrop: ((packet: Packet, reason: DropReason) => void) | undefined;
}

/** Why a link drops a packet; the counters have the same words. */
export type DropReason = "cut" | "mtu" | "queue" | "loss" | "burst" | "handshake-loss";

interface LinkStreams {
  readonly loss: Stream;
  readonly burst: Stream;
  readonly burstLoss: Stream;
  readonly jitter: Stream;
  readonly reorder: Stream;
  readonly duplicate: Stream;
  readonly corrupt: Stream;
}

/** A link without packets. `entity` names it among all links of the run (its streams hang on the name). */
export function createLink(
  loop: EventLoop,
  seed: Seed,
  entity: string,
  plan: LinkPlan,
  deliver: (packet: Packet) => void,
): Link {
  const stream = (site: string) => createStream(seed, `link/${site}`, entity);
  return {
    loop,
    plan,
    deliver,
    counters: createLinkCounters(),
    streams: {
      loss: stream("loss"),
      burst: stream("burst"),
      burstLoss: stream("burst-loss"),
      jitter: stream("jitter"),
      reorder: stream("reorder"),
      duplicate: stream("duplicate"),
      corrupt: stream("corrupt"),
    },
    busyUntil: 0,
    rateRemainder: 0,
    queue: [],
    queuedBytes: 0,
    lastArrival: 0,
    bad: false,
    changesAt: 0,
    dtlsSeen: 0,
    onDrop: undefined,
  };
}

function createLinkCounters(): LinkCounters {
  return {
    offered: 0,
    delivered: 0,
    deliveredBytes: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    underWay: 0,
    droppedByCut: 0,
    droppedByMtu: 0,
    droppedByQueue: 0,
    droppedByLoss: 0,
    droppedByBurst: 0,
    droppedByHandshakeLoss: 0,
  };
}

/** All that the link has dropped, whatever the reason. */
export function linkDropped(counters: LinkCounters): number {
  return (
    counters.droppedByCut +
    counters.droppedByMtu +
    counters.droppedByQueue +
    counters.droppedByLoss +
    counters.droppedByBurst +
    counters.droppedByHandshakeLoss
  );
}

/** Whether every packet that was offered is accounted for (S18). */
export function linkConserves(counters: LinkCounters): boolean {
  return counters.offered + counters.duplicated === counters.delivered + linkDropped(counters) + counters.underWay;
}

/** Puts a packet on the link; what becomes of it happens by events of the loop. */
export function linkSend(link: Link, packet: Packet): void {
  const { plan, counters, streams } = link;
  counters.offered++;
  const size = packet.bytes.length + packet.overheadBytes;
  if (plan.cut) drop(link, packet, "cut");
  else if (size > plan.mtuBytes) drop(link, packet, "mtu");
  else if (isLostHandshake(link, packet)) drop(link, packet, "handshake-loss");
  else {
    const leavesAt = passBottleneck(link, size);
    if (leavesAt < 0) drop(link, packet, "queue");
    else if (isInBurst(link, leavesAt) && chance(streams.burstLoss, plan.burstLossPpm)) drop(link, packet, "burst");
    else if (chance(streams.loss, plan.lossPpm)) drop(link, packet, "loss");
    else travel(link, packet, leavesAt);
  }
}

const DROP_COUNTERS = {
  cut: "droppedByCut",
  mtu: "droppedByMtu",
  queue: "droppedByQueue",
  loss: "droppedByLoss",
  burst: "droppedByBurst",
  "handshake-loss": "droppedByHandshakeLoss",
} as const satisfies Record<DropReason, keyof LinkCounters>;

function drop(link: Link, packet: Packet, reason: DropReason): void {
  link.counters[DROP_COUNTERS[reason]]++;
  link.onDrop?.(packet, reason);
}

function isLostHandshake(link: Link, packet: Packet): boolean {
  const lead = packet.bytes.length > 0 ? packet.bytes[0]! : 0;
  if (lead < 20 || lead > 63) return false;
  return link.plan.loseDtls.includes(link.dtlsSeen++);
}

/** When the packet has left the bottleneck, or -1 when its queue is full. */
function passBottleneck(link: Link, size: number): number {
  const { now } = link.loop;
  const { rateBps, queueBytes } = link.plan;
  if (rateBps === 0) return now;
  while (link.queue.length > 0 && link.queue[0]!.leavesAt <= now) link.queuedBytes -= link.queue.shift()!.bytes;
  if (link.queuedBytes + size > queueBytes) return -1;
  if (link.busyUntil <= now) {
    link.busyUntil = now;
    link.rateRemainder = 0;
  }
  const work = size * 8 * 1_000_000 + link.rateRemainder;
  const span = Math.floor(work / rateBps);
  link.rateRemainder = work - span * rateBps;
  link.busyUntil += span;
  link.queue.push({ leavesAt: link.busyUntil, bytes: size });
  link.queuedBytes += size;
  return link.busyUntil;
}

function isInBurst(link: Link, time: number): boolean {
  const { burstGoodMicros, burstBadMicros } = link.plan;
  if (burstBadMicros === 0) return false;
  if (link.changesAt === 0) link.changesAt = time + 1 + dwell(link.streams.burst, burstGoodMicros);
  while (time >= link.changesAt) {
    link.bad = !link.bad;
    link.changesAt += 1 + dwell(link.streams.burst, link.bad ? burstBadMicros : burstGoodMicros);
  }
  return link.bad;
}

function travel(link: Link, packet: Packet, leavesAt: number): void {
  const { plan, counters, streams } = link;
  let arrival = leavesAt + Math.max(0, plan.delayMicros + spread(streams.jitter, plan.jitterMicros));
  if (chance(streams.reorder, plan.reorderPpm)) {
    counters.reordered++;
    arrival += between(streams.reorder, 1, Math.max(1, plan.reorderMicros));
  } else {
    arrival = Math.max(arrival, link.lastArrival);
    link.lastArrival = arrival;
  }
  arrive(link, corrupt(link, packet), arrival);
  if (!chance(streams.duplicate, plan.duplicatePpm)) return;
  counters.duplicated++;
  arrive(link, packet, arrival + below(streams.duplicate, plan.duplicateMicros + 1));
}

function corrupt(link: Link, packet: Packet): Packet {
  const { corrupt: stream } = link.streams;
  if (packet.bytes.length === 0 || !chance(stream, link.plan.corruptPpm)) return packet;
  link.counters.corrupted++;
  const bytes = packet.bytes.slice();
  for (let flips = between(stream, 1, 32); flips > 0; flips--) {
    const bit = below(stream, bytes.length * 8);
    bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
  }
  return { ...packet, bytes };
}

function arrive(link: Link, packet: Packet, arrival: number): void {
  link.counters.underWay++;
  const time: Micros = micros(arrival);
  schedule(link.loop, time, EVENT_CLASS.DATAGRAM, () => {
    link.counters.underWay--;
    if (link.plan.cut) {
      drop(link, packet, "cut");
      return;
    }
    link.counters.delivered++;
    link.counters.deliveredBytes += packet.bytes.length;
    link.deliver(packet);
  });
}
