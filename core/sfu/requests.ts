/**
 * What the shard asks of publishers: packets that are missing (NACK), keyframes (PLI, or FIR where only that was agreed
 * upon; from a publication's home, where that is another shard), and a steady word on when their packets arrived, from
 * which a browser estimates how much it may send.
 */

import { after, type Micros } from "../base/micros.ts";
import { utf8Encode } from "../base/text.ts";
import { buggify } from "../fault-sites.ts";
import { LIMITS } from "../limits.ts";
import {
  keyframeArrived,
  keyframeDue,
  keyframeForget,
  keyframeMoot,
  keyframeToPassOn,
  keyframeWanted,
  keyframeWantedAgain,
} from "../media/keyframe-requests.ts";
import { nackDue } from "../media/nack-generator.ts";
import { rttSmoothed } from "../media/rtt.ts";
import { transportFeedbackWrite } from "../media/transport-arrivals.ts";
import { peerSendFlow } from "../peer/peer.ts";
import { srtpSealRtcp } from "../srtp/context.ts";
import { payloadFrameSize } from "../wire/payload.ts";
import { writeFir, writeNack, writePli } from "../wire/rtcp-feedback.ts";
import { writeReceiverReport, writeSdesCname } from "../wire/rtcp-reports.ts";
import { setProxiesTimer } from "./deadlines.ts";
import { shardOf } from "./ids.ts";
import { postMail } from "./mail.ts";
import { codecOfPayloadType } from "./packet.ts";
import type { ShardPorts } from "./ports.ts";
import type { OwnStream, Participant, Publication, Relay, Route, Shard, Stream } from "./state.ts";

/** Takes note of the keyframe that the packet in hand begins: who waited for one waits no longer. */
export function noteKeyframe(shard: Shard, now: Micros, stream: Stream, bytes: Uint8Array): void {
  const { packet } = shard.scratch;
  keyframeArrived(stream.keyframes, now);
  const size = payloadFrameSize(packet.codec, bytes, packet.payloadOffset, packet.payloadLength);
  if (size !== 0) stream.pixels = (size >>> 16) * (size & 0xffff);
}

/** Asks for the keyframe at which a route, or a relay, of this publication can begin. */
export function wantKeyframe(shard: Shard, now: Micros, publication: Publication): void {
  if (publication.best !== null) wantKeyframeOf(shard, now, publication.best, false);
}

/**
 * Makes this stream the one that subscribers should get, and asks for the keyframe at which they go over to it, if they are
 * not with it anyway. Who waits to begin with the former best now waits for this one.
 */
export function becomeBest(now: Micros, stream: Stream): void {
  const { publication } = stream;
  const { kind, best, routes, relays } = publication;
  publication.best = stream;
  if (kind !== "video") return;
  let begins = best?.keyframes.toBegin === true;
  let goesOver = false;
  for (const route of routes) {
    if (route.leftOut) continue;
    if (route.stream === null) begins = true;
    else if (route.stream !== stream) goesOver = true;
  }
  for (const relay of relays) {
    if (relay.stream === null) begins = true;
    else if (relay.stream !== stream) goesOver = true;
  }
  if (begins) keyframeWanted(stream.keyframes, now);
  else if (goesOver) keyframeWantedAgain(stream.keyframes, now);
}

/** The keyframe in hand has granted all wishes, but who was to begin with it, or to go over to it, can't: his wish stays. */
export function keepWish(now: Micros, stream: Stream, { stream: former }: Route | Relay): void {
  if (stream.publication.kind !== "video") return;
  if (former === null) keyframeWanted(stream.keyframes, now);
  else keyframeWantedAgain(stream.keyframes, now);
}

/**
 * Asks for a keyframe of a stream, to begin with or again. The wish is looked at when the input is over: what is in hand may
 * be that very keyframe.
 */
export function wantKeyframeOf(shard: Shard, now: Micros, stream: Stream, again: boolean): void {
  if (stream.publication.kind !== "video") return;
  if (again) keyframeWantedAgain(stream.keyframes, now);
  else keyframeWanted(stream.keyframes, now);
  shard.scratch.wishes.push(stream.id);
}

/** Looks at the wishes for keyframes that the input in hand has led to. */
export function lookAtWishes(shard: Shard, ports: ShardPorts, now: Micros): void {
  const { wishes } = shard.scratch;
  for (const id of wishes) {
    const stream = shard.streams.get(id);
    if (stream !== undefined) requestKeyframeIfDue(shard, ports, now, stream);
  }
  wishes.length = 0;
}

