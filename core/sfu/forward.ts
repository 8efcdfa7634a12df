/**
 * The data plane: one packet in, one packet for each subscriber out.
 *
 * A publication's routes are walked; each slot has numbers of its own (core/media/stream-rewriter.ts), so a packet gets a
 * header of its own, written into the send slot, and its payload is sealed from where it lies straight behind it. What the
 * payload itself counts (picture id, TL0PICIDX) is patched in place before sealing and put back afterwards; the dependency
 * descriptor's frame number is patched in the header that was just written.
 *
 * A route begins with a keyframe of the publication's best stream, and goes over to another stream at one of its
 * keyframes: until then it stays with the one that it has, so a picture never tears.
 */

import { readU16, writeU16 } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import { seqAdd16, seqDistance16 } from "../base/sequence.ts";
import { buggify, type Faults } from "../fault-sites.ts";
import { LIMITS } from "../limits.ts";
import { keyframeWantedAgain } from "../media/keyframe-requests.ts";
import { packetCacheFind, packetCacheLength, packetCacheOffset } from "../media/packet-cache.ts";
import {
  CURRENT_SEGMENT,
  rewriterBeginSegment,
  rewriterFrameNumber,
  rewriterIsFarAhead,
  rewriterNewestOf,
  rewriterPictureId,
  rewriterSent,
  rewriterSequence,
  rewriterSignedTimestamp,
  rewriterSkip,
  rewriterTl0,
  rewriterWasSent,
} from "../media/stream-rewriter.ts";
import { peerSendFlow } from "../peer/peer.ts";
import { srtpSealRtp } from "../srtp/context.ts";
import { codecClockRate } from "../wire/codec.ts";
import { descriptorPatchFrameNumber } from "../wire/dependency-descriptor.ts";
import {
  HEADER_EXTENSION,
  headerExtensionsAdd,
  headerExtensionsBegin,
  headerExtensionsEnd,
  headerExtensionsReserve,
  headerExtensionsScan,
  headerExtensionsWriteWord,
} from "../wire/header-extensions.ts";
import { RTP_HEADER_BYTES, rtpSetExtension, rtpWriteHeader } from "../wire/rtp.ts";
import { codecOfPayloadType, describePacket, isTooLateToBegin, packetsBehind, patchPayload } from "./packet.ts";
import type { ShardPorts } from "./ports.ts";
import { relayMedia } from "./relays.ts";
import { keepWish } from "./requests.ts";
import type { Route, Shard, Slot, Stream } from "./state.ts";

/** How many subscribers are fetched into the processor's caches at once. */
const FETCHED_AHEAD = 8;

const SENT_AT_MASK = LIMITS.rewriterHistoryPackets - 1;

/**
 * Forwards the packet that `shard.scratch` describes to every subscriber of the publication; answers whether a route has
 * begun with it.
 */
export function forwardMedia(shard: Shard, ports: ShardPorts, now: Micros, stream: Stream, bytes: Uint8Array): boolean {
  const { routes } = stream.publication;
  const { faults } = ports;
  if (buggify(faults, "forward/extensions-dropped", stream.id)) {
    shard.scratch.scan.count = 0;
    shard.scratch.packet.extensionsPresent = 0;
  }
  let began = false;
  shard.history.counters.rtpOffered += routes.length;
  for (let i = 0; i < routes.length; i++) {
    if (i % FETCHED_AHEAD === 0) fetchAhead(shard, routes, i);
    const route = routes[i]!;
    if (route.leftOut) {
      shard.history.counters.rtpLeftOut++;
      continue;
    }
    const goesOn = route.stream === stream;
    if (!goesOn && !mayBegin(shard, ports, now, route, stream)) continue;
    if (faults !== undefined && buggify(faults, "forward/route-skipped", route.slot.id)) {
      shard.history.counters.rtpUnsendable++;
      if (!goesOn) keepWish(now, stream, route);
      continue;
    }
    forwardOn(shard, ports, now, route, stream, bytes);
    if (!goesOn && route.stream === stream) began = true;
  }
  patchPayload(shard.scratch.packet, bytes, null, CURRENT_SEGMENT);
  return began;
}

/**
 * Reads a little of all that the next routes will ask for. With many subscribers it has left the processor's caches, and
 * each packet would wait for a dozen places one after the other; asked for at once, those of all the next subscribers come
 * at once. With 1,000 subscribers that spares a third of the time outside the kernel, 0.9 µs a packet.
 */
