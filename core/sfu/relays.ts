/**
 * A publication as other shards get it: each packet once for each shard that has subscribers, however many they are.
 *
 * A relay is much like a route: it begins with a keyframe of the publication's best stream and goes over to another stream
 * at one of its keyframes, so that on the other side every route can do what it would do here. What it does not do is
 * rewrite: the packet crosses as it came, opened. The way across may lose packets. Each has an ordinal in its lane, and for
 * the last ones it is known which packets they were; the other shard asks for what it misses, and gets it from the
 * publication's packet cache. Audio has no cache, and a lost packet of it stays lost.
 */
import { assert } from "../base/assert.ts";
import { copyBytes } from "../base/bytes.ts";
import type { Micros, WallMicros } from "../base/micros.ts";
import { seqAdd16 } from "../base/sequence.ts";
import { LIMITS } from "../limits.ts";
import { loudnessValue } from "../media/loudness.ts";
import { packetCacheFind, packetCacheLength, packetCacheOffset, packetCachePutAt } from "../media/packet-cache.ts";
import { RELAY_FLAG, RELAY_PACKET_HEADER_BYTES, relayWritePacketHeader } from "../wire/relay-record.ts";
import {
  type ActorRef,
  type ClockOffset,
  type PublicationMessage,
  postMail,
  publicationRef,
  type StreamView,
} from "./mail.ts";
import { isTooLateToBegin } from "./packet.ts";
import type { ShardPorts } from "./ports.ts";
import { flushMail } from "./relay.ts";
import { wallAt } from "./reports.ts";
import { keepWish, wantKeyframe, wantKeyframeOf } from "./requests.ts";
import type { OwnPublication, OwnStream, Participant, Publication, Relay, Shard, Stream } from "./state.ts";

assert(
  LIMITS.rtpPacketBytesMax + RELAY_PACKET_HEADER_BYTES <= LIMITS.datagramBytesMax,
  "a packet that was taken fits a send slot on its way to another shard too",
);

/** Takes a message that a proxy, or a room, has sent to a publication of this shard. */
export function relayHandle(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  publication: OwnPublication,
  from: ActorRef,
  message: Exclude<PublicationMessage, { type: "subscribe" | "unsubscribe" }>,
): void {
  switch (message.type) {
    case "measure":
      postMail(shard.mail, publicationRef(publication.id, shard.number), from, {
        to: "room",
        type: "loudness",
        publication: publication.id,
        score: loudnessValue(publication.loudness, now),
      });
      return;
    case "attach":
      attach(shard, now, publication, from.shard, message.lane);
      return;
    case "detach":
      publication.relays = publication.relays.filter(
        (relay) => relay.shard !== from.shard || relay.lane !== message.lane,
      );
      return;
    case "keyframe": {
      // Who begins does so with the best, and the other shard learns late which that is.
      const named = message.again ? publication.streams.find(({ id }) => id === message.stream) : undefined;
      const stream = named ?? publication.best;
      if (stream !== null) wantKeyframeOf(shard, now, stream, message.again);
      return;
    }
    case "repair": {
      const relay = publication.relays.find((each) => each.shard === from.shard && each.lane === message.lane);
      if (relay !== undefined) repair(shard, ports, now, publication, relay, message.ordinals);
    }
  }
}

/**
 * Sends the packet that `shard.scratch` describes to every shard that has subscribers of the publication; `recovered` says
 * that it came out of order. Answers whether a relay has begun with it.
 */
export function relayMedia(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  stream: Stream,
  bytes: Uint8Array,
  offset: number,
  length: number,
  recovered: boolean,
): boolean {
  const { packet } = shard.scratch;
  const { relays, best, kind } = stream.publication;
  const isBest = best === stream;
  const isBeginning = isBest && packet.payloadLength > 0 && (kind === "audio" || packet.keyframe);
  const mayBegin = isBeginning && (kind === "audio" || !isTooLateToBegin(shard, stream));
  let began = false;
  // What has been said before the packet is heard before it.
  if (shard.mail.outgoing.size > 0) flushMail(shard, ports);
  for (let i = 0; i < relays.length; i++) {
    const relay = relays[i]!;
    if (relay.stream !== stream) {
      if (!mayBegin) {
        if (isBeginning) keepWish(now, stream, relay);
        continue;
      }
      relay.stream = stream;
      began = true;
    }
    const { ordinal } = relay;
    relay.ordinal = seqAdd16(ordinal, 1);
    relay.packetsOfKeyframe = packet.keyframe ? 1 : relay.packetsOfKeyframe + 1;
    if (relay.streams !== null && relay.sequences !== null) {
      const place = ordinal & (relay.streams.length - 1);
      relay.streams[place] = stream.id;
      relay.sequences[place] = packet.sequence;
    }
    const flags = (isBest ? RELAY_FLAG.BEST : 0) | (recovered ? RELAY_FLAG.RECOVERED : 0);
    sendPacket(shard, ports, relay, stream.id, ordinal, flags, wallAt(shard, now), bytes, offset, length);
  }
  return began;
}

/** Tells the proxies of a publication what its publisher's new connection has negotiated for it. */
export function renewProxies(shard: Shard, publication: OwnPublication): void {
  const { media, owner } = publication;
  tellProxies(shard, publication, {
    to: "proxy",
    type: "renewed",
    media,
    clockOffset: clockOffsetOf(shard, owner),
  });
}

