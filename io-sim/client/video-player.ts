/**
 * A screen that is hard to please: puts frames together and says of each whether a decoder could show it.
 *
 * Frames are taken in the order of their sequence numbers. A frame is whole when its packets follow each other from one
 * that begins a frame to one with the marker bit; it is decodable when it is a keyframe or when the frame that its passport
 * refers to was decoded. While a packet is missing the screen waits; after a while it jumps to a later keyframe, and asks
 * for one if there is none. What goes wrong without any missing packet is nobody's fault but the server's, and counted
 * apart: torn frames, frames that refer to something unseen, picture ids that jump (promises S4, S5, S6).
 */
import { bitRingClear, bitRingHas, bitRingSet, createBitRing } from "../../core/base/bit-ring.ts";
import type { Micros } from "../../core/base/micros.ts";
import { type FramePassport, readPieces } from "./frame-body.ts";
import { type PayloadView, readPayload, type VideoCodec } from "./payload.ts";
import type { Payload, ReadRtp } from "./plain-rtp.ts";

/** How long the screen waits for a missing packet before it takes a later keyframe, any later frame, or asks for one. */
const JUMP_TO_KEYFRAME_MICROS = 100_000;
const JUMP_TO_ANY_MICROS = 600_000;
const ASK_FOR_KEYFRAME_MICROS = 300_000;
const ASK_AGAIN_MICROS = 500_000;

/** Packets that wait for an earlier one; beyond it the oldest are given up. */
const WAITING_PACKETS_MAX = 1_000;

/** Places of the ring of packets at first, a power of two. */
const PLACES_AT_FIRST = 64;

/**
 * Frames that a later one may refer to, the newest of a chain; a power of two. The camera refers back by four at the most, and
 * to remember all of a long call would cost each of its frames a look at memory far away.
 */
const DECODED_FRAMES = 64;

/** What was seen of one source. */
export interface SourceSeen {
  readonly source: number;
  frames: number;
  keyframes: number;
  firstAt: number;
  lastAt: number;
  /** RTP timestamp of the picture that was shown last. */
  lastTimestamp: number;
  /** The longest time between two frames that were shown one after the other, and when it ended. */
  longestGapMicros: number;
  longestGapAt: number;
  /** Of the last keyframe and of the largest one. */
  width: number;
  widestWidth: number;
  layerChanges: number;
  layer: number;
}

/** The state of one screen; make it with {@link createVideoPlayer}. */
export interface VideoPlayer {
  /** Those that wait, each in the place that is its number modulo their count; how many there are, and where they begin. */
  packets: (WaitingPacket | undefined)[];
  waiting: number;
  oldest: number;
  /** The unwrapped number of the packet that the next frame begins with; -1 before the first keyframe. */
  next: number;
  highest: number;
  /** Since when a packet is missing, 0 while none is. */
  blockedSince: number;
  /** Since when frames come that can't be shown, 0 while they can. */
  brokenSince: number;
  askedAt: number;
  firstPacketAt: number;
  /** Whether the chain of references is whole from the last keyframe on. */
  chainSource: number;
  chainLayer: number;
  /** The newest frame of it that was decoded, and which of those before it were: a ring. */
  lastDecoded: number;
  readonly decoded: Uint32Array;
  /** Whether anything was skipped since the last decoded frame. */
  skipped: boolean;
  lastPictureId: number;
  lastTl0: number;
  seen: Map<number, SourceSeen>;
  framesShown: number;
  framesSkipped: number;
  keyframesAsked: number;
  /** Mistakes that no lost packet explains. */
  torn: number;
  unreferenced: number;
  pictureIdJumps: number;
  /** Frames whose content was not what the camera made. Never explained by anything. */
  garbled: number;
  /** Sentences about the first few mistakes. */
  complaints: string[];
}

/**
 * Hears of each frame that is shown, and of one that refers to something unseen. A frame may have waited for others:
 * `sentAt` is when the last packet of its own was sent.
 */
export type OnFrame = (passport: FramePassport, sentAt: Micros) => void;