function fetchAhead(shard: Shard, routes: readonly Route[], from: number): void {
  const to = Math.min(from + FETCHED_AHEAD, routes.length);
  let sum = 0;
  for (let i = from; i < to; i++) {
    const { slot, payloadType } = routes[i]!;
    const { rewriter, sendStream, peer } = slot;
    const { current } = rewriter;
    sum += payloadType + slot.octetsSent + sendStream.highest + peer.ice.selectedFlow;
    sum += rewriter.lineHighest + rewriter.sentAt + rewriter.tl0;
    if (current !== undefined) sum += current.sequenceOffset + current.lead;
    if (peer.srtp !== null) sum += peer.srtp.rtpWriteSalt.sequence;
  }
  // What nobody keeps the compiler need not read.
  shard.scratch.fetched = sum & 1;
}

/**
 * Forwards what had come before the packet in hand, which has begun a route or a relay although newer ones were there: a
 * keyframe that was lost at first. No subscriber could ask for them, as to him they were never sent.
 */
export function catchUp(shard: Shard, ports: ShardPorts, now: Micros, stream: Stream): void {
  const { packet, scan } = shard.scratch;
  const { cache, publication } = stream;
  if (cache === null) return;
  const first = packet.sequence;
  const count = packetsBehind(stream, first);
  if (count > shard.tunables.catchUpPacketsMax || buggify(ports.faults, "rtp/catch-up-refused", stream.id)) return;
  for (let i = 1; i <= count; i++) {
    const cached = packetCacheFind(cache, now, seqAdd16(first, i));
    if (cached < 0) continue;
    const offset = packetCacheOffset(cache, cached);
    const length = packetCacheLength(cache, cached);
    headerExtensionsScan(scan, cache.bytes, offset, length);
    if (!describePacket(packet, scan, publication.media, cache.bytes, offset, length)) continue;
    forwardMedia(shard, ports, now, stream, cache.bytes);
    if (publication.relays.length > 0) relayMedia(shard, ports, now, stream, cache.bytes, offset, length, true);
  }
}

/**
 * Sends a packet that was sent before once more, under its old numbers; as RTX where the slot has it (RFC 4588). Without,
 * only what was cached when the number was sent has the same bytes: another packet must not go out with the same nonce.
 */
export function sendAgain(
  shard: Shard,
  ports: ShardPorts,
  route: Route,
  bytes: Uint8Array,
  sequence: number,
  segmentIndex: number,
  cachedAt: Micros,
): boolean {
  const packet = shard.scratch.packet;
  if (!agreeOnPayloadType(route, packet.payloadType, packet.codec)) return false;
  const { slot } = route;
  const asRtx = slot.rtxStream !== null && route.rtxPayloadType >= 0;
  if (!asRtx && slot.sentAt?.[sequence & SENT_AT_MASK] !== cachedAt) return false;
  const payloadType = asRtx ? route.rtxPayloadType : route.payloadType;
  const sent = writePacket(shard, ports, slot, bytes, payloadType, sequence, segmentIndex, asRtx);
  patchPayload(packet, bytes, null, segmentIndex);
  return sent;
}

/** Whether a route can go over to this stream with this packet. */
function mayBegin(shard: Shard, ports: ShardPorts, now: Micros, route: Route, stream: Stream): boolean {
  const { packet } = shard.scratch;
  const { counters } = shard.history;
  const { publication } = route;
  if (publication.best !== stream || packet.payloadLength === 0) {
    counters.rtpNotChosen++;
    return false;
  }
  const isKeyframe = publication.kind === "video" && packet.keyframe;
  const isTooLate = isKeyframe && (isTooLateToBegin(shard, stream) || wasPassed(shard, route, stream));
  if (isTooLate || buggify(ports.faults, "forward/not-begun", route.slot.id)) {
    // Nobody else would ask, as a viewer who has got nothing at all misses nothing.
    keepWish(now, stream, route);
    counters.rtpAwaitingKeyframe++;
    return false;
  }
  if (publication.kind === "audio" || packet.keyframe) return true;
  if (route.stream === null) counters.rtpAwaitingKeyframe++;
  else counters.rtpNotChosen++;
  return false;
}

/**
 * Whether the route has been beyond the packet in hand before it left its stream. A keyframe from back there is one that had
 * been lost: what lies behind it would be shown a second time.
 */
function wasPassed(shard: Shard, { slot }: Route, stream: Stream): boolean {
  const { sequence } = shard.scratch.packet;
  const newest = rewriterNewestOf(slot.rewriter, stream.id);
  const passed = newest < 0 ? -1 : seqDistance16(sequence, newest);
  // What would be newer than all that has come is from a round of the numbers ago.
  return passed >= 0 && passed <= packetsBehind(stream, sequence);
}

