/**
 * Proxies: what stands for a publication of another shard as long as somebody here is shown it.
 *
 * To routes and slots a proxy is a publication: it has streams with packet caches, and subscribers' NACKs are answered from
 * them. Its packets come over a *lane*, already opened, and are forwarded as if they had come from a peer. A proxy comes to
 * life with its first subscriber and asks the publication to relay; with the last one it says that it wants no more. It
 * lives by its home's word alone: which streams there are, which is the best, what time it is at the publisher's.
 *
 * The lane may lose packets. Each has an ordinal, and core/media/nack-generator.ts looks for gaps in these as it does for
 * gaps in sequence numbers; what was lost on the publisher's own way is not missing here, because it never had an ordinal.
 * One timer for all proxies of a shard asks for what is missing, and again for keyframes that somebody still waits for. A wish
 * for one is passed on as soon as it is made: its home thins the wishes of all shards together.
 */
import type { Micros, WallMicros } from "../base/micros.ts";
import { seqAdd16 } from "../base/sequence.ts";
import { timerHeapClear } from "../base/timer-heap.ts";
import { LIMITS } from "../limits.ts";
import { createKeyframeRequests, keyframeWantedAgain } from "../media/keyframe-requests.ts";
import { createLoudness } from "../media/loudness.ts";
import { createMediaClock, createNtpOffset, mediaClockPacket } from "../media/media-clock.ts";
import { createNackGenerator, NACK, nackDue, nackPacket } from "../media/nack-generator.ts";
import { createPacketCache, packetCacheFind, packetCachePut } from "../media/packet-cache.ts";
import { createReceiveStatistics, receiveStatisticsPacket } from "../media/receive-statistics.ts";
import type { NegotiatedMedia } from "../peer/negotiated.ts";
import { codecClockRate } from "../wire/codec.ts";
import { headerExtensionsScan } from "../wire/header-extensions.ts";
import {
  RELAY_FLAG,
  RELAY_PACKET_HEADER_BYTES,
  relayPacketArrival,
  relayPacketFlags,
  relayPacketLane,
  relayPacketOrdinal,
  relayPacketStream,
  relayRecordLength,
} from "../wire/relay-record.ts";
import { RTP, rtpCheck } from "../wire/rtp.ts";
import { PROXIES_TIMER_KEY, setProxiesTimer } from "./deadlines.ts";
import { catchUp, forgetPayloadTypes, forwardMedia } from "./forward.ts";
import { shardOf } from "./ids.ts";
import { type ClockOffset, type ProxyMessage, postMail, type RelayRequest, type StreamView } from "./mail.ts";
import { describePacket } from "./packet.ts";
import type { ShardPorts } from "./ports.ts";
import { becomeBest, noteKeyframe, requestKeyframeIfDue } from "./requests.ts";
import type { PublicationProxy, Shard, Stream } from "./state.ts";

/** A proxy for a publication of another shard, known to its home from now on. */
export function createProxy(shard: Shard, id: number, kind: "audio" | "video"): PublicationProxy {
  const lane = shard.history.nextLane++;
  const proxy: PublicationProxy = {
    id,
    kind,
    owner: null,
    lane: { id: lane, streams: new Map(), clockOffset: createNtpOffset(), nack: null },
    media: nothingNegotiated(kind),
    streams: [],
    best: null,
    routes: [],
    relays: [],
    flowing: false,
    loudness: createLoudness(),
  };
  shard.proxies.set(id, proxy);
  shard.lanes.set(lane, proxy);
  tellHome(shard, proxy, { to: "publication", type: "attach", lane });
  return proxy;
}

/** Ends a proxy that nobody is shown any more. */
export function releaseProxy(shard: Shard, proxy: PublicationProxy): void {
  tellHome(shard, proxy, { to: "publication", type: "detach", lane: proxy.lane.id });
  forgetProxy(shard, proxy);
}

