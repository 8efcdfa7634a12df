/**
 * What a simulated client does with what it gets: RTP into the slots, RTCP to whom it concerns, and the feedback.
 *
 * A slot is one m-line with one SSRC for the whole call (and one for RTX). Packets of other SSRCs are counted and thrown
 * away, as a browser does with media that no description names.
 */
import { PictureLossIndication, RtcpPayloadSpecificFeedback } from "werift-rtp";
import { readU16 } from "../../core/base/bytes.ts";
import type { Micros } from "../../core/base/micros.ts";
import { COUNT_NEAR_END } from "../base/near-wrap.ts";
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
import { type OfferedMedia, PAYLOAD_TYPE } from "./offer.ts";
import { type OutStream, senderInfo } from "./out-stream.ts";
import type { VideoCodec } from "./payload.ts";
import { type ReadRtcp, writeFir } from "./plain-rtcp.ts";
import type { ReadRtp } from "./plain-rtp.ts";
import { createVideoPlayer, type OnFrame, type VideoPlayer, videoPlayerTake, videoPlayerTick } from "./video-player.ts";
import { writeNack } from "./werift-rtcp.ts";

/** One m-line on which the client receives. */
export interface ReceivingSlot {
  readonly mid: string;
  readonly kind: "audio" | "video";
  /** The two SSRCs as signed numbers; that of RTX is 0 where there is none. */
  readonly key: number;
  readonly rtxKey: number;
  readonly stream: InStream;
  /** One of the two, by the kind. */
  readonly screen: VideoPlayer | undefined;
  readonly speaker: AudioPlayer | undefined;
  /** Hears of what the screen shows. */
  readonly onFrame: OnFrame;
  /** Packets of a payload type that no player here knows. */
  unknownType: number;
  /** The number of the next FIR about it: 8 bits. */
  nextFir: number;
  retransmissions: number;
}

/** No packet is to be asked for. */
const NOTHING: number[] = [];

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
    const { mid } = answered;
    slots.push({
      mid,
      kind,
      key: answered.ssrc | 0,
      rtxKey: answered.rtxSsrc | 0,
      stream: createInStream(answered.ssrc, kind === "audio" ? 48_000 : 90_000),
      screen: kind === "video" ? createVideoPlayer() : undefined,
      speaker: kind === "audio" ? createAudioPlayer() : undefined,
      onFrame: (passport, sentAt) => client.ports.watcher.perceived(client, mid, "video", passport, sentAt),
      unknownType: 0,
      nextFir: client.plan.media.nearWrap ? COUNT_NEAR_END : 0,
      retransmissions: 0,
    });
  });
  return slots;
}

/** Takes an authentic RTP packet that the server has sent at `sentAt`. */
export function receiveRtp(client: Client, packet: ReadRtp, sentAt: Micros): void {
  const { ssrc, sequence, timestamp, payloadType } = packet;
  for (const slot of client.media.slots) {
    if (slot.key === ssrc) {
      const index = unwrap(slot.stream, sequence);
      const isNew = inStreamTake(slot.stream, client.ports.loop.now, index, timestamp);
      if (isNew) play(client, slot, sentAt, index, payloadType, packet);
      return;
    }
    if (slot.rtxKey !== 0 && slot.rtxKey === ssrc) {
      slot.retransmissions++;
      if (packet.end - packet.at < 2) return;
      const original = readU16(packet.bytes, packet.at);
      packet.at += 2;
      client.ports.watcher.repaired?.(client, slot.stream.ssrc, original, timestamp);
      const index = unwrap(slot.stream, original);
      if (inStreamRepair(slot.stream, index)) play(client, slot, sentAt, index, payloadType - 1, packet);
      return;
    }
  }
}

function play(
  client: Client,
  slot: ReceivingSlot,
  sentAt: Micros,
  index: number,
  payloadType: number,
  packet: ReadRtp,
): void {
  const { loop, watcher } = client.ports;
  if (slot.speaker !== undefined) {
    const passport = audioPlayerTake(slot.speaker, loop.now, packet);
    if (passport !== undefined) watcher.perceived(client, slot.mid, "audio", passport, sentAt);
    return;
  }
  const codec = codecOf(payloadType);
  if (codec === undefined || slot.screen === undefined) {
    slot.unknownType++;
    return;
  }
  videoPlayerTake(slot.screen, loop.now, sentAt, index, codec, packet, slot.onFrame);
}