/** Sends a keyframe request for a stream if one is wanted and may be sent by now: to its publisher, or to its home. */
export function requestKeyframeIfDue(shard: Shard, ports: ShardPorts, now: Micros, stream: Stream): void {
  const { id, owner, media, routes, relays } = stream.publication;
  if (routes.length === 0 && relays.length === 0) keyframeForget(stream.keyframes);
  else if (stream.keyframes.wanted && !isOfUse(stream)) keyframeMoot(stream.keyframes);
  if (owner === null) {
    if (stream.keyframes.wanted) setProxiesTimer(shard, now);
    if (!keyframeToPassOn(stream.keyframes, now)) return;
    const proxy = { actor: "proxy", shard: shard.number, id: stream.publication.lane?.id ?? 0 } as const;
    const home = { actor: "publication", shard: shardOf(id), id } as const;
    const again = !stream.keyframes.toBegin;
    postMail(shard.mail, proxy, home, { to: "publication", type: "keyframe", stream: stream.homeId, again });
    return;
  }
  if (!keyframeDue(stream.keyframes, now, roundTripTo(shard, owner))) return;
  const codec = codecOfPayloadType(media, stream.payloadType) ?? media.codecs[0]!;
  const asFir = !codec.pli && codec.fir;
  if (buggify(ports.faults, "requests/keyframe-unsent", stream.id)) return;
  if (asFir) stream.firSequence = (stream.firSequence + 1) & 0xff;
  const sent = transmitRtcp(shard, ports, owner, media.rtcpReducedSize, (bytes, at) =>
    asFir
      ? writeFir(bytes, at, owner.feedbackSsrc, stream.ssrc, stream.firSequence)
      : writePli(bytes, at, owner.feedbackSsrc, stream.ssrc),
  );
  if (sent) shard.history.counters.keyframesRequested++;
}

/** Whether a keyframe of this stream would bring anybody anything who is not left out: it is the best, or he is shown it. */
function isOfUse(stream: Stream): boolean {
  const { best, routes, relays } = stream.publication;
  const isFor = (each: Route | Relay) => best === stream || each.stream === stream;
  return relays.some(isFor) || routes.some((route) => !route.leftOut && isFor(route));
}

/** Asks for the missing packets of a stream that it is time to ask for. */
export function requestMissing(shard: Shard, ports: ShardPorts, now: Micros, stream: OwnStream): void {
  if (stream.nack === null) return;
  const { owner, media } = stream.publication;
  const codec = codecOfPayloadType(media, stream.payloadType);
  if (codec === null || !codec.nack) return;
  const { sequences } = shard.scratch;
  const count = nackDue(stream.nack, now, roundTripTo(shard, owner), sequences);
  if (count === 0 || buggify(ports.faults, "requests/nack-unsent", stream.id)) return;
  const sent = transmitRtcp(shard, ports, owner, media.rtcpReducedSize, (bytes, at) =>
    writeNack(bytes, at, owner.feedbackSsrc, stream.ssrc, sequences, count),
  );
  if (sent) shard.history.counters.nacksSent++;
}

/** The round trip to a publisher, as far as it is known. */
function roundTripTo({ tunables }: Shard, { rtt }: Participant): Micros {
  return rtt.samples > 0 ? rttSmoothed(rtt) : tunables.rttUnknownMicros;
}

/** Tells a publisher when its packets arrived, if it is time and there is anything to tell. */
export function sendTransportFeedback(shard: Shard, ports: ShardPorts, now: Micros, participant: Participant): void {
  if (now < participant.nextTransportFeedbackAt) return;
  participant.nextTransportFeedbackAt = after(now, shard.tunables.transportFeedbackMicros);
  if (buggify(ports.faults, "requests/feedback-late", participant.id)) return;
  const publication = participant.publications[0];
  const mediaSsrc = publication?.streams[0]?.ssrc ?? 0;
  for (let i = 0; i < shard.tunables.transportFeedbacksPerTurnMax; i++) {
    const sent = transmitRtcp(shard, ports, participant, publication?.media.rtcpReducedSize ?? false, (bytes, at) =>
      transportFeedbackWrite(
        participant.arrivals,
        now,
        bytes,
        at,
        LIMITS.rtcpFeedbackBytesMax,
        participant.feedbackSsrc,
        mediaSsrc,
      ),
    );
    if (!sent) return;
  }
}

/**
 * Seals and transmits the RTCP packet that `write` puts at the given place; nothing is sent when it answers 0. Where
 * reduced size was not agreed upon, a report and a CNAME go before it (RFC 3550 §6.1, RFC 5506).
 */
export function transmitRtcp(
  shard: Shard,
  ports: ShardPorts,
  participant: Participant,
  reducedSize: boolean,
  write: (bytes: Uint8Array, offset: number) => number,
): boolean {
  const { srtp } = participant.peer;
  const flow = peerSendFlow(participant.peer);
  if (flow < 0 || srtp === null || buggify(ports.faults, "requests/no-path", participant.id)) return false;
  const sink = ports.outbox;
  const at = sink.reserve();
  const bytes = sink.sendBytes;
  let length = 0;
  if (!reducedSize) {
    length += writeReceiverReport(bytes, at, participant.feedbackSsrc);
    length += writeSdesCname(bytes, at + length, participant.feedbackSsrc, utf8Encode(participant.cname));
  }
  const written = write(bytes, at + length);
  if (written === 0) return false;
  const sealed = srtpSealRtcp(srtp, ports.crypto, bytes, at, length + written);
  if (sealed <= 0 || buggify(ports.faults, "requests/seal-fails", participant.id)) return false;
  sink.transmit(flow, at, sealed);
  shard.history.counters.rtcpSent++;
  return true;
}