/** Takes a proxy out of the tables, whose home no longer knows it. */
export function forgetProxy(shard: Shard, proxy: PublicationProxy): void {
  for (const { slot } of proxy.routes) if (slot.route?.publication === proxy) slot.route = null;
  proxy.routes = [];
  for (const stream of proxy.streams) shard.streams.delete(stream.id);
  shard.lanes.delete(proxy.lane.id);
  shard.proxies.delete(proxy.id);
  if (shard.proxies.size === 0) timerHeapClear(shard.timers, PROXIES_TIMER_KEY);
}

/** Takes a message of the publication that the proxy stands for. */
export function proxyHandle(shard: Shard, now: Micros, proxy: PublicationProxy, message: ProxyMessage): void {
  const { lane } = proxy;
  switch (message.type) {
    case "attached":
      proxy.media = message.media;
      setClockOffset(shard, proxy, message.clockOffset);
      if (proxy.kind === "video") {
        lane.nack = createNackGenerator(shard.tunables);
        // As if the one before had come: then the first can be missing too.
        nackPacket(lane.nack, now, seqAdd16(message.ordinal, -1));
      }
      for (const stream of message.streams) addStream(shard, proxy, stream);
      return;
    case "renewed":
      proxy.media = message.media;
      setClockOffset(shard, proxy, message.clockOffset);
      for (const route of proxy.routes) forgetPayloadTypes(route);
      return;
    case "stream":
      addStream(shard, proxy, message.stream);
      return;
    case "stream-gone":
      dropStream(shard, proxy, message.stream);
      return;
    case "clock": {
      setClockOffset(shard, proxy, message.clockOffset);
      const stream = lane.streams.get(message.stream);
      if (stream !== undefined) setClock(stream, message);
      return;
    }
    case "gone":
      forgetProxy(shard, proxy);
  }
}

/** Takes the packet of the record at `at`. */
export function receiveRelayed(shard: Shard, ports: ShardPorts, now: Micros, bytes: Uint8Array, at: number): void {
  const { counters } = shard.history;
  const proxy = shard.lanes.get(relayPacketLane(bytes, at));
  const stream = proxy?.lane.streams.get(relayPacketStream(bytes, at));
  if (proxy === undefined || stream === undefined) {
    counters.relayPacketsStray++;
    return;
  }
  const offset = at + RELAY_PACKET_HEADER_BYTES;
  const length = relayRecordLength(bytes, at) - RELAY_PACKET_HEADER_BYTES;
  const { packet, scan } = shard.scratch;
  if (length > LIMITS.rtpPacketBytesMax || rtpCheck(bytes, offset, length) !== RTP.OK) {
    counters.relayMalformed++;
    return;
  }
  counters.relayPacketsReceived++;
  headerExtensionsScan(scan, bytes, offset, length);
  if (!describePacket(packet, scan, proxy.media, bytes, offset, length)) {
    counters.rtpUnroutable++;
    return;
  }
  const flags = relayPacketFlags(bytes, at);
  if ((flags & RELAY_FLAG.BEST) !== 0 && proxy.best !== stream) becomeBest(now, stream);
  stream.codec = packet.codec;
  stream.payloadType = packet.payloadType;
  if ((flags & RELAY_FLAG.RECOVERED) === 0) {
    receiveStatisticsPacket(stream.statistics, now, packet.sequence, packet.timestamp, length);
    mediaClockPacket(stream.clock, monotonicAt(shard, relayPacketArrival(bytes, at)), packet.timestamp);
  }
  if (proxy.lane.nack !== null) {
    const missing = nackPacket(proxy.lane.nack, now, relayPacketOrdinal(bytes, at));
    if (missing === NACK.OVERFLOW) keyframeWantedAgain(stream.keyframes, now);
    else if (missing > 0) setProxiesTimer(shard, now);
    stream.cache ??= createPacketCache(shard.tunables);
    if (packetCacheFind(stream.cache, now, packet.sequence) >= 0) return;
    packetCachePut(stream.cache, now, packet.sequence, bytes, offset, length);
  }
  if (packet.keyframe) noteKeyframe(shard, now, stream, bytes);
  if (forwardMedia(shard, ports, now, stream, bytes)) catchUp(shard, ports, now, stream);
  requestKeyframeIfDue(shard, ports, now, stream);
}

