/**
 * The oracle that looks into the server: whether its tables agree with each other and stay within their bounds.
 *
 * A shard is plain data, so everything that points at something can be followed: what is pointed at must be in its table,
 * must be of the living generation and must point back (S15). What has a cap keeps it (R2), and what was estimated is a
 * finite number of a possible size (S17). It looks after each input that changes who is there, and now and then besides.
 */
import { LIMITS, type Shard } from "../../core/index.ts";
import type { World, WorldWatcher } from "../world.ts";
import { judge, type PromiseBook } from "./promises.ts";

/** Time between two looks when nothing calls for one. */
const LOOK_EVERY_MICROS = 500_000;

/** Longest round trip that a report can make anybody believe in: a compact NTP time of 32 bits has 16 of seconds. */
const RTT_MICROS_MAX = 65_536_000_000;
/** No stream is faster than this. */
const BITRATE_BPS_MAX = 1_000_000_000;

type Participant = Shard["participants"] extends Map<number, infer P> ? P : never;

/** The oracle of this world. */
export function createStateOracle(world: World, book: PromiseBook): WorldWatcher {
  let nextLook = 0;
  return {
    afterInput(input, effects) {
      const calls = input.kind === "command" || effects.some((effect) => effect.kind === "event");
      if (!calls && input.now < nextLook) return;
      nextLook = input.now + LOOK_EVERY_MICROS;
      const { shard } = world.node;
      const disagreement = disagreementIn(shard);
      judge(book, "S15", disagreement === "", () => `${disagreement}.`);
      const excess = excessIn(shard);
      judge(book, "R2", excess === "", () => `${excess}.`);
      const wild = wildEstimateIn(shard);
      judge(book, "S17", wild === "", () => `${wild}.`);
    },
  };
}

/** What does not agree in the tables of a shard, in a sentence, or "". */
function disagreementIn(shard: Shard): string {
  if (shard.mail.letters.length > 0) return "There is mail between two inputs";
  let publications = 0;
  let slots = 0;
  let streams = 0;
  for (const [id, participant] of shard.participants) {
    const trouble = participantTrouble(shard, id, participant);
    if (trouble !== "") return `Participant ${id}: ${trouble}`;
    publications += participant.publications.length;
    slots += participant.slots.length;
    for (const publication of participant.publications) streams += publication.streams.length;
  }
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
  for (const room of shard.rooms.values()) {
    for (const id of room.members.keys()) {
      if (shard.participants.get(id)?.room !== room.name) return `Room ${room.name} has a member ${id} who is gone`;
    }
  }
  return "";
}

function participantTrouble(shard: Shard, id: number, participant: Participant): string {
  const { peer, publications, slots, allocator } = participant;
  if (participant.id !== id) return "stands under another's number";
  if (shard.ufrags.get(peer.ice.localUfrag) !== participant) return "the ufrag leads elsewhere";
  if (shard.resources.get(participant.resource) !== participant) return "the resource leads elsewhere";
  if (shard.rooms.get(participant.room)?.members.has(id) !== true) return "the room does not know of it";
  if (!shard.timers.positions.has(id)) return "no timer waits for it";
  for (const publication of publications) {
    if (shard.publications.get(publication.id) !== publication) return "a publication is not in the table";
    for (const stream of publication.streams) {
      if (shard.streams.get(stream.id) !== stream) return "a stream is not in the table";
      if (participant.inbound.get(stream.ssrc | 0)?.stream !== stream) return "an SSRC leads elsewhere";
    }
    if (publication.best !== null && !publication.streams.includes(publication.best)) return "the best layer is gone";
    for (const route of publication.routes) {
      if (route.publication !== publication || route.slot.route !== route) return "a route does not know its slot";
      if (shard.slots.get(route.slot.id) !== route.slot) return "a route leads to a slot that is gone";
      if (route.slot.owner.room !== participant.room) return "a route leads into another room";
      if (route.slot.owner === participant) return "a route leads back to it";
      const has = route.stream === null || publication.streams.some((each) => each === route.stream);
      if (!has) return "a route has a stream that is gone";
    }
  }
  for (const [index, slot] of slots.entries()) {
    if (shard.slots.get(slot.id) !== slot) return "a slot is not in the table";
    const { route } = slot;
    const seated = allocator.slots[index]?.publication ?? 0;
    if (route !== null && !route.publication.routes.includes(route)) return "a slot has a route that is taken up";
    if ((route?.publication.id ?? 0) !== seated) return `slot ${index} is to show ${seated} and has another route`;
    if (participant.slotsBySsrc.get(slot.media.slotSsrc) !== slot) return "a slot's SSRC leads elsewhere";
  }
  return "";
}

/** What exceeds its cap, in a sentence, or "". */
function excessIn(shard: Shard): string {
  if (shard.participants.size > LIMITS.participantsPerShardMax) return "Too many participants";
  for (const [id, { peer, inbound, publications, retransmitBudget }] of shard.participants) {
    if (peer.ice.flows.length > LIMITS.iceFlowsPerPeerMax) return `Participant ${id} has too many flows`;
    if (inbound.size > LIMITS.srtpStreamsPerPeerMax) return `Participant ${id} has too many SSRCs`;
    if (retransmitBudget > LIMITS.retransmitBurstPackets) return `Participant ${id} may have too much sent again`;
    for (const { streams } of publications) {
      if (streams.length > LIMITS.streamsPerPublicationMax) return `Participant ${id} has too many streams`;
      for (const { cache } of streams) {
        if (cache !== null && cache.lengths.length > LIMITS.packetCachePackets) return "A packet cache is too large";
      }
    }
  }
  return "";
}

/** What is no possible number, in a sentence, or "". */
function wildEstimateIn(shard: Shard): string {
  const within = (value: number, least: number, most: number) => value >= least && value <= most;
  for (const [id, { rtt, ntpOffset, publications }] of shard.participants) {
    for (const value of Object.values(rtt)) {
      if (typeof value === "number" && !within(value, 0, RTT_MICROS_MAX))
        return `Participant ${id}: a round trip of ${value}`;
    }
    if (!Number.isSafeInteger(ntpOffset.offsetMicros))
      return `Participant ${id}: a clock that is ${ntpOffset.offsetMicros} off`;
    for (const { streams } of publications) {
      for (const { statistics } of streams) {
        if (!within(statistics.jitterScaled, 0, 2 ** 36))
          return `Participant ${id}: a jitter of ${statistics.jitterScaled}`;
        const bytes = statistics.bucketBytes.reduce((sum, each) => sum + each, 0);
        if (!within(bytes * 8, 0, BITRATE_BPS_MAX)) return `Participant ${id}: a rate of ${bytes} bytes`;
      }
    }
  }
  return "";
}
