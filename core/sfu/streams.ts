/**
 * Media coming in: which stream a packet belongs to, what is noted of it, and on it goes.
 *
 * An SSRC is known from the offer, or it introduces itself: by the MID and RID header extensions (RFC 8843 §9.2, RFC 8852),
 * a retransmission by its repaired RID; only authenticated packets are believed. RTX is unwrapped in place into the packet
 * that was lost (RFC 4588 §4) and then goes the way of all packets.
 */

import { readU16 } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import { utf8Decode } from "../base/text.ts";
import { buggify } from "../fault-sites.ts";
import { LIMITS } from "../limits.ts";
import { createKeyframeRequests, keyframeWantedAgain } from "../media/keyframe-requests.ts";
import { loudnessPacket } from "../media/loudness.ts";
import { createMediaClock, mediaClockPacket } from "../media/media-clock.ts";
import { createNackGenerator, NACK, nackPacket } from "../media/nack-generator.ts";
import { createPacketCache, packetCacheFind, packetCachePut } from "../media/packet-cache.ts";
import {
  createReceiveStatistics,
  receiveStatisticsFlowing,
  receiveStatisticsPacket,
} from "../media/receive-statistics.ts";
import { transportArrival } from "../media/transport-arrivals.ts";
import { peerOpenRtp } from "../peer/peer.ts";
import { srtpRetire } from "../srtp/context.ts";
import { codecClockRate } from "../wire/codec.ts";
import { type ExtensionScan, HEADER_EXTENSION, headerExtensionsScan } from "../wire/header-extensions.ts";
import {
  RTP,
  rtpCheck,
  rtpCheckHeader,
  rtpHeaderLength,
  rtpPayloadLength,
  rtpPayloadType,
  rtpSetPayloadType,
  rtpSetSequence,
  rtpSetSsrc,
  rtpSignedSsrc,
  rtpSsrc,
} from "../wire/rtp.ts";
import { noteFlow } from "./flowing.ts";
import { catchUp, forwardMedia } from "./forward.ts";
import { describePacket } from "./packet.ts";
import type { ShardPorts } from "./ports.ts";
import { announceStream, recallStream, relayMedia } from "./relays.ts";
import { noteKeyframe, requestKeyframeIfDue } from "./requests.ts";
import type { InboundSsrc, OwnPublication, OwnStream, Participant, Shard } from "./state.ts";

/** Takes an SRTP packet of a connected participant. */
export function receiveRtp(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  participant: Participant,
  bytes: Uint8Array,
  offset: number,
  sealedLength: number,
): void {
  const { counters } = shard.history;
  const { faults } = ports;
  const wellFormed = sealedLength <= LIMITS.rtpPacketBytesMax && rtpCheckHeader(bytes, offset, sealedLength) === RTP.OK;
  if (!wellFormed || buggify(faults, "rtp/header-refused", participant.id)) {
    counters.rtpMalformed++;
    return;
  }
  const headerLength = rtpHeaderLength(bytes, offset);
  const length = peerOpenRtp(participant.peer, ports.crypto, bytes, offset, sealedLength, headerLength);
  if (length < 0 || buggify(faults, "rtp/open-fails", participant.id)) {
    counters.rtpRefused++;
    return;
  }
  if (rtpCheck(bytes, offset, length) !== RTP.OK || buggify(faults, "rtp/plain-refused", participant.id)) {
    counters.rtpMalformed++;
    return;
  }
  counters.rtpReceived++;
  const { scan } = shard.scratch;
  headerExtensionsScan(scan, bytes, offset, length);
  if (buggify(faults, "rtp/extensions-unread", participant.id)) scan.count = 0;
  if (!buggify(faults, "rtp/transport-sequence-missed", participant.id)) {
    noteTransportSequence(scan, now, participant, bytes);
  }
  const inbound =
    participant.inbound.get(rtpSignedSsrc(bytes, offset)) ?? introduce(shard, ports, now, participant, bytes, offset);
  if (inbound === undefined) {
    counters.rtpUnroutable++;
  } else if (inbound.isRtx) {
    receiveRtx(shard, ports, now, inbound.stream, bytes, offset, length);
  } else {
    receiveMedia(shard, ports, now, inbound.stream, bytes, offset, length, false);
  }
}

/** A stream of a publication, known by this SSRC from now on. */
export function createStream(shard: Shard, publication: OwnPublication, ssrc: number, rid: string): OwnStream {
  const clockRate = publication.media.codecs[0]?.clockRate ?? codecClockRate(0);
  const id = shard.history.nextStream++;
  const stream: OwnStream = {
    id,
    publication,
    ssrc,
    rtxSsrc: 0,
    rid,
    codec: 0,
    payloadType: -1,
    pixels: 0,
    statistics: createReceiveStatistics(ssrc, clockRate),
    clock: createMediaClock(clockRate, publication.owner.ntpOffset),
    nack: null,
    cache: null,
    keyframes: createKeyframeRequests(shard.tunables),
    firSequence: ((shard.firstNumbers?.feedbackCount ?? 1) - 1) & 0xff,
    homeId: id,
  };
  shard.streams.set(stream.id, stream);
  publication.streams.push(stream);
  publication.owner.inbound.set(ssrc | 0, { stream, isRtx: false });
  for (const [primary, rtx] of publication.media.rtxOf) {
    if (primary === ssrc) registerRtx(publication.owner, stream, rtx);
  }
  announceStream(shard, stream);
  return stream;
}

