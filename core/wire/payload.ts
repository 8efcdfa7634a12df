/**
 * What the packet path asks of a payload without knowing its codec: does a keyframe begin here, and how large is it?
 *
 * `offset` and `length` say where the payload lies, without RTP header and padding. Whatever is malformed is no keyframe
 * and has no size. Audio has neither. AV1 asks the aggregation header, so it needs no dependency descriptor.
 */
import { av1FrameSize, av1IsKeyframe } from "./av1.ts";
import { CODEC } from "./codec.ts";
import { h264FrameSize, h264IsKeyframe } from "./h264.ts";
import { vp8FrameSize, vp8IsKeyframe } from "./vp8.ts";
import { vp9FrameSize, vp9IsKeyframe } from "./vp9.ts";

/** Whether a keyframe begins in this payload. Cheap: it reads a few bytes and makes nothing. */
export function payloadIsKeyframe(codec: number, bytes: Uint8Array, offset: number, length: number): boolean {
  switch (codec) {
    case CODEC.VP8:
      return vp8IsKeyframe(bytes, offset, length);
    case CODEC.VP9:
      return vp9IsKeyframe(bytes, offset, length);
    case CODEC.H264:
      return h264IsKeyframe(bytes, offset, length);
    case CODEC.AV1:
      return av1IsKeyframe(bytes, offset, length);
    default:
      return false;
  }
}

/**
 * Width << 16 | height of the keyframe that begins in this payload, of its highest spatial layer; 0 when it is unknown. To be
 * asked on keyframes alone: it may parse a sequence header.
 */
export function payloadFrameSize(codec: number, bytes: Uint8Array, offset: number, length: number): number {
  switch (codec) {
    case CODEC.VP8:
      return vp8FrameSize(bytes, offset, length);
    case CODEC.VP9:
      return vp9FrameSize(bytes, offset, length);
    case CODEC.H264:
      return h264FrameSize(bytes, offset, length);
    case CODEC.AV1:
      return av1FrameSize(bytes, offset, length);
    default:
      return 0;
  }
}
