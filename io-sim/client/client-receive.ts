/**
 * What a simulated client does with what it gets: RTP into the slots, RTCP to whom it concerns, and the feedback.
 *
 * A slot is one m-line with one SSRC for the whole call (and one for RTX). Packets of other SSRCs are counted and thrown
 * away, as a browser does with media that no description names.
 */
import {
  GenericNack,
  PictureLossIndication,
  RtcpPacketConverter,
  RtcpPayloadSpecificFeedback,
  RtcpRrPacket,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  TransportWideCC,
} from "werift-rtp";
import { readU16 } from "../../core/base/bytes.ts";
import { type AudioPlayer, audioPlayerTake, createAudioPlayer } from "./audio-player.ts";
import { bandwidthFeedback } from "./bandwidth.ts";
import type { Client } from "./client.ts";
import { resend, sendRtcp } from "./client-send.ts";
import {
  createInStream,
  type InStream,
  inStreamNacks,
  inStreamRepair,
  inStreamReport,
  inStreamSenderReport,
  inStreamTake,
  unwrap,
} from "./in-stream.ts";
import { asBuffer } from "./media-cipher.ts";
import { type OfferedMedia, PAYLOAD_TYPE } from "./offer.ts";
import { type OutStream, reportBlock, senderReport, sourceDescription } from "./out-stream.ts";
import type { VideoCodec } from "./payload.ts";
import type { ReadRtp } from "./plain-rtp.ts";
import { createVideoPlayer, type VideoPlayer, videoPlayerTake, videoPlayerTick } from "./video-player.ts";

/** One m-line on which the client receives. */
export interface ReceivingSlot {
  readonly mid: string;
  readonly kind: "audio" | "video";
  readonly rtxSsrc: number;
  readonly stream: InStream;
  /** One of the two, by the kind. */
  readonly screen: VideoPlayer | undefined;
  readonly speaker: AudioPlayer | undefined;
  /** Packets of a payload type that no player here knows. */
  unknownType: number;
  retransmissions: number;
}

/** The SSRC that a client without streams of its own reports with (as Chromium does). */
const REPORTER_SSRC = 1;

/** The slots that the answer has accepted. */
export function createSlots(client: Client, offered: readonly OfferedMedia[]): ReceivingSlot[] {
  const slots: ReceivingSlot[] = [];
  offered.forEach((item, index) => {
    const answered = client.answer?.media[index];
    if (answered === undefined || !answered.accepted) return;
    if (item.kind !== "audio-slot" && item.kind !== "video-slot") return;
    const kind = item.kind === "audio-slot" ? "audio" : "video";
    slots.push({
      mid: answered.mid,
      kind,
      rtxSsrc: answered.rtxSsrc,
      stream: createInStream(answered.ssrc, kind === "audio" ? 48_000 : 90_000),
      screen: kind === "video" ? createVideoPlayer() : undefined,
      speaker: kind === "audio" ? createAudioPlayer() : undefined,
      unknownType: 0,
      retransmissions: 0,
    });
  });
  return slots;
}

/** Takes an authentic RTP packet. */
export function receiveRtp(client: Client, packet: ReadRtp): void {
  const { ssrc, sequence, timestamp, marker, payloadType, payload } = packet;
  for (const slot of client.media.slots) {
    if (slot.stream.ssrc === ssrc) {
      const index = unwrap(slot.stream, sequence);
      const isNew = inStreamTake(slot.stream, client.ports.loop.now, index, timestamp);
      if (isNew) play(client, slot, index, payloadType, timestamp, marker, payload);
      return;
    }
    if (slot.rtxSsrc !== 0 && slot.rtxSsrc === ssrc) {
      slot.retransmissions++;
      if (payload.length < 2) return;
      const original = readU16(payload, 0);
      client.ports.watcher.repaired?.(client, slot.stream.ssrc, original, timestamp);
      const index = unwrap(slot.stream, original);
      if (inStreamRepair(slot.stream, index)) {
        play(client, slot, index, payloadType - 1, timestamp, marker, payload.subarray(2));
      }
      return;
    }
  }
}

function play(
  client: Client,
  slot: ReceivingSlot,
  index: number,
  payloadType: number,
  timestamp: number,
  marker: boolean,
  payload: Uint8Array,
): void {
  const { loop, watcher } = client.ports;
  if (slot.speaker !== undefined) {
    const passport = audioPlayerTake(slot.speaker, loop.now, timestamp, payload);
    if (passport !== undefined) watcher.perceived(client, slot.mid, "audio", passport);
    return;
  }
  const codec = codecOf(payloadType);
  if (codec === undefined || slot.screen === undefined) {
    slot.unknownType++;
    return;
  }
  videoPlayerTake(slot.screen, loop.now, index, codec, timestamp, marker, payload, (passport) =>
    watcher.perceived(client, slot.mid, "video", passport),
  );
}

