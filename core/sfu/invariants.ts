/**
 * What must be true of a shard whenever it stands still between two inputs, read from its state alone.
 *
 * A shard is plain data, so everything that points at something can be followed: what is pointed at must be in its table,
 * must be of the living generation and must point back (S15). What has a cap keeps it (R2), and what was estimated is a
 * finite number of a possible size (S17). A look that remembers the one before can also say that the numbers of a slot only
 * go on (S2, S3), and that every packet that was offered to a receiver was sent or dropped for a reason (S18).
 *
 * The simulator asks after every change, of everybody. A host that serves people asks now and then, of a few at a time: see
 * {@link lookAtShard}. What these functions find is a mistake of ours; no peer can bring it about.
 */
import type { Micros } from "../base/micros.ts";
import { LIMITS } from "../limits.ts";
import type { Counters } from "./counters.ts";
import { shardOf } from "./ids.ts";
import type { Room } from "./room.ts";
import type { Participant, Publication, PublicationProxy, Route, Shard, Slot } from "./state.ts";

/** Longest round trip that a report can make anybody believe in: a compact NTP time of 32 bits has 16 of seconds. */
const RTT_MICROS_MAX = 65_536_000_000;
/** No stream is faster than this. */
const BITRATE_BPS_MAX = 1_000_000_000;
/** Half a round of a video clock's 32 bits. */
const HALF_ROUND_MICROS = 0x8000_0000 * (100 / 9);

/** Promises that can be judged by looking at a shard; what they promise is in io-sim/oracles/promises.ts. */
export const STATE_PROMISES = ["S2", "S3", "S15", "S17", "S18", "R2"] as const;

/** One of {@link STATE_PROMISES}. */
export type StatePromise = (typeof STATE_PROMISES)[number];

/** What a look has found of one promise: a sentence about what is wrong, or "" when it holds. */
export interface Finding {
  readonly promise: StatePromise;
  readonly trouble: string;
}

/** What is remembered from look to look; make it with {@link createShardLooks}. */
export interface ShardLooks {
  /** Of those participants that are looked at next, how many stand before them. */
  skips: number;
  /** The numbers of each slot when it was looked at last, by the slot's id. */
  readonly slots: Map<number, SlotNumbers>;
}

interface SlotNumbers {
  readonly index: number;
  readonly packetsSent: number;
  readonly timestamp: number;
  readonly sentAt: Micros;
}

/** Nothing has been looked at. */
export function createShardLooks(): ShardLooks {
  return { skips: 0, slots: new Map() };
}

/**
 * Looks at a shard between two inputs: at its tables, and at `most` of its participants, at others each time. Answers one
 * finding for each promise that was judged.
 */
export function lookAtShard(shard: Shard, looks: ShardLooks, most: number): Finding[] {
  const ids = [...shard.participants.keys()];
  if (looks.skips >= ids.length) looks.skips = 0;
  const some = ids.slice(looks.skips, looks.skips + most);
  looks.skips += most;
  const looked = some.map((id) => shard.participants.get(id)!);
  const findings: Finding[] = [
    { promise: "S15", trouble: disagreementIn(shard, looked) },
    { promise: "R2", trouble: excessIn(shard, looked) },
    { promise: "S17", trouble: wildEstimateIn(looked) },
    { promise: "S18", trouble: lossIn(shard.history.counters) },
  ];
  const slots = looked.flatMap((participant) => participant.slots);
  for (const slot of slots) {
    const before = looks.slots.get(slot.id);
    if (before === undefined || !slot.rewriter.started) continue;
    findings.push({ promise: "S2", trouble: numbersTrouble(slot, before) });
    findings.push({ promise: "S3", trouble: timestampTrouble(slot, before) });
  }
  for (const id of looks.slots.keys()) if (!shard.slots.has(id)) looks.slots.delete(id);
  for (const slot of slots) looks.slots.set(slot.id, numbersOf(slot));
  return findings;
}

function numbersOf({ rewriter, packetsSent }: Slot): SlotNumbers {
  const { lineHighest, skips, timestamp, sentAt } = rewriter;
  return { index: lineHighest - skips, packetsSent, timestamp, sentAt };
}

/** One number means one packet: more cannot have been sent than numbers have come up, and were left open before. */
function numbersTrouble(slot: Slot, before: SlotNumbers): string {
  const { index, packetsSent } = numbersOf(slot);
  if (index < before.index) return `Slot ${slot.id} has gone back from number ${before.index} to ${index}`;
  const sent = (packetsSent - before.packetsSent) >>> 0;
  if (sent <= index - before.index + LIMITS.rewriterHistoryPackets) return "";
  return `Slot ${slot.id} has sent ${sent} packets under ${index - before.index} numbers`;
}

