/**
 * The media of one simulated client: its camera and microphone on the way out, its slots on the way in.
 *
 * Everything runs on the loop's clock: a frame of each layer per picture, a piece of sound each 20 ms, a look at the slots
 * each 20 ms (what to ask for again, whether a keyframe is needed), reports each second. The sending half lives here with
 * the clockwork; what comes in is in ./client-receive.ts.
 */
import { type Micros, micros } from "../../core/base/micros.ts";
import { seqAdd16 } from "../../core/base/sequence.ts";
import { cancel, EVENT_CLASS, type LoopEvent, schedule, scheduleAgain } from "../base/event-loop.ts";
import { below, createStream, type Seed, type Stream } from "../base/random.ts";
import { affordableLayers, type Bandwidth, createBandwidth } from "./bandwidth.ts";
import {
  captureAudio,
  createLayerEncoder,
  createMicrophone,
  encodeFrame,
  type LayerEncoder,
  type LayerPlan,
  type Microphone,
} from "./camera.ts";
import type { Client } from "./client.ts";
import { createSlots, type ReceivingSlot, receiveRtcp, receiveRtp, slotsTick, writeReports } from "./client-receive.ts";
import { sendRtp } from "./client-send.ts";
import type { MediaCipher } from "./media-cipher.ts";
import { frameScale, HABIT_MICROS, type Habit, misbehave, strangeExtensions, upperLayersRest } from "./misbehaviour.ts";
import { type OfferedMedia, PAYLOAD_TYPE } from "./offer.ts";
import { createOutStream, mediaTimestamp, nextPacket, type OutStream } from "./out-stream.ts";
import type { VideoCodec } from "./payload.ts";
import type { ReadRtp, WrittenRtp } from "./plain-rtp.ts";

const AUDIO_MICROS = 20_000;
const TICK_MICROS = 20_000;
const REPORT_MICROS = 1_000_000;

/** What a client sends and how much it can receive. */
export interface ClientMediaPlan {
  readonly camera: {
    /** The world's number of this source. */
    readonly source: number;
    readonly codec: VideoCodec;
    readonly framesPerSecond: number;
    /** Smallest first; one layer means no simulcast. */
    readonly layers: readonly LayerPlan[];
  } | null;
  readonly microphone: {
    readonly source: number;
    /** -dBov, 0 (loudest) to 127. */
    readonly level: number;
  } | null;
  readonly audioSlots: number;
  readonly videoSlots: number;
  /** Whether all counters start shortly before they wrap. */
  readonly nearWrap: boolean;
  /** What both ends take for the packet index before the first of each stream, if it is not that of DTLS-SRTP. */
  readonly indexBefore?: number;
}

/** What the client keeps for DTLS. */
export interface ClientSecrets {
  readonly privateKey: Uint8Array;
  readonly certificate: Uint8Array;
  readonly secret: Uint8Array;
}

/** The media state of a client. */
export interface ClientMedia {
  readonly plan: ClientMediaPlan;
  readonly random: Stream;
  cname: string;
  secrets: ClientSecrets;
  cipher: MediaCipher | undefined;
  readonly encoders: LayerEncoder[];
  readonly microphone: Microphone | undefined;
  readonly audioSsrc: number;
  readonly videoSsrcs: number[];
  readonly rtxSsrcs: number[];
  /** By the SSRC of the media, once connected. */
  outStreams: OutStream[];
  slots: ReceivingSlot[];
  cameraMuted: boolean;
  microphoneMuted: boolean;
  /** What is done again and again: the next time that it is. */
  readonly timers: Map<string, LoopEvent>;
  /** Authentic RTP and RTCP packets, and those that were not. */
  opened: number;
  refused: number;
  keyframesAskedOfUs: number;
  /** Bad habits that the client has at present, and what they draw from. */
  readonly habits: Set<Habit>;
  readonly mischief: Stream;
  /** What the client believes that it may send; see ./bandwidth.ts. */
  readonly bandwidth: Bandwidth;
}