function codecOf(payloadType: number): VideoCodec | undefined {
  if (payloadType === PAYLOAD_TYPE.VP8) return "VP8";
  if (payloadType === PAYLOAD_TYPE.VP9) return "VP9";
  return payloadType === PAYLOAD_TYPE.H264 ? "H264" : undefined;
}

/** Takes what was read of an authentic RTCP packet. */
export function receiveRtcp(client: Client, packets: readonly ReadRtcp[]): void {
  const { media } = client;
  for (const packet of packets) {
    switch (packet.kind) {
      case "report":
        takeReport(client, packet);
        break;
      case "keyframe":
        for (const [at, ssrc] of packet.ssrcs.entries()) makeKeyframe(client, ssrc, packet.numbers[at] ?? -1);
        break;
      case "arrivals":
        bandwidthFeedback(media.bandwidth, packet.packets, packet.arrived);
        break;
      case "nack": {
        const stream = outStream(client, packet.ssrc);
        if (stream !== undefined) resend(client, stream, packet.sequences);
      }
    }
  }
}

function takeReport(client: Client, report: Extract<ReadRtcp, { kind: "report" }>): void {
  const { media, ports } = client;
  for (const ssrc of report.about) {
    for (const stream of media.outStreams) {
      if (stream.ssrc === ssrc) stream.bound = true;
      if (stream.rtxSsrc === ssrc) stream.rtxBound = true;
    }
  }
  if (report.compactNtp < 0) return;
  const slot = media.slots.find((candidate) => candidate.stream.ssrc === report.sender);
  if (slot !== undefined) inStreamSenderReport(slot.stream, ports.loop.now, report.compactNtp);
}

function outStream(client: Client, ssrc: number): OutStream | undefined {
  return client.media.outStreams.find((stream) => stream.ssrc === ssrc);
}

/** Has the encoder of a stream make a keyframe; `number` is that of the FIR that asks for it, -1 for a PLI. */
function makeKeyframe(client: Client, ssrc: number, number: number): void {
  const stream = outStream(client, ssrc);
  if (number >= 0 && stream !== undefined) {
    if (stream.lastFir === number) return;
    stream.lastFir = number;
  }
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
    const isMissing = slot.rtxKey !== 0 && slot.stream.missing.size > 0;
    const lost = isMissing ? inStreamNacks(slot.stream, now) : NOTHING;
    if (lost.length > 0) sendRtcp(client, writeNack(reporterSsrc(client), slot.stream.ssrc, lost));
    if (!videoPlayerTick(slot.screen, now, slot.onFrame)) continue;
    sendRtcp(client, client.plan.persona === "thin" ? fullIntraRequest(client, slot) : pictureLoss(client, slot));
  }
}

function pictureLoss(client: Client, { stream }: ReceivingSlot): Uint8Array {
  const feedback = new PictureLossIndication({ senderSsrc: reporterSsrc(client), mediaSsrc: stream.ssrc });
  return new RtcpPayloadSpecificFeedback({ feedback }).serialize();
}

function fullIntraRequest(client: Client, slot: ReceivingSlot): Uint8Array {
  const number = slot.nextFir;
  slot.nextFir = (number + 1) & 0xff;
  return writeFir(reporterSsrc(client), slot.stream.ssrc, number);
}

/** Writes one compound packet: a sender report per stream of ours, with report blocks about what comes in. */
export function writeReports(client: Client): void {
  const { media, ports } = client;
  if (media.cipher === undefined) return;
  const { now } = ports.loop;
  const heard = media.slots.filter((slot) => slot.stream.received > 0);
  const blocks = heard.slice(0, 31).map((slot) => inStreamReport(slot.stream, now));
  const wall = ports.wallClock(now);
  const sending = media.outStreams.filter((stream) => stream.packetsSent > 0);
  const senders = sending.map((stream) => senderInfo(stream, now, wall));
  const reports = media.cipher.rtcp.writeReports(senders, REPORTER_SSRC, blocks, media.cname);
  sendRtcp(
    client,
    reports,
    sending.map(({ ssrc }) => ssrc),
  );
}

function reporterSsrc(client: Client): number {
  return client.media.outStreams[0]?.ssrc ?? REPORTER_SSRC;
}