function timestampTrouble(slot: Slot, before: SlotNumbers): string {
  const { timestamp, sentAt } = numbersOf(slot);
  const step = (timestamp - before.timestamp) | 0;
  // What has rested for hours may have gone round.
  if (sentAt === before.sentAt || sentAt - before.sentAt > HALF_ROUND_MICROS || step >= 0) return "";
  return `Slot ${slot.id} has gone back by ${-step} in its timestamps`;
}

/** Packets times receivers equals sent plus dropped for a reason. */
export function lossIn(counters: Counters): string {
  const { rtpOffered, rtpForwarded, rtpNotChosen, rtpAwaitingKeyframe, rtpLeftOut, rtpTooLate } = counters;
  const { rtpCodecMismatch, rtpUnsendable, rtpPaddingSkipped } = counters;
  const dropped = rtpNotChosen + rtpAwaitingKeyframe + rtpLeftOut + rtpTooLate;
  const lost = rtpOffered - rtpForwarded - dropped - rtpCodecMismatch - rtpUnsendable - rtpPaddingSkipped;
  return lost === 0 ? "" : `Of ${rtpOffered} packets that were offered to receivers ${lost} are unaccounted for`;
}

/** What does not agree in the tables of a shard, in a sentence, or ""; of its participants these are looked at closely. */
export function disagreementIn(shard: Shard, looked: Iterable<Participant> = shard.participants.values()): string {
  if (shard.mail.letters.length > 0) return "There is mail between two inputs";
  let publications = 0;
  let slots = 0;
  let streams = 0;
  for (const participant of looked) {
    const trouble = participantTrouble(shard, participant);
    if (trouble !== "") return `Participant ${participant.id}: ${trouble}`;
  }
  for (const [id, participant] of shard.participants) {
    if (participant.id !== id) return `Participant ${participant.id} stands under number ${id}`;
    publications += participant.publications.length;
    slots += participant.slots.length;
    for (const publication of participant.publications) streams += publication.streams.length;
  }
  for (const proxy of shard.proxies.values()) {
    const trouble = proxyTrouble(shard, proxy);
    if (trouble !== "") return `The proxy of publication ${proxy.id}: ${trouble}`;
    streams += proxy.streams.length;
  }
  if (shard.lanes.size !== shard.proxies.size) return "A lane is in the table that no proxy has";
  if (shard.publications.size !== publications) return "A publication is in the table that nobody has";
  if (shard.slots.size !== slots) return "A slot is in the table that nobody has";
  if (shard.streams.size !== streams) return "A stream is in the table that nobody has";
  if (shard.ufrags.size !== shard.participants.size) return "A ufrag is in the table that nobody has";
  if (shard.resources.size !== shard.participants.size) return "A resource is in the table that nobody has";
  for (const [flow, participant] of shard.flows) {
    if (shard.participants.get(participant.id) !== participant) return `Flow ${flow} belongs to somebody who is gone`;
    if (!participant.peer.ice.flows.includes(flow)) return `Flow ${flow} is not its owner's`;
  }
  for (const key of shard.timers.positions.keys()) {
    if (key > 0 && !shard.participants.has(key)) return `A timer waits for participant ${key}, who is gone`;
  }
  const { next, free } = shard.peerIndexes;
  if (next - free.length !== shard.participants.size) return "A peer's number is taken that nobody has";
  for (const room of shard.rooms.values()) {
    const trouble = roomTrouble(shard, room);
    if (trouble !== "") return `Room ${room.name} ${trouble}`;
  }
  return "";
}

function roomTrouble(shard: Shard, room: Room): string {
  let publications = 0;
  for (const [id, member] of room.members) {
    const isGone = shardOf(id) === shard.number && shard.participants.get(id)?.room !== room.name;
    if (isGone) return `has a member ${id} who is gone`;
    if (!member.ready) continue;
    publications += member.publications.length;
    for (const each of member.publications) {
      if (room.publications.get(each.publication) !== each) return `does not know of a publication of ${id}`;
    }
  }
  return room.publications.size === publications ? "" : "knows of a publication that nobody has";
}