function forwardOn(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  route: Route,
  stream: Stream,
  bytes: Uint8Array,
): void {
  const { packet } = shard.scratch;
  const { counters } = shard.history;
  const { slot } = route;
  const { rewriter } = slot;
  if (route.incomingType !== packet.payloadType && !agreeOnPayloadType(route, packet.payloadType, packet.codec)) {
    counters.rtpCodecMismatch++;
    return;
  }
  if (route.payloadType < 0) {
    counters.rtpCodecMismatch++;
    return;
  }
  if (route.stream !== stream) begin(shard, now, route, stream);
  let sequence = rewriterSequence(rewriter, packet.sequence);
  if (sequence < 0 && rewriterIsFarAhead(rewriter, packet.sequence)) {
    // The publisher's numbers have jumped: what follows can only be a new beginning.
    if (route.publication.kind === "video" && !packet.keyframe) {
      route.stream = null;
      keyframeWantedAgain(stream.keyframes, now);
      counters.rtpAwaitingKeyframe++;
      return;
    }
    begin(shard, now, route, stream);
    sequence = rewriterSequence(rewriter, packet.sequence);
  }
  // Padding alone is how a browser probes for bandwidth: nothing for a subscriber, and the numbers close up behind it.
  if (packet.payloadLength === 0 && rewriterSkip(rewriter, packet.sequence)) {
    counters.rtpPaddingSkipped++;
    return;
  }
  // A publisher's RTX may lie about an old packet, and no nonce may have two contents.
  if (sequence < 0 || rewriterWasSent(rewriter, sequence)) {
    counters.rtpTooLate++;
    return;
  }
  if (!writePacket(shard, ports, slot, bytes, route.payloadType, sequence, CURRENT_SEGMENT, false)) {
    counters.rtpUnsendable++;
    return;
  }
  noteSent(shard, now, slot, sequence);
  counters.rtpForwarded++;
}

function begin(shard: Shard, now: Micros, route: Route, stream: Stream): void {
  const { packet } = shard.scratch;
  route.stream = stream;
  rewriterBeginSegment(
    route.slot.rewriter,
    now,
    stream.id,
    packet.sequence,
    packet.timestamp,
    codecClockRate(packet.codec),
    packet.pictureId,
    packet.tl0,
    packet.frameNumber,
    route.slot.midFrame,
  );
}

function noteSent(shard: Shard, now: Micros, slot: Slot, sequence: number): void {
  const { packet } = shard.scratch;
  const { rewriter } = slot;
  const newest = rewriter.lineHighest;
  rewriterSent(
    rewriter,
    now,
    sequence,
    rewriterSignedTimestamp(rewriter, packet.timestamp, CURRENT_SEGMENT),
    packet.pictureId < 0 ? -1 : rewriterPictureId(rewriter, packet.pictureId, packet.pictureIdBits),
    packet.tl0 < 0 ? -1 : rewriterTl0(rewriter, packet.tl0),
    packet.frameNumber < 0 ? -1 : rewriterFrameNumber(rewriter, packet.frameNumber),
  );
  if (rewriter.lineHighest !== newest) slot.midFrame = !packet.marker && slot.media.kind === "video";
  if (slot.sentAt !== null) slot.sentAt[sequence & SENT_AT_MASK] = now;
  slot.packetsSent = (slot.packetsSent + 1) >>> 0;
  slot.octetsSent = (slot.octetsSent + packet.payloadLength) >>> 0;
}

/** What comes next on this route may have been negotiated otherwise. */
export function forgetPayloadTypes(route: Route): void {
  route.incomingType = -1;
  route.payloadType = -1;
  route.rtxPayloadType = -1;
}

/** Finds the payload type under which the slot takes what comes in as `incomingType`; false when it takes it under none. */
function agreeOnPayloadType(route: Route, incomingType: number, codec: number): boolean {
  if (route.incomingType === incomingType) return route.payloadType >= 0;
  route.incomingType = incomingType;
  route.payloadType = -1;
  route.rtxPayloadType = -1;
  const incoming = codecOfPayloadType(route.publication.media, incomingType);
  if (incoming === null) return false;
  for (const offered of route.slot.media.codecs) {
    if (offered.codec !== codec || offered.profile !== incoming.profile) continue;
    route.payloadType = offered.payloadType;
    route.rtxPayloadType = offered.rtxPayloadType;
    return true;
  }
  return false;
}