interface WaitingPacket {
  readonly index: number;
  readonly sentAt: Micros;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly empty: boolean;
  readonly view: PayloadView | undefined;
}

/** A screen that has shown nothing. */
export function createVideoPlayer(): VideoPlayer {
  return {
    packets: new Array<WaitingPacket | undefined>(PLACES_AT_FIRST).fill(undefined),
    waiting: 0,
    oldest: 0,
    next: -1,
    highest: -1,
    blockedSince: 0,
    brokenSince: 0,
    askedAt: 0,
    firstPacketAt: 0,
    chainSource: -1,
    chainLayer: -1,
    lastDecoded: -1,
    decoded: createBitRing(DECODED_FRAMES),
    skipped: false,
    lastPictureId: -1,
    lastTl0: -1,
    seen: new Map(),
    framesShown: 0,
    framesSkipped: 0,
    keyframesAsked: 0,
    torn: 0,
    unreferenced: 0,
    pictureIdJumps: 0,
    garbled: 0,
    complaints: [],
  };
}

/** Takes a packet that is new, and when it was sent. `index` is its unwrapped sequence number. */
export function videoPlayerTake(
  player: VideoPlayer,
  now: Micros,
  sentAt: Micros,
  index: number,
  codec: VideoCodec,
  packet: Pick<ReadRtp, "timestamp" | "marker"> & Payload,
  onFrame: OnFrame,
): void {
  const { timestamp, marker } = packet;
  if (player.firstPacketAt === 0) player.firstPacketAt = now;
  if (player.next >= 0 && index < player.next) return;
  const empty = packet.at === packet.end;
  const view = empty ? undefined : readPayload(codec, packet);
  keep(player, { index, sentAt, timestamp, marker, empty, view });
  if (player.next < 0 && view?.keyframe === true && view.begins) {
    dropBelow(player, index);
    player.next = index;
  }
  if (player.waiting > WAITING_PACKETS_MAX) giveUpOldest(player);
  play(player, now, onFrame);
}

/** Lets time pass: jumps over what is lost for good. Answers whether a keyframe must be asked for now. */
export function videoPlayerTick(player: VideoPlayer, now: Micros, onFrame: OnFrame): boolean {
  const blockedFor = player.blockedSince === 0 ? 0 : now - player.blockedSince;
  if (player.next >= 0 && blockedFor >= JUMP_TO_KEYFRAME_MICROS && jump(player, blockedFor >= JUMP_TO_ANY_MICROS)) {
    play(player, now, onFrame);
  }
  // Frames may come whole and still be of no use, when what they refer to never came.
  const waitsSince = player.next < 0 ? player.firstPacketAt : player.blockedSince || player.brokenSince;
  const waited = waitsSince === 0 ? 0 : now - waitsSince;
  if (waited < ASK_FOR_KEYFRAME_MICROS || now - player.askedAt < ASK_AGAIN_MICROS) return false;
  player.askedAt = now;
  player.keyframesAsked++;
  return true;
}

/** Shows whole frames, one after the other, up to the first missing packet. */
function play(player: VideoPlayer, now: Micros, onFrame: OnFrame): void {
  while (player.next >= 0) {
    const first = packetAt(player, player.next);
    if (first === undefined) break;
    if (first.empty) {
      dropBelow(player, ++player.next);
      continue;
    }
    const end = frameEnd(player, player.next);
    if (end < 0) break;
    const last = packetAt(player, end)!;
    if (last.timestamp !== first.timestamp) {
      complain(player, "torn", `a frame without an end before packet ${end & 0xffff}`);
      player.torn++;
      drop(player, end);
      continue;
    }
    show(player, now, end, onFrame);
    drop(player, end + 1);
  }
  const blocked = player.next >= 0 && player.highest >= player.next && !packetAt(player, firstMissing(player));
  player.blockedSince = blocked ? player.blockedSince || now : 0;
}

/** The last packet of the frame that begins at `start`, or the first packet of the next frame when the marker never
 * came, or -1 while packets are missing. */