function participantTrouble(shard: Shard, participant: Participant): string {
  const { id, peer, publications, slots, allocator } = participant;
  if (shard.ufrags.get(peer.ice.localUfrag) !== participant) return "the ufrag leads elsewhere";
  if (shard.resources.get(participant.resource) !== participant) return "the resource leads elsewhere";
  const isHome = participant.home === shard.number;
  if (isHome && shard.rooms.get(participant.room)?.members.has(id) !== true) return "the room does not know of it";
  if (!shard.timers.positions.has(id)) return "no timer waits for it";
  for (const publication of publications) {
    if (shard.publications.get(publication.id) !== publication) return "a publication is not in the table";
    for (const stream of publication.streams) {
      if (shard.streams.get(stream.id) !== stream) return "a stream is not in the table";
      if (participant.inbound.get(stream.ssrc | 0)?.stream !== stream) return "an SSRC leads elsewhere";
    }
    if (publication.best !== null && !publication.streams.includes(publication.best)) return "the best layer is gone";
    for (const route of publication.routes) {
      const trouble = routeTrouble(shard, publication, route);
      if (trouble !== "") return trouble;
      if (route.slot.owner.room !== participant.room) return "a route leads into another room";
      if (route.slot.owner === participant) return "a route leads back to it";
      const has = route.stream === null || publication.streams.some((each) => each === route.stream);
      if (!has) return "a route has a stream that is gone";
    }
  }
  let flowingVideos = 0;
  for (const { kind, activity } of allocator.offerings.values()) {
    if (kind === "video" && activity === "flowing") flowingVideos++;
  }
  if (allocator.flowingVideos !== flowingVideos) return "the videos that flow are miscounted";
  for (const [index, slot] of slots.entries()) {
    if (shard.slots.get(slot.id) !== slot) return "a slot is not in the table";
    const { route } = slot;
    const seated = allocator.slots[index]?.publication ?? 0;
    if (route !== null && !route.publication.routes.includes(route)) return "a slot has a route that is taken up";
    const isUntold = route === null && seated !== 0 && mayBeUntold(shard, participant, seated);
    if (!isUntold && (route?.publication.id ?? 0) !== seated)
      return `slot ${index} is to show ${seated} and has another route`;
    if (participant.slotsBySsrc.get(slot.media.slotSsrc) !== slot) return "a slot's SSRC leads elsewhere";
  }
  return "";
}

/**
 * Whether a publication may be gone without the participant having been told: what is said by a room on another shard, or of
 * a publication there, is under way for a while.
 */
function mayBeUntold(shard: Shard, { home }: Participant, publication: number): boolean {
  const isNear = home === shard.number && shardOf(publication) === shard.number;
  return !isNear && !shard.publications.has(publication) && !shard.proxies.has(publication);
}

/** What does not fit of what stands for a publication of another shard. */
function proxyTrouble(shard: Shard, proxy: PublicationProxy): string {
  if (shard.lanes.get(proxy.lane.id) !== proxy) return "the lane leads elsewhere";
  if (proxy.routes.length === 0) return "nobody is shown it";
  for (const stream of proxy.streams)
    if (shard.streams.get(stream.id) !== stream) return "a stream of it is not in the table";
  for (const route of proxy.routes) {
    const trouble = routeTrouble(shard, proxy, route);
    if (trouble !== "") return trouble;
  }
  return "";
}

/** What does not fit of a route that a publication, or what stands for one, has in its list. */
function routeTrouble(shard: Shard, publication: Publication, route: Route): string {
  if (route.publication !== publication || route.slot.route !== route) return "a route does not know its slot";
  if (shard.slots.get(route.slot.id) !== route.slot) return "a route leads to a slot that is gone";
  return "";
}

/** What exceeds its cap, in a sentence, or "". */
export function excessIn(shard: Shard, looked: Iterable<Participant> = shard.participants.values()): string {
  const { iceFlowsPerPeerMax, retransmitBurstPackets, packetCachePackets } = shard.tunables;
  if (shard.participants.size > LIMITS.participantsPerShardMax) return "Too many participants";
  for (const { id, peer, inbound, publications, retransmitBudget } of looked) {
    if (peer.ice.flows.length > iceFlowsPerPeerMax) return `Participant ${id} has too many flows`;
    if (inbound.size > LIMITS.srtpStreamsPerPeerMax) return `Participant ${id} has too many SSRCs`;
    if (retransmitBudget > retransmitBurstPackets) return `Participant ${id} may have too much sent again`;
    for (const { streams } of publications) {
      if (streams.length > LIMITS.streamsPerPublicationMax) return `Participant ${id} has too many streams`;
      for (const { cache } of streams) {
        if (cache !== null && cache.lengths.length > packetCachePackets) return "A packet cache is too large";
      }
    }
  }
  return "";
}

/** What is no possible number, in a sentence, or "". */
export function wildEstimateIn(looked: Iterable<Participant>): string {
  const within = (value: number, least: number, most: number) => value >= least && value <= most;
  for (const { id, rtt, ntpOffset, publications } of looked) {
    for (const value of Object.values(rtt)) {
      if (typeof value === "number" && !within(value, 0, RTT_MICROS_MAX))
        return `Participant ${id}: a round trip of ${value}`;
    }
    if (!Number.isSafeInteger(ntpOffset.offsetMicros))
      return `Participant ${id}: a clock that is ${ntpOffset.offsetMicros} off`;
    for (const { streams } of publications) {
      for (const { statistics } of streams) {
        if (!within(statistics.jitterScaled, 0, 0x10_0000_0000))
          return `Participant ${id}: a jitter of ${statistics.jitterScaled}`;
        const bytes = statistics.bucketBytes.reduce((sum, each) => sum + each, 0);
        if (!within(bytes * 8, 0, BITRATE_BPS_MAX)) return `Participant ${id}: a rate of ${bytes} bytes`;
      }
    }
  }
  return "";
}