function receiveMedia(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  stream: OwnStream,
  bytes: Uint8Array,
  offset: number,
  length: number,
  recovered: boolean,
): void {
  const { packet, scan } = shard.scratch;
  const { publication } = stream;
  const { faults } = ports;
  const described = describePacket(packet, scan, publication.media, bytes, offset, length);
  if (!described || buggify(faults, "rtp/not-described", stream.id)) {
    shard.history.counters.rtpUnroutable++;
    return;
  }
  stream.codec = packet.codec;
  stream.payloadType = packet.payloadType;
  if (!recovered) {
    if (!buggify(faults, "rtp/statistics-missed", stream.id)) {
      receiveStatisticsPacket(stream.statistics, now, packet.sequence, packet.timestamp, length);
    }
    if (!buggify(faults, "rtp/clock-missed", stream.id)) mediaClockPacket(stream.clock, now, packet.timestamp);
  }
  if (publication.kind === "audio") {
    if (!buggify(faults, "rtp/loudness-missed", stream.id)) noteLoudness(scan, now, publication, bytes);
  } else if (stream.cache === null) {
    // Not before the first packet: an offer may name hundreds of SSRCs, and anybody may send an offer.
    stream.cache = createPacketCache(shard.tunables);
    stream.nack = createNackGenerator(shard.tunables);
  }
  if (stream.cache !== null && stream.nack !== null) {
    if (packetCacheFind(stream.cache, now, packet.sequence) >= 0) return;
    if (recovered) shard.history.counters.rtpRecovered++;
    if (!buggify(faults, "rtp/not-cached", stream.id)) {
      packetCachePut(stream.cache, now, packet.sequence, bytes, offset, length);
    }
    if (!buggify(faults, "rtp/gap-unseen", stream.id)) {
      const overflows = nackPacket(stream.nack, now, packet.sequence) === NACK.OVERFLOW;
      if (overflows || buggify(faults, "rtp/gaps-too-many", stream.id)) keyframeWantedAgain(stream.keyframes, now);
    }
  }
  // A repetition says nothing of whether its stream goes on.
  if (!recovered) noteFlow(shard, ports, now, stream);
  if (packet.keyframe && !buggify(faults, "rtp/keyframe-unnoticed", stream.id)) noteKeyframe(shard, now, stream, bytes);
  let began = forwardMedia(shard, ports, now, stream, bytes);
  if (publication.relays.length > 0) {
    if (relayMedia(shard, ports, now, stream, bytes, offset, length, recovered)) began = true;
  }
  if (began) catchUp(shard, ports, now, stream);
  requestKeyframeIfDue(shard, ports, now, stream);
}

/** Turns an RTX packet into the one that it repeats. The header moves two bytes up, over the original sequence number. */
function receiveRtx(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  stream: OwnStream,
  bytes: Uint8Array,
  offset: number,
  length: number,
): void {
  // RTX packets without an original are how browsers probe for bandwidth.
  if (rtpPayloadLength(bytes, offset, length) < 2 || buggify(ports.faults, "rtx/dropped", stream.id)) return;
  const payloadType = rtpPayloadType(bytes, offset);
  const codec = stream.publication.media.codecs.find((each) => each.rtxPayloadType === payloadType);
  if (!codec) {
    shard.history.counters.rtpUnroutable++;
    return;
  }
  const headerLength = rtpHeaderLength(bytes, offset);
  const sequence = readU16(bytes, offset + headerLength);
  bytes.copyWithin(offset + 2, offset, offset + headerLength);
  rtpSetPayloadType(bytes, offset + 2, codec.payloadType);
  rtpSetSequence(bytes, offset + 2, sequence);
  rtpSetSsrc(bytes, offset + 2, stream.ssrc);
  headerExtensionsScan(shard.scratch.scan, bytes, offset + 2, length - 2);
  receiveMedia(shard, ports, now, stream, bytes, offset + 2, length - 2, true);
}

