/**
 * The narrowest place of the way: a queue, and a server that takes as long for each packet as the capacity says.
 *
 * The server works through its queue by events of the loop, packet by packet, so that capacity may change in the middle of
 * one, CoDel can drop at the head, and several links and the traffic of strangers can wait in the same line. The time that
 * a packet takes is exact: what remains of a microsecond is carried on to the next packet while the server is busy. At
 * least every 100 ms it looks up, so that a change of the plan reaches a packet that is being sent.
 */
import { type Micros, micros } from "../../core/index.ts";
import { EVENT_CLASS, type EventLoop, schedule } from "../base/event-loop.ts";
import { createStream, dwell, type Seed, type Stream } from "../base/random.ts";
import { type Capacity, capacityAt, createCapacity, nextOpportunity } from "./capacity.ts";
import { type Codel, codelDrops, codelIdle, createCodel } from "./codel.ts";
import type { LinkPlan } from "./plan.ts";
import { commonStream, drop, type Link, type Packet, wireBytes } from "./state.ts";

/** How long the server looks ahead at most. */
const LOOK_MICROS = 100_000;
/** Traffic of strangers goes on for so long after the last packet of ours, so that a world can come to rest. */
const CROSS_LINGER_MICROS = 1_000_000;
/** What one opportunity of a trace carries, in millionths of a bit. */
const OPPORTUNITY_WORK = 1_500 * 8 * 1_000_000;

/** A packet in the queue; those of strangers belong to no link. */
interface Waiting {
  readonly link: Link | undefined;
  readonly packet: Packet | undefined;
  readonly bytes: number;
  readonly since: number;
}

/** A bottleneck, of one link or of several; make it with {@link createBottleneck}. */
export interface Bottleneck {
  readonly loop: EventLoop;
  readonly seed: Seed;
  readonly name: string;
  /** Of the link that used it last. */
  plan: LinkPlan;
  capacity: Capacity;
  readonly codel: Codel;
  /** The queue from `first` on; the packet in `serving` is out of it but counts as queued until it has left. */
  queue: Waiting[];
  first: number;
  serving: Waiting | undefined;
  busy: boolean;
  queuedBytes: number;
  queuedPackets: number;
  /** What is left to do for the packet in service, and below a microsecond's worth after it, in millionths of a bit. */
  work: number;
  remainder: number;
  /** Bits per second at which it has last worked, of a capacity that varies; 0 before. Nothing but traces looks at it. */
  seenBps: number;
  readonly cross: CrossTraffic;
  /** Where a packet goes that has left; `since` is when it came. */
  readonly onward: (link: Link, packet: Packet, since: number) => void;
}

/** The traffic of strangers. */
interface CrossTraffic {
  readonly stream: Stream;
  awake: boolean;
  on: boolean;
  changesAt: number;
  wantedUntil: number;
  packets: number;
  dropped: number;
}

/** An empty bottleneck; its chance hangs on `name`, that of its dips on the peer in it. */
export function createBottleneck(
  loop: EventLoop,
  seed: Seed,
  name: string,
  plan: LinkPlan,
  onward: Bottleneck["onward"],
): Bottleneck {
  return {
    loop,
    seed,
    name,
    plan,
    capacity: beginCapacity(loop, seed, name, 0),
    codel: createCodel(),
    queue: [],
    first: 0,
    serving: undefined,
    busy: false,
    queuedBytes: 0,
    queuedPackets: 0,
    work: 0,
    remainder: 0,
    seenBps: 0,
    cross: {
      stream: createStream(seed, "link/cross", name),
      awake: false,
      on: false,
      changesAt: loop.now,
      wantedUntil: 0,
      packets: 0,
      dropped: 0,
    },
    onward,
  };
}

function beginCapacity(loop: EventLoop, seed: Seed, name: string, generation: number): Capacity {
  const stream = createStream(seed, "link/capacity", `${name}#${generation}`);
  return createCapacity(stream, commonStream(seed, "dips", name, generation), loop.now);
}

/** Lets the capacity process begin anew, because its plan has changed. */
export function restartCapacity(bottleneck: Bottleneck, generation: number): void {
  bottleneck.capacity = beginCapacity(bottleneck.loop, bottleneck.seed, bottleneck.name, generation);
}

/** Puts a packet into the queue, or drops it; it goes `onward` when it has left, at once when there is no end to capacity. */
export function passBottleneck(link: Link, packet: Packet): void {
  const { bottleneck, plan } = link;
  const { now } = link.loop;
  bottleneck.plan = plan;
  if (isEndless(plan) && !bottleneck.busy) {
    bottleneck.onward(link, packet, now);
    return;
  }
  if (plan.cross !== null) wakeStrangers(bottleneck);
  const bytes = wireBytes(link, packet);
  if (plan.udp !== "tunnelled" && !hasRoom(bottleneck, bytes)) drop(link, "bottleneck", packet, "queue");
  else queueUp(bottleneck, { link, packet, bytes, since: now });
}

function isEndless(plan: LinkPlan): boolean {
  return plan.rateBps === 0 && plan.capacity === null;
}

function hasRoom(bottleneck: Bottleneck, bytes: number): boolean {
  const { plan, queuedBytes, queuedPackets } = bottleneck;
  const { queueBytes, queuePackets, queueMicros, rateBps } = plan;
  if (queuedBytes + bytes > queueBytes) return false;
  if (queuePackets > 0 && queuedPackets + 1 > queuePackets) return false;
  return (
    queueMicros === 0 || (queuedBytes + bytes) * 8 <= Math.floor((rateBps * Math.floor(queueMicros / 1_000)) / 1_000)
  );
}

