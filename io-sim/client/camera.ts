/**
 * A camera and a microphone that never existed.
 *
 * The camera hands over one frame per layer at each picture: a keyframe when one was asked for, otherwise a frame that
 * refers to an earlier one as L1T3 does (0 2 1 2, RFC 7741 §4.2), so that a forwarder may drop the upper temporal layers.
 * Frame sizes follow the layer's bit rate with keyframes five times as large. The microphone hands over 20 ms of "Opus"
 * with a level. All of it is plain state, stepped by the publisher.
 */
import type { Stream } from "../base/random.ts";
import { below } from "../base/random.ts";
import { BODY_BYTES_MIN, type FramePassport, NO_REFERENCE, writeBody } from "./frame-body.ts";
import { type FrameHeader, packetise, type VideoCodec } from "./payload.ts";

/** One layer of a camera. */
export interface LayerPlan {
  /** The RID (RFC 8851), or "" when there is only one layer. */
  readonly rid: string;
  readonly width: number;
  readonly height: number;
  readonly rateBps: number;
}

/** The state of one layer's encoder. */
export interface LayerEncoder {
  readonly source: number;
  readonly layer: number;
  readonly codec: VideoCodec;
  readonly plan: LayerPlan;
  readonly framesPerSecond: number;
  readonly stream: Stream;
  frame: number;
  pictureId: number;
  tl0: number;
  /** Place in the pattern 0 2 1 2, counted from the last keyframe. */
  phase: number;
  lastBase: number;
  lastMiddle: number;
  keyframeWanted: boolean;
  keyframes: number;
  /** Of the newest frame. */
  passport: FramePassport;
}

/** An encoder whose first frame is a keyframe. Picture ids begin near their wrap when `nearWrap` is set. */
export function createLayerEncoder(
  source: number,
  layer: number,
  codec: VideoCodec,
  plan: LayerPlan,
  framesPerSecond: number,
  stream: Stream,
  nearWrap: boolean,
): LayerEncoder {
  // Drawn in any case, so that the frames are the same near the wrap and far from it.
  const [pictureId, tl0] = [below(stream, 0x8000), below(stream, 0x100)];
  return {
    source,
    layer,
    codec,
    plan,
    framesPerSecond,
    stream,
    frame: 0,
    pictureId: nearWrap ? 0x7fff - 40 : pictureId,
    tl0: nearWrap ? 0xff - 10 : tl0,
    phase: 0,
    lastBase: NO_REFERENCE,
    lastMiddle: NO_REFERENCE,
    keyframeWanted: true,
    keyframes: 0,
    passport: { source, layer, keyframe: false, frame: 0, reference: NO_REFERENCE },
  };
}

/** The next frame, as payloads in order; frames are so much larger (or smaller) than the bit rate explains. */
export function encodeFrame(encoder: LayerEncoder, scalePercent = 100): Uint8Array[] {
  const keyframe = encoder.keyframeWanted;
  encoder.keyframeWanted = false;
  if (keyframe) {
    encoder.phase = 0;
    encoder.keyframes++;
  }
  // Only VP8 is sent with temporal layers here; the others refer to the frame before.
  const layered = encoder.codec === "VP8";
  const temporalLayer = layered ? [0, 2, 1, 2][encoder.phase]! : 0;
  const reference = keyframe ? NO_REFERENCE : encoder.phase === 3 ? encoder.lastMiddle : encoder.lastBase;
  if (temporalLayer === 0) {
    encoder.lastBase = encoder.frame;
    encoder.tl0 = (encoder.tl0 + 1) & 0xff;
  } else if (temporalLayer === 1) encoder.lastMiddle = encoder.frame;
  const passport = { source: encoder.source, layer: encoder.layer, keyframe, frame: encoder.frame, reference };
  encoder.passport = passport;
  const header: FrameHeader = {
    keyframe,
    width: encoder.plan.width,
    height: encoder.plan.height,
    pictureId: encoder.pictureId,
    tl0: encoder.tl0,
    temporalLayer,
    layerSync: encoder.phase === 1 || encoder.phase === 2,
  };
  encoder.frame++;
  encoder.pictureId = (encoder.pictureId + 1) & 0x7fff;
  encoder.phase = layered ? (encoder.phase + 1) % 4 : 0;
  return packetise(encoder.codec, header, writeBody(passport, frameSize(encoder, keyframe, scalePercent)));
}

function frameSize(encoder: LayerEncoder, keyframe: boolean, scalePercent: number): number {
  const { plan, framesPerSecond, stream } = encoder;
  if (keyframe) return keyframeBytes(plan, framesPerSecond, scalePercent);
  const mean = meanBytes(plan, framesPerSecond, scalePercent);
  return Math.max(BODY_BYTES_MIN, Math.floor((mean * (75 + below(stream, 51))) / 100));
}

/** The size of each keyframe of a layer, than which no frame of it is larger. */
export function keyframeBytes(plan: LayerPlan, framesPerSecond: number, scalePercent = 100): number {
  return Math.max(BODY_BYTES_MIN, 5 * meanBytes(plan, framesPerSecond, scalePercent));
}

function meanBytes({ rateBps }: LayerPlan, framesPerSecond: number, scalePercent: number): number {
  return Math.floor((rateBps * scalePercent) / (800 * framesPerSecond));
}

/** The state of a microphone. */
export interface Microphone {
  readonly source: number;
  readonly stream: Stream;
  packet: number;
  /** Loudness as -dBov, 0 (loudest) to 127 (RFC 6464). */
  level: number;
  /** Bytes of 20 ms: 60 is 24 kbit/s. */
  readonly bytes: number;
  /** Of the newest piece of sound. */
  passport: FramePassport;
}

/** A microphone that speaks at `level` (-dBov). */
export function createMicrophone(source: number, stream: Stream, level: number): Microphone {
  const passport = { source, layer: 0, keyframe: true, frame: 0, reference: NO_REFERENCE };
  return { source, stream, packet: 0, level, bytes: 60, passport };
}

/** The next 20 ms: a payload that begins with an Opus TOC byte (RFC 6716 §3.1: CELT fullband, 20 ms, one frame). */
export function captureAudio(microphone: Microphone): Uint8Array {
  const passport = { ...microphone.passport, frame: microphone.packet++ };
  microphone.passport = passport;
  const payload = writeBody(passport, microphone.bytes - 1, 1);
  payload[0] = 0xf8;
  return payload;
}
