/**
 * One direction of one client's link: what a wire does to packets.
 *
 * Picture a row of stations that each packet passes: the sending host, the gate (firewall, MTU), the policer, the
 * bottleneck with its queue, the medium's slots, its repetitions, the loss that is left, the way with its jitter and its
 * accidents, the receiving host. Each is off by default, draws from streams of its own, and counts what enters, leaves,
 * is dropped and is delayed; so impairing one direction moves only its own counters, and packets are conserved.
 *
 * Where nothing waits, a packet costs one event of the loop: stations are functions from the time at which a packet comes
 * to the time at which it leaves. A stalled host, the bottleneck and a receiver's batch have events of their own. On a link
 * that does nothing but take its time, as most do, packets go straight: by no station, to the same effect.
 */
import { type Micros, micros } from "../../core/index.ts";
import { createLane, EVENT_CLASS, type EventLoop, schedule, scheduleArrival } from "../base/event-loop.ts";
import { createStream, type Seed } from "../base/random.ts";
import { type Bottleneck, createBottleneck, passBottleneck, restartCapacity } from "./bottleneck.ts";
import { countStraight, createLinkCounters, createStraightCounts, type LinkCounters } from "./counters.ts";
import { createGate, isHandshake, passGate, passHost, passPolicer } from "./gate.ts";
import { type LinkPlan, linkIsStraight } from "./plan.ts";
import { createRadio, passArq, passLoss, passMac } from "./radio.ts";
import { createReceiver, receive } from "./receiver.ts";
import { commonStream, drop, enter, type Link, leave, type Packet, wireBytes } from "./state.ts";
import { createWay, damage, doubling, overtakers, passBy, travel } from "./way.ts";

/** Packets that wait in a clog; later ones are dropped. */
const CLOGGED_PACKETS_MAX = 4_096;

/**
 * A link without packets. `entity` names it among all links of the run (its streams hang on the name); `peer/up` and
 * `peer/down` are the two directions of one peer. Links with the same `shares` share bottlenecks by name.
 */
export function createLink(
  loop: EventLoop,
  seed: Seed,
  entity: string,
  plan: LinkPlan,
  deliver: (packet: Packet) => void,
  shares: Map<string, Bottleneck> = new Map(),
): Link {
  const link: Link = {
    loop,
    straightBytesMax: linkIsStraight(plan) ? plan.mtuBytes : -1,
    straight: createStraightCounts(),
    seed,
    entity,
    plan,
    deliver,
    counted: createLinkCounters(),
    onDrop: undefined,
    streams: new Map(),
    lane: createLane(loop),
    generation: 0,
    gate: createGate(createStream(seed, "link/stall", entity), loop.now),
    bottleneck: bottleneckFor(loop, seed, entity, plan, shares),
    shares,
    radio: createRadio(commonStream(seed, "outage", entity, 0), loop.now),
    way: createWay(commonStream(seed, "handover", entity, 0), loop.now),
    receiver: createReceiver(),
    comes: (packet) => come(link, packet, packet.sentAt),
  };
  return link;
}

function bottleneckFor(
  loop: EventLoop,
  seed: Seed,
  entity: string,
  plan: LinkPlan,
  shares: Map<string, Bottleneck>,
): Bottleneck {
  if (plan.shared === "") return createBottleneck(loop, seed, entity, plan, leaveBottleneck);
  let bottleneck = shares.get(plan.shared);
  if (bottleneck === undefined) {
    bottleneck = createBottleneck(loop, seed, plan.shared, plan, leaveBottleneck);
    shares.set(plan.shared, bottleneck);
  }
  return bottleneck;
}

/**
 * Changes the plan of a link now; what is not named stays as it is. Processes whose plans are named begin anew, in both
 * directions alike when both are changed at the same time. What waits in an old bottleneck still leaves it.
 */
export function changeLink(link: Link, change: Partial<LinkPlan>): void {
  const { loop, seed, entity } = link;
  const before = link.plan;
  const plan = { ...before, ...change };
  link.plan = plan;
  link.generation++;
  const { generation } = link;
  if (plan.shared !== before.shared) {
    link.bottleneck = bottleneckFor(loop, seed, entity, plan, link.shares);
  } else if (change.capacity !== undefined && plan.shared === "") restartCapacity(link.bottleneck, generation);
  link.bottleneck.plan = plan;
  if (change.outages !== undefined) {
    link.radio = {
      ...link.radio,
      outages: createRadio(commonStream(seed, "outage", entity, generation), loop.now).outages,
    };
  }
  if (change.handovers !== undefined || change.swing !== undefined) {
    const { lastArrival, held } = link.way;
    link.way = { ...createWay(commonStream(seed, "handover", entity, generation), loop.now), lastArrival, held };
  }
  if (!plan.clogged) unclog(link);
  link.straightBytesMax = linkIsStraight(plan) && isIdle(link) ? plan.mtuBytes : -1;
}

/** Whether nothing is left at any station that another plan has put there. */
function isIdle({ gate, bottleneck, way, receiver }: Link): boolean {
  return gate.clogged.length + way.held.length + receiver.batch.length === 0 && !bottleneck.busy;
}