/** Finds out what a new SSRC stands for, or undefined when it says nothing that was negotiated. */
function introduce(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  participant: Participant,
  bytes: Uint8Array,
  offset: number,
): InboundSsrc | undefined {
  const { scan } = shard.scratch;
  const { extensionKinds } = participant.session;
  const ssrc = rtpSsrc(bytes, offset);
  const payloadType = rtpPayloadType(bytes, offset);
  const publication = publicationOf(
    participant,
    textOf(scan, extensionKinds, HEADER_EXTENSION.MID, bytes),
    payloadType,
  );
  if (publication === undefined || buggify(ports.faults, "rtp/introduction-refused", participant.id)) return undefined;
  const { media } = publication;
  if (media.codecs.some((codec) => codec.rtxPayloadType === payloadType)) {
    const rid = media.rids.length > 0 ? textOf(scan, extensionKinds, HEADER_EXTENSION.REPAIRED_RID, bytes) : "";
    const repaired = publication.streams.find((stream) => stream.rid === rid);
    if (repaired === undefined || participant.inbound.size >= LIMITS.srtpStreamsPerPeerMax) return undefined;
    return registerRtx(participant, repaired, ssrc);
  }
  if (!media.codecs.some((codec) => codec.payloadType === payloadType)) return undefined;
  const isSimulcast = media.rids.length > 0;
  const rid = isSimulcast ? textOf(scan, extensionKinds, HEADER_EXTENSION.RID, bytes) : "";
  if (isSimulcast && !media.rids.includes(rid)) return undefined;
  const former = publication.streams.find((stream) => stream.rid === rid);
  if (former !== undefined) {
    // A source may change its SSRC (RFC 3550 §8.2), but not while the one that it has is alive.
    if (receiveStatisticsFlowing(former.statistics, now, shard.tunables.layerSilentMicros)) return undefined;
    forgetStream(shard, former);
  }
  createStream(shard, publication, ssrc, rid);
  return participant.inbound.get(ssrc | 0);
}

/** The publication with this mid; without one, the only publication that has the payload type (RFC 8843 §9.2). */
function publicationOf(participant: Participant, mid: string, payloadType: number): OwnPublication | undefined {
  if (mid !== "") return participant.publications.find((publication) => publication.media.mid === mid);
  const candidates = participant.publications.filter(({ media }) =>
    media.codecs.some((codec) => codec.payloadType === payloadType || codec.rtxPayloadType === payloadType),
  );
  return candidates.length === 1 ? candidates[0] : undefined;
}

function registerRtx(participant: Participant, stream: OwnStream, ssrc: number): InboundSsrc {
  if (stream.rtxSsrc !== 0) forgetSsrc(participant, stream.rtxSsrc);
  const inbound: InboundSsrc = { stream, isRtx: true };
  stream.rtxSsrc = ssrc;
  participant.inbound.set(ssrc | 0, inbound);
  return inbound;
}

/** An SSRC that others have taken the place of makes room for them. */
function forgetSsrc({ inbound, peer }: Participant, ssrc: number): void {
  inbound.delete(ssrc | 0);
  if (peer.srtp !== null) srtpRetire(peer.srtp, ssrc);
}

/** Ends a stream, whose publication goes on. */
export function forgetStream(shard: Shard, stream: OwnStream): void {
  const { publication } = stream;
  recallStream(shard, stream);
  publication.streams.splice(publication.streams.indexOf(stream), 1);
  forgetSsrc(publication.owner, stream.ssrc);
  if (stream.rtxSsrc !== 0) forgetSsrc(publication.owner, stream.rtxSsrc);
  shard.streams.delete(stream.id);
  if (publication.best === stream) publication.best = null;
  for (const route of publication.routes) if (route.stream === stream) route.stream = null;
}

function noteTransportSequence(scan: ExtensionScan, now: Micros, participant: Participant, bytes: Uint8Array): void {
  const { extensionKinds } = participant.session;
  for (let i = 0; i < scan.count; i++) {
    if (extensionKinds[scan.ids[i]!] !== HEADER_EXTENSION.TRANSPORT_CC || scan.lengths[i]! < 2) continue;
    transportArrival(participant.arrivals, now, readU16(bytes, scan.offsets[i]!));
    return;
  }
}

/** RFC 6464 §3: one byte, the top bit voice activity, the rest how far below overload, 0 to 127 dB. */
function noteLoudness(scan: ExtensionScan, now: Micros, publication: OwnPublication, bytes: Uint8Array): void {
  const { extensionKinds } = publication.media;
  for (let i = 0; i < scan.count; i++) {
    if (extensionKinds[scan.ids[i]!] !== HEADER_EXTENSION.AUDIO_LEVEL || scan.lengths[i]! < 1) continue;
    const value = bytes[scan.offsets[i]!]!;
    loudnessPacket(publication.loudness, now, value & 0x7f, (value & 0x80) !== 0);
    return;
  }
}

/** The value of a textual extension (MID, RID), or "" when it is absent or too long. */
function textOf(scan: ExtensionScan, kinds: Uint8Array, kind: number, bytes: Uint8Array): string {
  for (let i = 0; i < scan.count; i++) {
    if (kinds[scan.ids[i]!] !== kind) continue;
    const length = scan.lengths[i]!;
    return length > LIMITS.sdpTokenLengthMax ? "" : utf8Decode(bytes, scan.offsets[i]!, length);
  }
  return "";
}