/** Media that has not begun. */
export function createClientMedia(seed: Seed, name: string, plan: ClientMediaPlan): ClientMedia {
  const random = createStream(seed, "client/media", name);
  const { camera } = plan;
  const empty = new Uint8Array(0);
  return {
    plan,
    random,
    cname: "",
    secrets: { privateKey: empty, certificate: empty, secret: empty },
    cipher: undefined,
    encoders: (camera?.layers ?? []).map((layer, index) =>
      createLayerEncoder(
        camera!.source,
        index,
        camera!.codec,
        layer,
        camera!.framesPerSecond,
        createStream(seed, "client/encoder", `${name}/${index}`),
        plan.nearWrap,
      ),
    ),
    microphone:
      plan.microphone === null
        ? undefined
        : createMicrophone(plan.microphone.source, createStream(seed, "client/voice", name), plan.microphone.level),
    audioSsrc: random.next() || 1,
    videoSsrcs: (camera?.layers ?? []).map(() => random.next() || 1),
    rtxSsrcs: (camera?.layers ?? []).map(() => random.next() || 1),
    outStreams: [],
    slots: [],
    cameraMuted: false,
    microphoneMuted: false,
    timers: new Map(),
    opened: 0,
    refused: 0,
    keyframesAskedOfUs: 0,
    habits: new Set(),
    mischief: createStream(seed, "client/mischief", name),
    bandwidth: createBandwidth(),
  };
}

/** The m-lines of the offer, sources first. */
export function offeredMedia(media: ClientMedia): OfferedMedia[] {
  const { plan } = media;
  const offered: OfferedMedia[] = [];
  if (plan.microphone !== null) offered.push({ kind: "microphone", ssrc: media.audioSsrc });
  if (plan.camera !== null) {
    const { codec, layers } = plan.camera;
    offered.push({ kind: "camera", codec, layers, ssrcs: media.videoSsrcs, rtxSsrcs: media.rtxSsrcs });
  }
  for (let i = 0; i < plan.audioSlots; i++) offered.push({ kind: "audio-slot" });
  for (let i = 0; i < plan.videoSlots; i++) offered.push({ kind: "video-slot" });
  return offered;
}

/** The keys are there: streams and slots come to life, the clockwork starts. */
export function mediaStart(client: Client): void {
  const { media, ports } = client;
  const offered = offeredMedia(media);
  offered.forEach((item, index) => {
    if (item.kind === "microphone" || item.kind === "camera") addOutStreams(client, item, index);
  });
  media.slots = createSlots(client, offered);
  const { now } = ports.loop;
  if (media.microphone !== undefined) {
    every(client, "microphone", micros(now + below(media.random, AUDIO_MICROS)), () => AUDIO_MICROS, speak);
  }
  const { camera } = media.plan;
  if (camera !== null) {
    const period = micros(Math.floor(1_000_000 / camera.framesPerSecond));
    every(client, "camera", micros(now + below(media.random, period)), () => period, film);
  }
  every(client, "tick", micros(now + TICK_MICROS), () => TICK_MICROS, slotsTick);
  every(
    client,
    "report",
    micros(now + below(media.random, REPORT_MICROS)),
    () => REPORT_MICROS - 100_000 + below(media.random, 200_000),
    writeReports,
  );
}

/** Goes on with the devices of a page that makes a new connection: frames are counted on, and begin with a keyframe. */
export function mediaTakeOver(media: ClientMedia, former: ClientMedia): void {
  media.cameraMuted = former.cameraMuted;
  media.microphoneMuted = former.microphoneMuted;
  for (const [layer, encoder] of media.encoders.entries()) encoder.frame = former.encoders[layer]?.frame ?? 0;
  if (media.microphone !== undefined) media.microphone.packet = former.microphone?.packet ?? 0;
}

/** Everything falls silent. */
export function mediaStop(media: ClientMedia): void {
  for (const event of media.timers.values()) cancel(event);
  media.timers.clear();
}

/** A datagram of RTP or RTCP has arrived that was sent at `sentAt` (RFC 5761 §4 tells them apart by the second byte). */
export function mediaReceive(client: Client, bytes: Uint8Array, sentAt: Micros): void {
  const { media } = client;
  if (media.cipher === undefined || bytes.length < 12) return;
  const second = bytes[1]!;
  const isRtcp = second >= 192 && second <= 223;
  if (isRtcp) openControl(client, media.cipher, bytes);
  else {
    const packet = openPacket(client, media.cipher, bytes);
    if (packet === undefined) media.refused++;
    else {
      media.opened++;
      receiveRtp(client, packet, sentAt);
    }
  }
}

function openPacket(client: Client, cipher: MediaCipher, bytes: Uint8Array): ReadRtp | undefined {
  const { watcher } = client.ports;
  if (watcher.plain === undefined) return cipher.takeRtp(bytes);
  const plain = cipher.openRtp(bytes);
  if (plain === undefined) return undefined;
  watcher.plain(client, "down", plain);
  return cipher.readRtp(plain);
}