/** Writes, seals and transmits one packet; answers false when there is no way to the subscriber. */
function writePacket(
  shard: Shard,
  ports: ShardPorts,
  slot: Slot,
  bytes: Uint8Array,
  payloadType: number,
  sequence: number,
  segmentIndex: number,
  asRtx: boolean,
): boolean {
  const { packet } = shard.scratch;
  const { srtp } = slot.peer;
  const flow = peerSendFlow(slot.peer);
  if (flow < 0 || srtp === null) return false;
  // One question for all: this is asked for each packet and receiver, and code that is small enough gets inlined.
  if (ports.faults !== undefined && sendingFails(ports.faults, slot)) return false;
  const sink = ports.outbox;
  const at = sink.reserve();
  const target = sink.sendBytes;
  const stream = asRtx && slot.rtxStream !== null ? slot.rtxStream : slot.sendStream;
  let sentSequence = sequence;
  if (asRtx) {
    sentSequence = slot.rtxSequence;
    slot.rtxSequence = seqAdd16(slot.rtxSequence, 1);
  }
  const timestamp = rewriterSignedTimestamp(slot.rewriter, packet.timestamp, segmentIndex);
  let headerLength = rtpWriteHeader(target, at, payloadType, packet.marker, sentSequence, timestamp, stream.ssrc);
  headerLength += writeExtensions(shard, slot, bytes, target, at, segmentIndex);

  let payloadOffset = packet.payloadOffset;
  let payloadLength = packet.payloadLength;
  patchPayload(packet, bytes, slot.rewriter, segmentIndex);
  let covered = 0;
  if (asRtx) {
    // The original sequence number goes before the payload (RFC 4588 §4), over header bytes that are put back below.
    payloadOffset -= 2;
    payloadLength += 2;
    covered = readU16(bytes, payloadOffset);
    writeU16(bytes, payloadOffset, sequence);
  }
  const length = srtpSealRtp(
    srtp,
    ports.crypto,
    stream,
    sentSequence,
    target,
    at,
    headerLength,
    bytes,
    payloadOffset,
    payloadLength,
  );
  if (asRtx) writeU16(bytes, payloadOffset, covered);
  if (length <= 0) return false;
  sink.transmit(flow, at, length);
  return true;
}

/** The injected failures of sending one packet. */
function sendingFails(faults: Faults, slot: Slot): boolean {
  return buggify(faults, "forward/no-path", slot.id) || buggify(faults, "forward/seal-fails", slot.id);
}

/**
 * Writes the extension block: the slot's mid, and of what came in all that the subscriber has negotiated, under its own
 * ids. Answers the block's length.
 */
function writeExtensions(
  shard: Shard,
  slot: Slot,
  bytes: Uint8Array,
  target: Uint8Array,
  at: number,
  segmentIndex: number,
): number {
  const { scan, writer, packet } = shard.scratch;
  if (slot.midWord !== 0 && (packet.extensionsPresent & slot.extensionsTaken) === 0) {
    rtpSetExtension(target, at, true);
    return headerExtensionsWriteWord(target, at + RTP_HEADER_BYTES, slot.midWord);
  }
  const { extensionIds, twoByteExtensions } = slot.media;
  const incoming = packet.extensionKinds;
  const start = at + RTP_HEADER_BYTES;
  headerExtensionsBegin(writer, start, start + LIMITS.rtpGrowthBytesMax, twoByteExtensions);
  const midId = extensionIds[HEADER_EXTENSION.MID]!;
  if (midId !== 0) headerExtensionsAdd(writer, target, midId, slot.mid, 0, slot.mid.length);
  for (let i = 0; i < scan.count; i++) {
    const kind = incoming[scan.ids[i]!]!;
    if (kind === HEADER_EXTENSION.MID || kind === 0) continue;
    const id = extensionIds[kind]!;
    if (id === 0) continue;
    const length = scan.lengths[i]!;
    const value = headerExtensionsReserve(writer, target, id, length);
    if (value < 0) continue;
    const from = scan.offsets[i]!;
    for (let k = 0; k < length; k++) target[value + k] = bytes[from + k]!;
    if (i === packet.descriptor && packet.frameNumber >= 0) {
      descriptorPatchFrameNumber(target, value, rewriterFrameNumber(slot.rewriter, packet.frameNumber, segmentIndex));
    }
  }
  const length = headerExtensionsEnd(writer, target);
  if (length > 0) rtpSetExtension(target, at, true);
  return length;
}
