/**
 * What the stations of a link share: the packet, the link itself, its streams of chance and its way to drop a packet.
 *
 * Each station has a state of its own in the link, made by its own file. Chance is keyed by (seed, station, link and
 * direction), so a draw in one station moves no other; what both directions of a peer must agree on (outages, handovers,
 * dips) hangs on the peer's name alone, and on how often its processes have begun anew.
 */
import type { Micros } from "../../core/index.ts";
import type { EventLoop } from "../base/event-loop.ts";
import { createStream, type Seed, type Stream } from "../base/random.ts";
import type { Bottleneck } from "./bottleneck.ts";
import {
  countDrop,
  type DropReason,
  type LinkCounters,
  type Station,
  type StationCounters,
  type StraightCounts,
} from "./counters.ts";
import type { GateState } from "./gate.ts";
import type { LinkPlan } from "./plan.ts";
import type { RadioState } from "./radio.ts";
import type { ReceiverState } from "./receiver.ts";
import type { WayState } from "./way.ts";

/** A datagram on its way. */
export interface Packet {
  /** UDP payload; nobody writes to it once it is on the link. */
  readonly bytes: Uint8Array;
  /** Transport addresses as `ip:port`. */
  readonly source: string;
  readonly target: string;
  /** Bytes of IP and UDP header: 28 for IPv4, 48 for IPv6. */
  readonly overheadBytes: number;
  /** When it was put on its way. */
  readonly sentAt: Micros;
}

/** One direction of a link; make it with `createLink`. */
export interface Link {
  readonly loop: EventLoop;
  /** The largest packet on the wire to which no station does anything but the way, which takes its time; -1 for none. */
  straightBytesMax: number;
  /** What of such packets is not among the counters yet; see `linkCounters`. */
  readonly straight: StraightCounts;
  readonly seed: Seed;
  readonly entity: string;
  plan: LinkPlan;
  readonly deliver: (packet: Packet) => void;
  /** Ask `linkCounters`. */
  readonly counted: LinkCounters;
  /** Hears of each packet that is dropped, and why. */
  onDrop: ((packet: Packet, reason: DropReason) => void) | undefined;
  /** By the station that draws; made when first needed. */
  readonly streams: Map<string, Stream>;
  /** How often the processes have begun anew, because the plan was changed. */
  generation: number;
  /** That of its packets in the event loop. */
  readonly lane: number;
  gate: GateState;
  bottleneck: Bottleneck;
  /** The bottlenecks that links of this world share, by name. */
  readonly shares: Map<string, Bottleneck>;
  radio: RadioState;
  way: WayState;
  readonly receiver: ReceiverState;
  /** Takes a packet that comes straight from where it was sent: one function for all, so that none needs its own. */
  readonly comes: (packet: Packet) => void;
}

/** What a TCP connection adds to a datagram beyond UDP: 12 bytes of header, 2 of length (RFC 4571). */
const TUNNEL_BYTES = 14;

/** Bytes of the packet on the wire, headers included. */
export function wireBytes(link: Link, packet: Packet): number {
  return packet.bytes.length + packet.overheadBytes + (link.plan.udp === "tunnelled" ? TUNNEL_BYTES : 0);
}

/** The stream from which this place in the link draws. */
export function streamOf(link: Link, site: string): Stream {
  let stream = link.streams.get(site);
  if (stream === undefined) {
    stream = createStream(link.seed, `link/${site}`, link.entity);
    link.streams.set(site, stream);
  }
  return stream;
}

/** A new stream that both directions of a peer have alike. */
export function commonStream(seed: Seed, site: string, entity: string, generation: number): Stream {
  const slash = entity.lastIndexOf("/");
  return createStream(seed, `link/${site}`, `${slash < 0 ? entity : entity.slice(0, slash)}#${generation}`);
}

/** A packet enters a station. */
export function enter(station: StationCounters): void {
  station.entered++;
}

/** A packet leaves a station, `micros` after it entered. */
export function leave(station: StationCounters, micros: number): void {
  station.left++;
  if (micros > 0) {
    station.delayed++;
    station.delayedMicros += micros;
  }
}

/** A packet is dropped at a station. */
export function drop(link: Link, station: Station, packet: Packet, reason: DropReason): void {
  countDrop(link.counted, station, reason);
  link.onDrop?.(packet, reason);
}