function openControl(client: Client, cipher: MediaCipher, bytes: Uint8Array): void {
  const { media, ports } = client;
  const plain = cipher.openRtcp(bytes);
  if (plain === undefined) {
    media.refused++;
    return;
  }
  media.opened++;
  ports.watcher.plain?.(client, "down", plain);
  ports.watcher.control?.(client, bytes, plain);
  receiveRtcp(client, cipher.rtcp.read(plain));
}

function addOutStreams(client: Client, item: OfferedMedia, index: number): void {
  const { media, plan } = client;
  const answered = client.answer?.media[index];
  if (answered === undefined || !answered.accepted) return;
  const { mid, extensionIds } = answered;
  const add = (kind: "audio" | "video", ssrc: number, rtxSsrc: number, payloadType: number, rid: string) => {
    const clockRate = kind === "audio" ? 48_000 : 90_000;
    const clockOrigin = client.ports.loop.origin;
    const streamPlan = { kind, ssrc, rtxSsrc, payloadType, clockRate, clockOrigin, mid, rid, extensionIds };
    media.outStreams.push(createOutStream(streamPlan, media.random, plan.media.nearWrap));
  };
  if (item.kind === "microphone") add("audio", item.ssrc, 0, PAYLOAD_TYPE.OPUS, "");
  if (item.kind !== "camera") return;
  item.layers.forEach((layer, layerIndex) => {
    const rid = item.layers.length > 1 ? layer.rid : "";
    add("video", item.ssrcs[layerIndex]!, item.rtxSsrcs[layerIndex]!, PAYLOAD_TYPE[item.codec], rid);
  });
}

/** Calls `act` at `first` and then again and again, until {@link mediaStop}. */
function every(client: Client, name: string, first: Micros, wait: () => number, act: (client: Client) => void): void {
  const { loop } = client.ports;
  const { timers } = client.media;
  // One function and one event for all turns: they are among the most frequent of a world.
  function turn(): void {
    scheduleAgain(loop, event, micros(loop.now + wait()), turn);
    act(client);
  }
  const event = schedule(loop, first, EVENT_CLASS.MEDIA, turn);
  timers.set(name, event);
}

/** Takes up a bad habit, or drops it. */
export function setHabit(client: Client, habit: Habit, has: boolean): void {
  const { media, ports } = client;
  if (has) media.habits.add(habit);
  else media.habits.delete(habit);
  // Where nothing runs, nobody is there any more, or not yet.
  if (!has || media.timers.size === 0 || media.timers.has("habits")) return;
  const first = micros(ports.loop.now + HABIT_MICROS);
  every(client, "habits", first, () => HABIT_MICROS, misbehave);
}

function speak(client: Client): void {
  const { media, ports } = client;
  const stream = media.outStreams.find((candidate) => candidate.kind === "audio");
  if (media.microphone === undefined || media.microphoneMuted || stream === undefined) return;
  const payload = captureAudio(media.microphone);
  if (media.habits.has("dtx") && media.microphone.packet % 20 !== 0) return;
  const timestamp = mediaTimestamp(stream, ports.loop.now);
  ports.watcher.spoke?.(client, media.microphone.passport);
  sendRtp(client, number(client, stream, timestamp, false, payload, media.microphone.level));
}

function film(client: Client): void {
  const { media, ports } = client;
  if (media.cameraMuted) return;
  const streams = media.outStreams.filter((candidate) => candidate.kind === "video");
  const layers =
    client.plan.persona === "chromium" ? affordableLayers(media.bandwidth, media.encoders) : streams.length;
  media.encoders.forEach((encoder, index) => {
    const stream = streams[index];
    const rests = index > 0 && (index >= layers || upperLayersRest(client));
    if (rests) encoder.keyframeWanted = true;
    if (stream === undefined || rests) return;
    const timestamp = mediaTimestamp(stream, ports.loop.now);
    if (media.habits.has("no-keyframes") && encoder.keyframes > 0) encoder.keyframeWanted = false;
    const payloads = encodeFrame(encoder, frameScale(client));
    ports.watcher.filmed?.(client, stream.ssrc, stream.sequence, payloads.length, encoder.passport);
    payloads.forEach((payload, part) => {
      sendRtp(client, number(client, stream, timestamp, part === payloads.length - 1, payload, -1));
    });
  });
}

function number(
  client: Client,
  stream: OutStream,
  timestamp: number,
  marker: boolean,
  payload: Uint8Array,
  level: number,
): WrittenRtp {
  const packet = nextPacket(stream, timestamp, marker, payload, client.transportSequence, level);
  client.transportSequence = seqAdd16(client.transportSequence, 1);
  const strange = strangeExtensions(client);
  return strange.length === 0 ? packet : { ...packet, extensions: [...packet.extensions, ...strange] };
}