function frameEnd(player: VideoPlayer, start: number): number {
  const { timestamp } = packetAt(player, start)!;
  for (let index = start; ; index++) {
    const packet = packetAt(player, index);
    if (packet === undefined) return -1;
    if (packet.empty) continue;
    if (packet.timestamp !== timestamp || packet.marker) return index;
  }
}

function firstMissing(player: VideoPlayer): number {
  let index = player.next;
  while (packetAt(player, index) !== undefined) index++;
  return index > player.highest ? player.next : index;
}

function show(player: VideoPlayer, now: Micros, end: number, onFrame: OnFrame): void {
  const views: PayloadView[] = [];
  let sentAt = packetAt(player, end)!.sentAt;
  for (let index = player.next; index <= end; index++) {
    const packet = packetAt(player, index)!;
    if (packet.sentAt > sentAt) sentAt = packet.sentAt;
    if (packet.view !== undefined) views.push(packet.view);
    else if (!packet.empty) complain(player, "garbled", `a payload that can't be read in packet ${index & 0xffff}`);
  }
  const head = views[0];
  const passport = head === undefined ? undefined : readPieces(views);
  if (head === undefined || passport === undefined || passport.keyframe !== head.keyframe || !head.begins) {
    if (!player.skipped || passport !== undefined) {
      player.garbled++;
      complain(player, "garbled", `a frame that no camera made, at packet ${player.next & 0xffff}`);
    }
    player.framesSkipped++;
    player.skipped = true;
    return;
  }
  if (!isDecodable(player, passport)) {
    if (!player.skipped) {
      player.unreferenced++;
      complain(player, "unreferenced", `frame ${passport.frame} of source ${passport.source} refers to one unseen`);
    }
    player.framesSkipped++;
    player.skipped = true;
    player.brokenSince ||= now;
    onFrame(passport, sentAt);
    return;
  }
  judgePictureId(player, head);
  decode(player, now, passport, head, packetAt(player, player.next)!.timestamp);
  onFrame(passport, sentAt);
}

function isDecodable(player: VideoPlayer, passport: FramePassport): boolean {
  if (passport.keyframe) return true;
  const sameChain = passport.source === player.chainSource && passport.layer === player.chainLayer;
  return sameChain && wasDecoded(player, passport.reference);
}

function wasDecoded({ decoded, lastDecoded }: VideoPlayer, frame: number): boolean {
  return frame <= lastDecoded && frame > lastDecoded - DECODED_FRAMES && bitRingHas(decoded, frame);
}

function noteDecoded(player: VideoPlayer, frame: number): void {
  const { decoded, lastDecoded } = player;
  if (frame <= lastDecoded - DECODED_FRAMES) return;
  if (frame > lastDecoded) {
    bitRingClear(decoded, lastDecoded + 1, frame);
    player.lastDecoded = frame;
  }
  bitRingSet(decoded, frame);
}

function judgePictureId(player: VideoPlayer, head: PayloadView): void {
  const follows = head.pictureId < 0 || player.lastPictureId < 0 || player.skipped;
  const stepsTl0 = head.tl0 < 0 || player.lastTl0 < 0 || player.skipped;
  const pictureOk = follows || head.pictureId === ((player.lastPictureId + 1) & 0x7fff);
  const tl0Ok = stepsTl0 || ((head.tl0 - player.lastTl0) & 0xff) === (head.temporalLayer === 0 ? 1 : 0);
  if (!pictureOk || !tl0Ok) {
    player.pictureIdJumps++;
    const was = `${player.lastPictureId}/${player.lastTl0}`;
    complain(player, "picture id", `${was} was followed by ${head.pictureId}/${head.tl0} at ${player.next & 0xffff}`);
  }
  player.lastPictureId = head.pictureId;
  player.lastTl0 = head.tl0;
}