function queueUp(bottleneck: Bottleneck, waiting: Waiting): void {
  bottleneck.queue.push(waiting);
  bottleneck.queuedBytes += waiting.bytes;
  bottleneck.queuedPackets++;
  if (bottleneck.busy) return;
  bottleneck.busy = true;
  bottleneck.remainder = 0;
  serve(bottleneck);
}

/** Goes on serving until there is something to wait for, or nothing left. */
function serve(bottleneck: Bottleneck): void {
  for (;;) {
    if (bottleneck.serving === undefined && !takeNext(bottleneck)) {
      bottleneck.busy = false;
      return;
    }
    if (bottleneck.work > 0) {
      const wait = sendOn(bottleneck);
      if (wait > 0) {
        const { loop } = bottleneck;
        const at: Micros = micros(loop.now + wait);
        schedule(loop, at, EVENT_CLASS.DATAGRAM, () => serve(bottleneck));
        return;
      }
      if (bottleneck.work > 0) continue;
    }
    finish(bottleneck);
  }
}

/** Takes the next packet into service, past those that CoDel drops; false when the queue is empty. */
function takeNext(bottleneck: Bottleneck): boolean {
  const { codel, loop } = bottleneck;
  for (;;) {
    const next = bottleneck.queue[bottleneck.first];
    if (next === undefined) {
      codelIdle(codel);
      return false;
    }
    bottleneck.first++;
    if (bottleneck.first === 1_024) {
      bottleneck.queue = bottleneck.queue.slice(bottleneck.first);
      bottleneck.first = 0;
    }
    const behind = bottleneck.queuedBytes - next.bytes;
    if (!bottleneck.plan.codel || !codelDrops(codel, loop.now, loop.now - next.since, behind)) {
      bottleneck.serving = next;
      bottleneck.work = next.bytes * 8 * 1_000_000 + bottleneck.remainder;
      bottleneck.remainder = 0;
      return true;
    }
    forget(bottleneck, next);
    if (next.link !== undefined) drop(next.link, "bottleneck", next.packet!, "codel");
    else bottleneck.cross.dropped++;
  }
}

/** Sends on at the packet in service: takes off the work of the coming microseconds and answers how many they are. */
function sendOn(bottleneck: Bottleneck): number {
  const { plan, capacity, loop } = bottleneck;
  const { now } = loop;
  if (isEndless(plan)) {
    bottleneck.work = 0;
    return 0;
  }
  if (plan.capacity?.kind === "trace") {
    // The opportunity that is waited for carries at most its 1,500 bytes, and small packets share it.
    const at = nextOpportunity(capacity, plan.capacity, now);
    bottleneck.work -= OPPORTUNITY_WORK;
    return at - now;
  }
  const bps = capacityAt(capacity, plan, now);
  bottleneck.seenBps = bps;
  const room = Math.max(1, Math.min(LOOK_MICROS, capacity.until - now));
  if (bps === 0) return room;
  const span = Math.floor(bottleneck.work / bps);
  if (span > room) {
    bottleneck.work -= room * bps;
    return room;
  }
  bottleneck.remainder = bottleneck.work - span * bps;
  bottleneck.work = 0;
  return span;
}

/** The packet in service has left; what its opportunity did not need is there for the next. */
function finish(bottleneck: Bottleneck): void {
  const { serving } = bottleneck;
  if (serving === undefined) return;
  if (bottleneck.work < 0) bottleneck.remainder = bottleneck.work;
  bottleneck.work = 0;
  bottleneck.serving = undefined;
  forget(bottleneck, serving);
  if (serving.link !== undefined) bottleneck.onward(serving.link, serving.packet!, serving.since);
}

function forget(bottleneck: Bottleneck, waiting: Waiting): void {
  bottleneck.queuedBytes -= waiting.bytes;
  bottleneck.queuedPackets--;
}

function wakeStrangers(bottleneck: Bottleneck): void {
  const { cross, loop } = bottleneck;
  cross.wantedUntil = loop.now + CROSS_LINGER_MICROS;
  if (cross.awake) return;
  cross.awake = true;
  cross.on = false;
  cross.changesAt = loop.now;
  strangerTurn(bottleneck);
}

/** Lets strangers put in a packet, or begin or end a time of sending, and comes back for the next. */
function strangerTurn(bottleneck: Bottleneck): void {
  const { cross, loop, plan } = bottleneck;
  const { now } = loop;
  if (plan.cross === null || now > cross.wantedUntil) {
    cross.awake = false;
    return;
  }
  const { bps, packetBytes, onMicros, offMicros } = plan.cross;
  if (now >= cross.changesAt) {
    cross.on = !cross.on;
    cross.changesAt = now + 1 + dwell(cross.stream, cross.on ? onMicros : offMicros);
  }
  let next = cross.changesAt;
  if (cross.on) {
    cross.packets++;
    if (hasRoom(bottleneck, packetBytes)) {
      queueUp(bottleneck, { link: undefined, packet: undefined, bytes: packetBytes, since: now });
    } else cross.dropped++;
    next = Math.min(next, now + Math.floor((packetBytes * 8 * 1_000_000) / bps));
  }
  schedule(loop, micros(next), EVENT_CLASS.DATAGRAM, () => strangerTurn(bottleneck));
}
