/**
 * What the load's publishers send: VP8 or Opus packets of equal size, with a stamp in each that says who sent it, as which
 * packet, and when.
 *
 *     RTP header | extensions | VP8 descriptor and frame tag (video) | publisher:32 | ordinal:32 | sent at:64 | ...
 *
 * Only what an SFU looks at is real. About thirty pictures a second, of eight packets at most; a picture in sixty is a
 * keyframe, and so is the next one when somebody asks.
 */
import { readU32, writeU16, writeU32 } from "../../core/base/bytes.ts";
import { AEAD_TAG_BYTES, LIMITS } from "../../core/index.ts";
import { rtpSetExtension, rtpWriteHeader } from "../../core/wire/rtp.ts";
import { EXTENSION_ID, PAYLOAD_TYPE } from "../../io-sim/client/offer.ts";
import type { StreamPlan } from "./messages.ts";

/** Bytes of the header with its extension block: mid and transport-wide sequence number are those of the offer. */
export const FILM_HEADER_BYTES = 20;
/** Bytes of the payload before the stamp. */
const VIDEO_LEAD_BYTES = 16;
const STAMP_BYTES = 16;

/** The least packet that carries a stamp. */
export const FILM_PACKET_BYTES_MIN = FILM_HEADER_BYTES + VIDEO_LEAD_BYTES + STAMP_BYTES;

/** The longest that fits a datagram with the tag of AES-GCM. */
export const FILM_PACKET_BYTES_MAX = LIMITS.rtpPacketBytesMax - AEAD_TAG_BYTES;

const PICTURES_PER_SECOND = 30;
const PACKETS_PER_PICTURE_MAX = 8;
const PICTURES_PER_KEYFRAME = 60;
const VIDEO_CLOCK_HZ = 90_000;
const AUDIO_CLOCK_HZ = 48_000;
/** Packets of a film of which is remembered when they were sent. A power of two. */
const REMEMBERED = 4_096;
const GOLDEN_RATIO = 0.618_034;

/** The frame tag of RFC 6386 §9.1: a keyframe of 1280 x 720, and a frame between two of them. */
const KEYFRAME_START = Uint8Array.of(0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02);
const FRAME_START = Uint8Array.of(0x11, 0x02, 0x00, 0, 0, 0, 0, 0, 0, 0);

/** A stream in the making. */
export interface Film {
  readonly plan: StreamPlan;
  readonly ssrc: number;
  readonly publisher: number;
  /** Packets written so far. */
  written: number;
  /** Packets that are due and not yet written, in millionths. */
  dueMillionths: number;
  readonly packetsPerPicture: number;
  /** Somebody waits for a keyframe: the next picture is one. */
  keyframeWanted: boolean;
  /** The picture that is being sent is a keyframe. */
  isKeyframe: boolean;
  /** Of the packets that were sent last, by their lower bits: which they are, and when the system got them. */
  readonly sentOrdinals: Int32Array;
  readonly sentMicros: Float64Array;
}

/**
 * A film at its beginning. Cameras do not wait for each other, so each film begins at another part of its packets' interval:
 * the golden ratio spreads any number of them evenly.
 */
export function createFilm(plan: StreamPlan, ssrc: number, publisher: number): Film {
  const part = Math.round(plan.packetsPerSecond / PICTURES_PER_SECOND);
  const packetsPerPicture = Math.min(Math.max(part, 1), PACKETS_PER_PICTURE_MAX);
  const dueMillionths = Math.floor(((publisher * GOLDEN_RATIO + (plan.kind === "audio" ? 0.5 : 0)) % 1) * 1_000_000);
  const start = { written: 0, dueMillionths, keyframeWanted: false, isKeyframe: false };
  const sent = { sentOrdinals: new Int32Array(REMEMBERED).fill(-1), sentMicros: new Float64Array(REMEMBERED) };
  return { plan, ssrc, publisher, packetsPerPicture, ...start, ...sent };
}

/**
 * Remembers when the last `count` packets were handed to the system. They say themselves when they were written, but a
 * generator that is short of a core may have stood still since then, and that is no delay of the server's.
 */
