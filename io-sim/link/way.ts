/**
 * The way itself: propagation and jitter, handovers from satellite to satellite, and the accidents on it.
 *
 * Jitter never reorders (RFC 8868 §4.5.1): a packet that would overtake waits for the one before it. Overtaking is an
 * accident of its own, and so are doubling and flipped bits; a packet that is held back holds up nobody else.
 */
import { below, between, chance, type Stream, spread } from "../base/random.ts";
import type { HandoverPlan, SwingPlan } from "./plan.ts";
import { type Link, type Packet, streamOf } from "./state.ts";

/** What the way remembers. */
export interface WayState {
  readonly since: number;
  /** No packet arrives before this one, unless it is held back on purpose. */
  lastArrival: number;
  /** The present swing of the delay, and how many have been drawn. */
  swing: number;
  swings: number;
  /** Of the present handover: how many there were, its spike, and until when it loses packets. */
  readonly handoverStream: Stream;
  handovers: number;
  spikeMicros: number;
  losesUntil: number;
  /** Packets that wait until others have passed by. */
  readonly held: HeldPacket[];
}

/** A packet that is held back: how many others have to pass, and what happens then. */
export interface HeldPacket {
  left: number;
  readonly release: () => void;
}

/** A way without packets; `handovers` is the stream that both directions have in common. */
export function createWay(handovers: Stream, now: number): WayState {
  return {
    since: now,
    lastArrival: 0,
    swing: 0,
    swings: 0,
    handoverStream: handovers,
    handovers: 0,
    spikeMicros: 0,
    losesUntil: 0,
    held: [],
  };
}

/** When a packet that sets out at `time` arrives. */
export function travel(link: Link, time: number): number {
  const { plan, way } = link;
  const swing = plan.swing === null ? 0 : swingAt(link, plan.swing, time);
  const spike = plan.handovers === null ? 0 : spikeAt(way, plan.handovers, time);
  const jitter = plan.jitterMicros === 0 ? 0 : spread(streamOf(link, "jitter"), plan.jitterMicros);
  const arrival = time + Math.max(0, plan.delayMicros + swing + spike + jitter);
  const reorders = plan.reorderPpm > 0 && plan.reorderPackets === null && plan.udp !== "tunnelled";
  if (reorders && chance(streamOf(link, "reorder"), plan.reorderPpm)) {
    link.counted.reordered++;
    return arrival + between(streamOf(link, "reorder"), 1, Math.max(1, plan.reorderMicros));
  }
  way.lastArrival = Math.max(arrival, way.lastArrival);
  return way.lastArrival;
}

/** How many packets have to overtake the one that has just come; 0 for none. */
export function overtakers(link: Link): number {
  const { plan } = link;
  if (plan.reorderPackets === null || plan.reorderPpm === 0 || plan.udp === "tunnelled") return 0;
  const stream = streamOf(link, "reorder");
  if (!chance(stream, plan.reorderPpm)) return 0;
  link.counted.reordered++;
  return between(stream, ...plan.reorderPackets);
}

/** A packet has come: those that are held back have one less to wait for. */
export function passBy(way: WayState): void {
  for (const held of [...way.held]) {
    held.left--;
    if (held.left === 0) held.release();
  }
}

/** How much later than its first copy the second one arrives, or -1 when there is none. */
export function doubling(link: Link): number {
  const { plan } = link;
  if (plan.duplicatePpm === 0 || plan.udp === "tunnelled") return -1;
  const stream = streamOf(link, "duplicate");
  if (!chance(stream, plan.duplicatePpm)) return -1;
  link.counted.duplicated++;
  return below(stream, plan.duplicateMicros + 1);
}

/** The packet, or a copy of it in which bits have flipped or whose end is missing. */
export function damage(link: Link, packet: Packet): Packet {
  const { plan } = link;
  if (plan.corruptPpm + plan.truncatePpm === 0 || plan.udp === "tunnelled" || packet.bytes.length < 2) return packet;
  return truncate(link, corrupt(link, packet));
}

function truncate(link: Link, packet: Packet): Packet {
  const stream = streamOf(link, "truncate");
  if (!chance(stream, link.plan.truncatePpm)) return packet;
  link.counted.truncated++;
  return { ...packet, bytes: packet.bytes.slice(0, between(stream, 1, packet.bytes.length - 1)) };
}

function corrupt(link: Link, packet: Packet): Packet {
  const stream = streamOf(link, "corrupt");
  if (!chance(stream, link.plan.corruptPpm)) return packet;
  link.counted.corrupted++;
  const bytes = packet.bytes.slice();
  for (let flips = between(stream, 1, 32); flips > 0; flips--) {
    const bit = below(stream, bytes.length * 8);
    bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
  }
  return { ...packet, bytes };
}

function swingAt(link: Link, plan: SwingPlan, time: number): number {
  const { way } = link;
  const due = plan.everyMicros === 0 ? 1 : 1 + Math.floor((time - way.since) / plan.everyMicros);
  for (; way.swings < due; way.swings++) {
    way.swing = between(streamOf(link, "swing"), -plan.byMicros, plan.byMicros);
  }
  return way.swing;
}

function spikeAt(way: WayState, plan: HandoverPlan, time: number): number {
  followHandovers(way, plan, time);
  return way.handovers > 0 && sinceHandover(way, plan, time) < plan.spikeLastsMicros ? way.spikeMicros : 0;
}

/** Whether the present handover takes a packet that passes at `time`. */
export function handoverLoses(link: Link, plan: HandoverPlan, time: number): boolean {
  followHandovers(link.way, plan, time);
  return time < link.way.losesUntil && chance(streamOf(link, "handover-loss"), plan.lossPpm);
}

function sinceHandover(way: WayState, plan: HandoverPlan, time: number): number {
  return time - way.since - way.handovers * plan.everyMicros;
}

function followHandovers(way: WayState, plan: HandoverPlan, time: number): void {
  const { handoverStream: stream } = way;
  while (sinceHandover(way, plan, time) >= plan.everyMicros) {
    way.handovers++;
    const at = way.since + way.handovers * plan.everyMicros;
    way.spikeMicros = plan.spikesMicros[below(stream, plan.spikesMicros.length)] ?? 0;
    way.losesUntil = chance(stream, plan.lossyPpm) ? at + between(stream, ...plan.lossLastsMicros) : 0;
  }
}