function codecOf(payloadType: number): VideoCodec | undefined {
  if (payloadType === PAYLOAD_TYPE.VP8) return "VP8";
  if (payloadType === PAYLOAD_TYPE.VP9) return "VP9";
  return payloadType === PAYLOAD_TYPE.H264 ? "H264" : undefined;
}

/** Takes an authentic RTCP packet. */
export function receiveRtcp(client: Client, plain: Uint8Array): void {
  const { media, ports } = client;
  for (const packet of RtcpPacketConverter.deSerialize(asBuffer(plain))) {
    if (packet instanceof RtcpSrPacket || packet instanceof RtcpRrPacket) {
      for (const report of packet.reports) {
        for (const stream of media.outStreams) {
          if (stream.ssrc === report.ssrc) stream.bound = true;
          if (stream.rtxSsrc === report.ssrc) stream.rtxBound = true;
        }
      }
      if (!(packet instanceof RtcpSrPacket)) continue;
      const slot = media.slots.find((candidate) => candidate.stream.ssrc === packet.ssrc);
      const compact = Number((packet.senderInfo.ntpTimestamp >> 16n) & 0xffff_ffffn);
      if (slot !== undefined) inStreamSenderReport(slot.stream, ports.loop.now, compact);
    } else if (packet instanceof RtcpPayloadSpecificFeedback) {
      const { feedback } = packet;
      if (feedback instanceof PictureLossIndication) makeKeyframe(client, feedback.mediaSsrc);
      if ("fir" in feedback) for (const entry of feedback.fir) makeKeyframe(client, entry.ssrc);
    } else if (packet instanceof RtcpTransportLayerFeedback && packet.feedback instanceof TransportWideCC) {
      const { packetStatusCount, recvDeltas } = packet.feedback;
      bandwidthFeedback(media.bandwidth, packetStatusCount, recvDeltas.length);
    } else if (packet instanceof RtcpTransportLayerFeedback && packet.feedback instanceof GenericNack) {
      const stream = outStream(client, packet.feedback.mediaSourceSsrc);
      if (stream !== undefined) resend(client, stream, packet.feedback.lost);
    }
  }
}

function outStream(client: Client, ssrc: number): OutStream | undefined {
  return client.media.outStreams.find((stream) => stream.ssrc === ssrc);
}

function makeKeyframe(client: Client, ssrc: number): void {
  const index = client.media.videoSsrcs.indexOf(ssrc);
  const encoder = client.media.encoders[index];
  if (encoder === undefined) return;
  encoder.keyframeWanted = true;
  client.media.keyframesAskedOfUs++;
}

/** Looks at each slot: what to ask for again, and whether its screen needs a keyframe. */
export function slotsTick(client: Client): void {
  const { media, ports } = client;
  const { now } = ports.loop;
  for (const slot of media.slots) {
    if (slot.screen === undefined) continue;
    const lost = slot.rtxSsrc === 0 ? [] : inStreamNacks(slot.stream, now);
    if (lost.length > 0) {
      const feedback = new GenericNack({ senderSsrc: reporterSsrc(client), mediaSourceSsrc: slot.stream.ssrc, lost });
      sendRtcp(client, new RtcpTransportLayerFeedback({ feedback }).serialize());
    }
    if (
      !videoPlayerTick(slot.screen, now, (passport) => ports.watcher.perceived(client, slot.mid, "video", passport))
    ) {
      continue;
    }
    const feedback = new PictureLossIndication({ senderSsrc: reporterSsrc(client), mediaSsrc: slot.stream.ssrc });
    sendRtcp(client, new RtcpPayloadSpecificFeedback({ feedback }).serialize());
  }
}

/** Writes one compound packet: a sender report per stream of ours, with report blocks about what comes in. */
export function writeReports(client: Client): void {
  const { media, ports } = client;
  const { now } = ports.loop;
  const heard = media.slots.filter((slot) => slot.stream.received > 0);
  const reports = heard.slice(0, 31).map((slot) => reportBlock(inStreamReport(slot.stream, now)));
  const wall = ports.wallClock(now);
  const sending = media.outStreams.filter((stream) => stream.packetsSent > 0);
  const parts =
    sending.length === 0
      ? [new RtcpRrPacket({ ssrc: REPORTER_SSRC, reports }).serialize(), sourceDescription(REPORTER_SSRC, media.cname)]
      : sending.map((stream, index) => senderReport(stream, now, wall, index === 0 ? reports : [], media.cname));
  sendRtcp(client, Buffer.concat(parts));
}

function reporterSsrc(client: Client): number {
  return client.media.outStreams[0]?.ssrc ?? REPORTER_SSRC;
}