function decode(player: VideoPlayer, now: Micros, passport: FramePassport, head: PayloadView, timestamp: number): void {
  if (passport.keyframe) {
    player.decoded.fill(0);
    player.lastDecoded = passport.frame;
    player.chainSource = passport.source;
    player.chainLayer = passport.layer;
  }
  noteDecoded(player, passport.frame);
  player.skipped = false;
  player.brokenSince = 0;
  player.framesShown++;
  const seen = sourceSeen(player, passport.source, now);
  const gap = now - seen.lastAt;
  if (seen.frames > 0 && gap > seen.longestGapMicros) {
    seen.longestGapMicros = gap;
    seen.longestGapAt = now;
  }
  if (seen.frames > 0 && passport.layer !== seen.layer) seen.layerChanges++;
  seen.layer = passport.layer;
  seen.frames++;
  seen.lastAt = now;
  seen.lastTimestamp = timestamp;
  if (passport.keyframe) {
    seen.keyframes++;
    if (head.width > 0) seen.width = head.width;
    seen.widestWidth = Math.max(seen.widestWidth, head.width);
  }
}

function sourceSeen(player: VideoPlayer, source: number, now: Micros): SourceSeen {
  let seen = player.seen.get(source);
  if (seen === undefined) {
    seen = {
      source,
      frames: 0,
      keyframes: 0,
      firstAt: now,
      lastAt: now,
      lastTimestamp: 0,
      longestGapMicros: 0,
      longestGapAt: 0,
      width: 0,
      widestWidth: 0,
      layerChanges: 0,
      layer: 0,
    };
    player.seen.set(source, seen);
  }
  return seen;
}

/** Moves on to a later frame that can be shown; with `any` also to one that is no keyframe. */
function jump(player: VideoPlayer, any: boolean): boolean {
  for (let index = player.next + 1; index <= player.highest; index++) {
    const view = packetAt(player, index)?.view;
    if (view === undefined || !view.begins || !(view.keyframe || any)) continue;
    if (frameEnd(player, index) < 0) continue;
    player.skipped = true;
    player.framesSkipped++;
    drop(player, index);
    return true;
  }
  return false;
}

function drop(player: VideoPlayer, upTo: number): void {
  dropBelow(player, upTo);
  player.next = upTo;
  player.blockedSince = 0;
}

function giveUpOldest(player: VideoPlayer): void {
  let { oldest } = player;
  while (packetAt(player, oldest) === undefined) oldest++;
  dropBelow(player, oldest + 1);
  player.skipped = true;
  if (player.next >= 0 && player.next <= oldest) player.next = oldest + 1;
}

/* The ring of packets: it spans all numbers from the oldest to the highest, and grows when they are too far apart. */

function packetAt({ packets }: VideoPlayer, index: number): WaitingPacket | undefined {
  const packet = packets[index & (packets.length - 1)];
  return packet !== undefined && packet.index === index ? packet : undefined;
}

function keep(player: VideoPlayer, packet: WaitingPacket): void {
  const { index } = packet;
  if (player.waiting === 0) player.oldest = player.next < 0 ? index : player.next;
  player.oldest = Math.min(player.oldest, index);
  player.highest = Math.max(player.highest, index);
  while (player.highest - player.oldest >= player.packets.length) growRing(player);
  if (packetAt(player, index) === undefined) player.waiting++;
  player.packets[index & (player.packets.length - 1)] = packet;
}

function growRing(player: VideoPlayer): void {
  const before = player.packets;
  const after = new Array<WaitingPacket | undefined>(2 * before.length).fill(undefined);
  for (const packet of before) if (packet !== undefined) after[packet.index & (after.length - 1)] = packet;
  player.packets = after;
}

function dropBelow(player: VideoPlayer, upTo: number): void {
  const { packets } = player;
  const end = Math.min(upTo, player.highest + 1);
  for (let index = player.oldest; index < end; index++) {
    if (packetAt(player, index) === undefined) continue;
    packets[index & (packets.length - 1)] = undefined;
    player.waiting--;
  }
  player.oldest = Math.max(player.oldest, upTo);
}

function complain(player: VideoPlayer, what: string, sentence: string): void {
  if (player.complaints.length < 8) player.complaints.push(`${what}: ${sentence}`);
}
