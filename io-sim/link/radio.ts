/**
 * The stations of a medium that is shared or bad: slots and grants, repetition below IP, and the loss that is left.
 *
 * Slots come in a fixed rhythm whose phase the seed draws; grants come some time after a station has asked, and what it has
 * gathered by then leaves together. Repetition (ARQ) costs time, and everything behind a packet that is being repeated
 * waits with it. Loss in bursts is a Gilbert-Elliott process in continuous time: the link dwells in its good and its bad
 * state for milliseconds and not for packets, so a burst hits audio and video alike.
 */
import { between, chance, dwell, type Stream } from "../base/random.ts";
import { createEpisodes, type Episodes, inEpisode } from "./episodes.ts";
import { drop, type Link, leave, type Packet, streamOf } from "./state.ts";
import { handoverLoses } from "./way.ts";

/** What these stations remember. */
export interface RadioState {
  /** Where in its rhythm a slot begins, or -1 before it is drawn; and when the present grant lets packets go. */
  slotPhase: number;
  grantAt: number;
  /** No packet passes the repetition before this time. */
  repeatingUntil: number;
  /** The burst process: which state, and when it changes (0 before the first packet). */
  bad: boolean;
  changesAt: number;
  readonly outages: Episodes;
}

/** Stations that have seen nothing; `outages` is the stream that both directions have in common. */
export function createRadio(outages: Stream, now: number): RadioState {
  return {
    slotPhase: -1,
    grantAt: -1,
    repeatingUntil: 0,
    bad: false,
    changesAt: 0,
    outages: createEpisodes(outages, now),
  };
}

/** When the medium lets a packet go that is ready at `time`. */
export function passMac(link: Link, time: number): number {
  const { radio } = link;
  const { mac } = link.plan;
  if (mac === null) return time;
  const stream = streamOf(link, "mac");
  if (mac.kind === "slots") {
    if (radio.slotPhase < 0) radio.slotPhase = between(stream, 0, mac.everyMicros - 1);
    const since = (time - radio.slotPhase) % mac.everyMicros;
    return since === 0 ? time : time + mac.everyMicros - since;
  }
  if (time > radio.grantAt) radio.grantAt = time + between(stream, ...mac.waitMicros);
  return radio.grantAt;
}

/** When the packet has been carried over the medium, or -1 when every try has failed and it has been dropped. */
export function passArq(link: Link, packet: Packet, time: number): number {
  const { arq } = link.plan;
  if (arq === null) return time;
  const stream = streamOf(link, "arq");
  let at = Math.max(time, link.radio.repeatingUntil);
  let failures = 0;
  while (failures < arq.triesMax && chance(stream, arq.failPpm)) {
    failures++;
    at += between(stream, ...arq.waitMicros);
  }
  link.radio.repeatingUntil = at;
  if (failures < arq.triesMax) return at;
  drop(link, "arq", packet, "arq");
  return -1;
}

/** When the packet has survived the loss that is left, or -1 when it has not. Only a tunnel makes it later. */
export function passLoss(link: Link, packet: Packet, time: number): number {
  const reason = lossAt(link, time);
  if (reason === "") {
    leave(link.counted.stations.loss, 0);
    return time;
  }
  if (link.plan.udp !== "tunnelled") {
    drop(link, "loss", packet, reason);
    return -1;
  }
  // TCP sends it again when it hears of the gap, a round trip later.
  const wait = 2 * link.plan.delayMicros;
  link.counted.repeated++;
  leave(link.counted.stations.loss, wait);
  return time + wait;
}

function lossAt(link: Link, time: number): "" | "outage" | "handover" | "burst" | "loss" {
  const { plan, radio } = link;
  if (plan.outages !== null && inEpisode(radio.outages, plan.outages, time)) return "outage";
  if (plan.handovers !== null && handoverLoses(link, plan.handovers, time)) return "handover";
  if (isInBurst(link, time) && chance(streamOf(link, "burst-loss"), plan.burstLossPpm)) return "burst";
  return plan.lossPpm > 0 && chance(streamOf(link, "loss"), plan.lossPpm) ? "loss" : "";
}

function isInBurst(link: Link, time: number): boolean {
  const { radio } = link;
  const { burstGoodMicros, burstBadMicros } = link.plan;
  if (burstBadMicros === 0) return false;
  const stream = streamOf(link, "burst");
  if (radio.changesAt === 0) radio.changesAt = time + 1 + dwell(stream, burstGoodMicros);
  while (time >= radio.changesAt) {
    radio.bad = !radio.bad;
    radio.changesAt += 1 + dwell(stream, radio.bad ? burstBadMicros : burstGoodMicros);
  }
  return radio.bad;
}