export function filmSent({ written, sentOrdinals, sentMicros }: Film, count: number, micros: number): void {
  for (let ordinal = written - count; ordinal < written; ordinal++) {
    sentOrdinals[ordinal & (REMEMBERED - 1)] = ordinal;
    sentMicros[ordinal & (REMEMBERED - 1)] = micros;
  }
}

/** When a packet was handed to the system; -1 when that is forgotten. */
export function filmSentAt({ sentOrdinals, sentMicros }: Film, ordinal: number): number {
  const at = ordinal & (REMEMBERED - 1);
  return sentOrdinals[at] === ordinal ? sentMicros[at]! : -1;
}

/** What a stamp says. */
export interface Stamp {
  publisher: number;
  ordinal: number;
  sentMicros: number;
}

/** Writes the film's next packet, unsealed, at `offset`; its length is the plan's. */
export function writeFilmPacket(
  film: Film,
  bytes: Uint8Array,
  offset: number,
  transportSequence: number,
  sentMicros: number,
): void {
  const { plan, ssrc, written, packetsPerPicture } = film;
  const isVideo = plan.kind === "video";
  const picture = Math.floor(written / packetsPerPicture);
  const part = written % packetsPerPicture;
  const marker = isVideo ? part === packetsPerPicture - 1 : false;
  const ticks = isVideo
    ? Math.floor((picture * packetsPerPicture * VIDEO_CLOCK_HZ) / plan.packetsPerSecond)
    : Math.floor((written * AUDIO_CLOCK_HZ) / plan.packetsPerSecond);
  const type = isVideo ? PAYLOAD_TYPE.VP8 : PAYLOAD_TYPE.OPUS;
  rtpWriteHeader(bytes, offset, type, marker, written & 0xffff, ticks | 0, ssrc | 0);
  rtpSetExtension(bytes, offset, true);
  writeU16(bytes, offset + 12, 0xbede);
  writeU16(bytes, offset + 14, 1);
  bytes[offset + 16] = (EXTENSION_ID.TRANSPORT_CC << 4) | 1;
  writeU16(bytes, offset + 17, transportSequence & 0xffff);
  bytes[offset + 19] = 0;
  let at = offset + FILM_HEADER_BYTES;
  if (isVideo) {
    if (part === 0) {
      film.isKeyframe = film.keyframeWanted || picture % PICTURES_PER_KEYFRAME === 0;
      film.keyframeWanted = false;
    }
    writeDescriptor(bytes, at, picture, part, film.isKeyframe);
    at += VIDEO_LEAD_BYTES;
  }
  writeU32(bytes, at, film.publisher);
  writeU32(bytes, at + 4, written);
  writeU32(bytes, at + 8, Math.floor(sentMicros / 0x1_0000_0000));
  writeU32(bytes, at + 12, sentMicros % 0x1_0000_0000);
  film.written++;
}

/** Reads the stamp of an open packet's payload into `stamp`; false when it is too short for one. */
export function readStamp(
  bytes: Uint8Array,
  payload: number,
  length: number,
  kind: "audio" | "video",
  stamp: Stamp,
): boolean {
  const lead = kind === "video" ? VIDEO_LEAD_BYTES : 0;
  if (length < lead + STAMP_BYTES) return false;
  const at = payload + lead;
  stamp.publisher = readU32(bytes, at);
  stamp.ordinal = readU32(bytes, at + 4);
  stamp.sentMicros = readU32(bytes, at + 8) * 0x1_0000_0000 + readU32(bytes, at + 12);
  return true;
}

function writeDescriptor(bytes: Uint8Array, at: number, picture: number, part: number, isKeyframe: boolean): void {
  bytes[at] = part === 0 ? 0x90 : 0x80; // X, and S where a picture starts
  bytes[at + 1] = 0xe0; // I, L and T
  bytes[at + 2] = 0x80 | ((picture >> 8) & 0x7f);
  bytes[at + 3] = picture;
  bytes[at + 4] = picture; // TL0PICIDX: every picture is of temporal layer 0
  bytes[at + 5] = 0;
  const start = isKeyframe ? KEYFRAME_START : FRAME_START;
  for (let i = 0; i < start.length; i++) bytes[at + 6 + i] = part === 0 ? start[i]! : 0;
}