/** What has become of the packets of a link up to now. */
export function linkCounters({ counted, straight }: Link): LinkCounters {
  countStraight(counted, straight);
  return counted;
}

/** Puts a packet on the link; what becomes of it happens by events of the loop. */
export function linkSend(link: Link, packet: Packet): void {
  const { loop, counted } = link;
  // Datagrams of handshakes are counted by the gate, whatever becomes of them.
  if (wireBytes(link, packet) <= link.straightBytesMax && !isHandshake(packet)) {
    goStraight(link, packet);
    return;
  }
  const { stations } = counted;
  counted.offered++;
  counted.underWay++;
  enter(stations.host);
  if (link.plan.clogged) {
    const { clogged } = link.gate;
    if (clogged.length < CLOGGED_PACKETS_MAX) clogged.push({ packet, since: loop.now });
    else drop(link, "host", packet, "clog");
    return;
  }
  const at = passHost(link, loop.now);
  const wait = at - loop.now;
  if (wait === 0) depart(link, packet, 0);
  else departAt(link, packet, micros(at));
}

function goStraight(link: Link, packet: Packet): void {
  const { loop, way, straight, plan } = link;
  straight.sent++;
  way.lastArrival = Math.max(loop.now + plan.delayMicros, way.lastArrival);
  scheduleArrival(loop, micros(way.lastArrival), link.comes, packet, link.lane);
}

function departAt(link: Link, packet: Packet, at: Micros): void {
  const { loop } = link;
  const wait = at - loop.now;
  schedule(loop, at, EVENT_CLASS.DATAGRAM, () => depart(link, packet, wait), link.lane);
}

/** Lets go what has waited in a clog, in order. */
function unclog(link: Link): void {
  for (const { packet, since } of link.gate.clogged.splice(0)) depart(link, packet, link.loop.now - since);
}

/** From the sending host to the queue of the bottleneck. */
function depart(link: Link, packet: Packet, stalledMicros: number): void {
  const { now } = link.loop;
  const { stations } = link.counted;
  leave(stations.host, stalledMicros);
  enter(stations.gate);
  if (!passGate(link, packet, now)) return;
  leave(stations.gate, 0);
  enter(stations.policer);
  if (!passPolicer(link, packet, now)) return;
  leave(stations.policer, 0);
  enter(stations.bottleneck);
  passBottleneck(link, packet);
}

/** From the bottleneck to the receiving host. */
function leaveBottleneck(link: Link, packet: Packet, since: number): void {
  const { now } = link.loop;
  const { stations } = link.counted;
  leave(stations.bottleneck, now - since);
  enter(stations.mac);
  const onAir = passMac(link, now);
  leave(stations.mac, onAir - now);
  enter(stations.arq);
  const carried = passArq(link, packet, onAir);
  if (carried < 0) return;
  leave(stations.arq, carried - onAir);
  enter(stations.loss);
  const survived = passLoss(link, packet, carried);
  if (survived < 0) return;
  enter(stations.way);
  const arrival = travel(link, survived);
  arrive(link, damage(link, packet), arrival, survived);
  const later = doubling(link);
  if (later < 0) return;
  stations.way.made++;
  link.counted.underWay++;
  arrive(link, packet, arrival + later, survived);
}

function arrive(link: Link, packet: Packet, arrival: number, since: number): void {
  scheduleArrival(link.loop, micros(arrival), () => come(link, packet, since), undefined, link.lane);
}

/** A packet has come that was on the way since then. */
function come(link: Link, packet: Packet, since: number): void {
  if (link.straightBytesMax >= 0) {
    comeStraight(link, packet, since);
    return;
  }
  const count = overtakers(link);
  if (count > 0) {
    holdBack(link, packet, since, count);
    return;
  }
  comeOut(link, packet, since);
  if (link.way.held.length > 0) passBy(link.way);
}

function comeStraight({ loop, straight, deliver }: Link, packet: Packet, since: number): void {
  straight.came++;
  straight.cameBytes += packet.bytes.length;
  if (loop.now > since) {
    straight.delayed++;
    straight.delayedMicros += loop.now - since;
  }
  deliver(packet);
}

function comeOut(link: Link, packet: Packet, since: number): void {
  if (link.plan.cut) {
    drop(link, "way", packet, "cut");
    return;
  }
  leave(link.counted.stations.way, link.loop.now - since);
  receive(link, packet);
}

/** Lets `count` packets overtake this one, but no longer than the plan allows. */
function holdBack(link: Link, packet: Packet, since: number, count: number): void {
  const { held } = link.way;
  const entry = {
    left: count,
    release: () => {
      const at = held.indexOf(entry);
      if (at < 0) return;
      held.splice(at, 1);
      comeOut(link, packet, since);
    },
  };
  held.push(entry);
  const latest = link.loop.now + Math.max(1, link.plan.reorderMicros);
  schedule(link.loop, micros(latest), EVENT_CLASS.DATAGRAM, entry.release, link.lane);
}