/** Lets all proxies ask for what they miss. */
export function proxiesTurn(shard: Shard, ports: ShardPorts, now: Micros): void {
  let again = false;
  for (const proxy of shard.proxies.values()) {
    const { nack, id } = proxy.lane;
    if (nack !== null && nack.missing > 0) {
      const { ordinals } = shard.scratch;
      const count = nackDue(nack, now, shard.tunables.nackRepeatMicros, ordinals);
      if (count > 0) {
        const asked = Array.from(ordinals.subarray(0, count));
        tellHome(shard, proxy, { to: "publication", type: "repair", lane: id, ordinals: asked });
      }
      if (nack.missing > 0) again = true;
    }
    for (const stream of proxy.streams) {
      requestKeyframeIfDue(shard, ports, now, stream);
      if (stream.keyframes.wanted) again = true;
    }
  }
  if (again) setProxiesTimer(shard, now);
}

function tellHome(shard: Shard, { id, lane }: PublicationProxy, message: RelayRequest): void {
  const from = { actor: "proxy", shard: shard.number, id: lane.id } as const;
  postMail(shard.mail, from, { actor: "publication", shard: shardOf(id), id }, message);
}

function addStream(shard: Shard, proxy: PublicationProxy, view: StreamView): void {
  const clockRate = proxy.media.codecs[0]?.clockRate ?? codecClockRate(0);
  const stream: Stream = {
    id: shard.history.nextStream++,
    publication: proxy,
    ssrc: view.ssrc,
    rtxSsrc: 0,
    rid: view.rid,
    codec: 0,
    payloadType: -1,
    pixels: 0,
    statistics: createReceiveStatistics(view.ssrc, clockRate),
    clock: createMediaClock(clockRate, proxy.lane.clockOffset),
    nack: null,
    cache: null,
    keyframes: createKeyframeRequests(shard.tunables),
    firSequence: 0,
    homeId: view.stream,
  };
  setClock(stream, view);
  stream.clock.reports = view.reports;
  shard.streams.set(stream.id, stream);
  proxy.streams.push(stream);
  proxy.lane.streams.set(view.stream, stream);
}

function dropStream(shard: Shard, proxy: PublicationProxy, homeId: number): void {
  const stream = proxy.lane.streams.get(homeId);
  if (stream === undefined) return;
  proxy.lane.streams.delete(homeId);
  proxy.streams.splice(proxy.streams.indexOf(stream), 1);
  shard.streams.delete(stream.id);
  if (proxy.best === stream) proxy.best = null;
  for (const route of proxy.routes) if (route.stream === stream) route.stream = null;
}

function setClock(stream: Stream, report: { reportWall: WallMicros; reportTimestamp: number }): void {
  stream.clock.reports++;
  stream.clock.reportWall = report.reportWall;
  stream.clock.reportTimestamp = report.reportTimestamp;
}

function setClockOffset(shard: Shard, { lane }: PublicationProxy, { wallMicros, reports }: ClockOffset): void {
  lane.clockOffset.offsetMicros = wallMicros - shard.bootWall + shard.bootNow;
  lane.clockOffset.reports = reports;
}

/** Our monotonic time of a wall-clock time: the inverse of `wallAt`. */
function monotonicAt(shard: Shard, wall: WallMicros): Micros {
  return (shard.bootNow + (wall - shard.bootWall)) as Micros;
}

/** Before the home has answered, nothing is known: a publication without codecs, of which nothing can be routed. */
function nothingNegotiated(kind: "audio" | "video"): NegotiatedMedia {
  return {
    mid: "",
    kind,
    publishes: true,
    isSlot: false,
    codecs: [],
    extensionIds: new Uint8Array(0),
    extensionKinds: new Uint8Array(256),
    twoByteExtensions: false,
    rids: [],
    ssrcs: [],
    rtxOf: [],
    slotSsrc: 0,
    slotRtxSsrc: 0,
    rtcpReducedSize: false,
  };
}
