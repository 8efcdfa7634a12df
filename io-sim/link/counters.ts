/**
 * What has become of the packets of one direction, reason by reason and station by station.
 *
 * The flat counts name every reason for which a packet can be lost or changed. The stations' own counts are the same
 * story along the way: what entered a station and was not dropped there has left it or is still in it, and what left one
 * entered the next. `linkConserves` checks both at any moment.
 */

/** The stations of the pipeline, in order; "way" is the propagation, its accidents, and the packets that are travelling. */
export const STATIONS = ["host", "gate", "policer", "bottleneck", "mac", "arq", "loss", "way", "receiver"] as const;

/** The name of a station. */
export type Station = (typeof STATIONS)[number];

/** Packets at one station, and the time that it has cost them. */
export interface StationCounters {
  entered: number;
  /** Made here: the second copies of what is doubled. */
  made: number;
  left: number;
  dropped: number;
  /** How many it kept from going on at once, and for how long all in all. */
  delayed: number;
  delayedMicros: number;
}

/** What has become of the packets of one direction; all counts of packets but `deliveredBytes`. */
export interface LinkCounters {
  offered: number;
  delivered: number;
  deliveredBytes: number;
  duplicated: number;
  reordered: number;
  /** With flipped bits, or cut short. */
  corrupted: number;
  truncated: number;
  /** Lost and carried again by the tunnel's TCP. */
  repeated: number;
  underWay: number;
  droppedByCut: number;
  droppedByClog: number;
  droppedByMtu: number;
  droppedByFirewall: number;
  droppedByIdleness: number;
  droppedByHandshakeLoss: number;
  droppedByPolicer: number;
  droppedByQueue: number;
  droppedByCodel: number;
  droppedByArq: number;
  droppedByLoss: number;
  droppedByBurst: number;
  droppedByOutage: number;
  droppedByHandover: number;
  droppedByReceiveBuffer: number;
  readonly stations: Readonly<Record<Station, StationCounters>>;
}

/**
 * Packets that only the way has done anything to: what the counts of all the other stations would say of them follows. So
 * most packets of most worlds are counted in one place, and the stations' counters stay out of the processor's caches.
 */
export interface StraightCounts {
  sent: number;
  came: number;
  cameBytes: number;
  delayed: number;
  delayedMicros: number;
}

/** Why a link drops a packet, in a word for people and traces; each has a counter. */
export type DropReason = keyof typeof DROP_COUNTERS;

const DROP_COUNTERS = {
  cut: "droppedByCut",
  clog: "droppedByClog",
  mtu: "droppedByMtu",
  firewall: "droppedByFirewall",
  idleness: "droppedByIdleness",
  "handshake-loss": "droppedByHandshakeLoss",
  policer: "droppedByPolicer",
  queue: "droppedByQueue",
  codel: "droppedByCodel",
  arq: "droppedByArq",
  loss: "droppedByLoss",
  burst: "droppedByBurst",
  outage: "droppedByOutage",
  handover: "droppedByHandover",
  "receive-buffer": "droppedByReceiveBuffer",
} as const satisfies Record<string, keyof LinkCounters>;

/** Counts a packet that is dropped at this station. */
export function countDrop(counters: LinkCounters, station: Station, reason: DropReason): void {
  counters[DROP_COUNTERS[reason]]++;
  counters.stations[station].dropped++;
  counters.underWay--;
}

/** No packet that went straight. */
export function createStraightCounts(): StraightCounts {
  return { sent: 0, came: 0, cameBytes: 0, delayed: 0, delayedMicros: 0 };
}

/** Counts at each station what went straight, and lets that begin anew. */
export function countStraight(counters: LinkCounters, straight: StraightCounts): void {
  const { sent, came, cameBytes, delayed, delayedMicros } = straight;
  counters.offered += sent;
  counters.delivered += came;
  counters.deliveredBytes += cameBytes;
  counters.underWay += sent - came;
  const { stations } = counters;
  for (const name of STATIONS) {
    stations[name].entered += name === "receiver" ? came : sent;
    stations[name].left += name === "receiver" || name === "way" ? came : sent;
  }
  stations.way.delayed += delayed;
  stations.way.delayedMicros += delayedMicros;
  Object.assign(straight, createStraightCounts());
}

/** Counters at zero. */
export function createLinkCounters(): LinkCounters {
  const station = (): StationCounters => ({
    entered: 0,
    made: 0,
    left: 0,
    dropped: 0,
    delayed: 0,
    delayedMicros: 0,
  });
  return {
    offered: 0,
    delivered: 0,
    deliveredBytes: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    truncated: 0,
    repeated: 0,
    underWay: 0,
    droppedByCut: 0,
    droppedByClog: 0,
    droppedByMtu: 0,
    droppedByFirewall: 0,
    droppedByIdleness: 0,
    droppedByHandshakeLoss: 0,
    droppedByPolicer: 0,
    droppedByQueue: 0,
    droppedByCodel: 0,
    droppedByArq: 0,
    droppedByLoss: 0,
    droppedByBurst: 0,
    droppedByOutage: 0,
    droppedByHandover: 0,
    droppedByReceiveBuffer: 0,
    stations: {
      host: station(),
      gate: station(),
      policer: station(),
      bottleneck: station(),
      mac: station(),
      arq: station(),
      loss: station(),
      way: station(),
      receiver: station(),
    },
  };
}

/** All that the link has dropped, whatever the reason. */
export function linkDropped(counters: LinkCounters): number {
  let dropped = 0;
  for (const counter of Object.values(DROP_COUNTERS)) dropped += counters[counter];
  return dropped;
}

/** Whether every packet that was offered is accounted for (S18), over the whole link and at each station. */
export function linkConserves(counters: LinkCounters): boolean {
  const { stations } = counters;
  let arriving = counters.offered;
  let held = 0;
  let dropped = 0;
  for (const name of STATIONS) {
    const station = stations[name];
    const inside = station.entered + station.made - station.left - station.dropped;
    if (station.entered !== arriving || inside < 0) return false;
    held += inside;
    dropped += station.dropped;
    arriving = station.left;
  }
  return (
    arriving === counters.delivered &&
    held === counters.underWay &&
    dropped === linkDropped(counters) &&
    counters.offered + counters.duplicated === counters.delivered + dropped + held
  );
}