/** Tells the proxies of a publication that it has one more stream. */
export function announceStream(shard: Shard, stream: OwnStream): void {
  const { publication } = stream;
  if (publication.relays.length === 0) return;
  tellProxies(shard, publication, { to: "proxy", type: "stream", stream: viewOf(stream) });
}

/** Tells the proxies of a publication that a stream of it is gone for good. */
export function recallStream(shard: Shard, stream: OwnStream): void {
  const { publication } = stream;
  for (const relay of publication.relays) if (relay.stream === stream) relay.stream = null;
  tellProxies(shard, publication, { to: "proxy", type: "stream-gone", stream: stream.id });
}

/** Tells the proxies of a publication that it is gone, and takes its relays up. */
export function recallPublication(shard: Shard, publication: OwnPublication): void {
  tellProxies(shard, publication, { to: "proxy", type: "gone" });
  publication.relays = [];
}

/** Tells the proxies of all that a participant publishes what time it is there, by the report that has come on `stream`. */
export function relayClock(shard: Shard, participant: Participant, stream: Stream): void {
  const { reportWall, reportTimestamp } = stream.clock;
  for (const publication of participant.publications) {
    if (publication.relays.length === 0) continue;
    tellProxies(shard, publication, {
      to: "proxy",
      type: "clock",
      clockOffset: clockOffsetOf(shard, participant),
      stream: stream.publication === publication ? stream.id : 0,
      reportWall,
      reportTimestamp,
    });
  }
}

function attach(shard: Shard, now: Micros, publication: OwnPublication, shardNumber: number, lane: number): void {
  const isVideo = publication.kind === "video";
  const { relayHistoryPackets } = shard.tunables;
  publication.relays.push({
    shard: shardNumber,
    lane,
    stream: null,
    ordinal: 0,
    packetsOfKeyframe: 0,
    streams: isVideo ? new Uint32Array(relayHistoryPackets) : null,
    sequences: isVideo ? new Uint16Array(relayHistoryPackets) : null,
  });
  postMail(shard.mail, publicationRef(publication.id, shard.number), proxyRef(shardNumber, lane), {
    to: "proxy",
    type: "attached",
    media: publication.media,
    streams: publication.streams.map(viewOf),
    clockOffset: clockOffsetOf(shard, publication.owner),
    ordinal: 0,
  });
  wantKeyframe(shard, now, publication);
}

/**
 * Sends again what another shard misses of a lane and is still at hand. What is not leaves a hole that nobody there can fill,
 * and only a keyframe ends it: that is asked for now, and not when the first viewer has given up waiting.
 */
function repair(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  publication: Publication,
  relay: Relay,
  ordinals: readonly number[],
): void {
  const { streams, sequences, packetsOfKeyframe } = relay;
  if (streams === null || sequences === null) return;
  let isLost = false;
  for (const ordinal of ordinals.slice(0, shard.tunables.relayRepairsMax)) {
    const behind = seqAdd16(relay.ordinal, -ordinal);
    if (behind === 0 || behind > streams.length) continue;
    const place = ordinal & (streams.length - 1);
    const stream = shard.streams.get(streams[place]!);
    if (stream === undefined || stream.cache === null) continue;
    const { cache } = stream;
    const cached = packetCacheFind(cache, now, sequences[place]!);
    if (cached < 0) {
      if (stream === relay.stream && behind <= packetsOfKeyframe) isLost = true;
      continue;
    }
    const flags = RELAY_FLAG.RECOVERED | (publication.best === stream ? RELAY_FLAG.BEST : 0);
    const arrival = wallAt(shard, packetCachePutAt(cache, cached));
    const offset = packetCacheOffset(cache, cached);
    const length = packetCacheLength(cache, cached);
    sendPacket(shard, ports, relay, stream.id, ordinal, flags, arrival, cache.bytes, offset, length);
    shard.history.counters.relayPacketsRepaired++;
  }
  if (isLost && relay.stream !== null) wantKeyframeOf(shard, now, relay.stream, true);
}

function sendPacket(
  shard: Shard,
  ports: ShardPorts,
  relay: Relay,
  stream: number,
  ordinal: number,
  flags: number,
  arrival: WallMicros,
  bytes: Uint8Array,
  offset: number,
  length: number,
): void {
  const sink = ports.outbox;
  const at = sink.reserve();
  const target = sink.sendBytes;
  const headerLength = relayWritePacketHeader(target, at, length, relay.lane, stream, ordinal, flags, arrival);
  copyBytes(bytes, offset, target, at + headerLength, length);
  sink.relayPacket(relay.shard, at, headerLength + length);
  shard.history.counters.relayPacketsSent++;
}

function tellProxies(
  shard: Shard,
  publication: OwnPublication,
  message: Parameters<typeof postMail>[3] & { to: "proxy" },
): void {
  const from = publicationRef(publication.id, shard.number);
  for (const relay of publication.relays) postMail(shard.mail, from, proxyRef(relay.shard, relay.lane), message);
}

function proxyRef(shard: number, lane: number): ActorRef {
  return { actor: "proxy", shard, id: lane };
}

function viewOf({ id, ssrc, rid, clock }: OwnStream): StreamView {
  const { reports, reportWall, reportTimestamp } = clock;
  return { stream: id, ssrc, rid, reports, reportWall, reportTimestamp };
}

/** Shards have monotonic clocks of their own, but one wall clock. */
function clockOffsetOf(shard: Shard, { ntpOffset }: Participant): ClockOffset {
  return {
    wallMicros: ntpOffset.offsetMicros + shard.bootWall - shard.bootNow,
    reports: ntpOffset.reports,
  };
}
