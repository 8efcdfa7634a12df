/**
 * What the packet path asks of a payload without knowing its codec: does a keyframe begin here, and how large is it?
 *
 * `offset` and `length` say where the payload lies, without RTP header and padding. Whatever is malformed is no keyframe
 * and has no size. Audio has neither. AV1 asks the aggregation header, so it needs no dependency descriptor.
 */
import { copyBytes } from "../base/bytes.ts";
import { av1CopyHead, av1FrameSize, av1IsKeyframe } from "./av1.ts";
import { CODEC } from "./codec.ts";
import { h264CopyHead, h264FrameSize, h264IsKeyframe } from "./h264.ts";
import { vp8DescriptorLength, vp8FrameSize, vp8HeadLength, vp8IsKeyframe } from "./vp8.ts";
import { vp9DescriptorLength, vp9FrameSize, vp9HeadLength, vp9IsKeyframe } from "./vp9.ts";

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

/**
 * The head of a payload: what the functions of this file, and the accessors of payload descriptors, read of it. Writes it
 * into `target` at `to`, where there is room for the whole payload, and answers its length. A payload that is its head, and
 * zeros behind it, gets the same answers; there is no sound and no picture in it.
 */
export function payloadCopyHead(
  codec: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  target: Uint8Array,
  to: number,
): number {
  if (codec === CODEC.H264) return h264CopyHead(bytes, offset, length, target, to);
  if (codec === CODEC.AV1) return av1CopyHead(bytes, offset, length, target, to);
  // A descriptor that can't be read is worth as much as zeros.
  let head = 0;
  if (codec === CODEC.VP8) head = vp8HeadLength(bytes, offset, length);
  if (codec === CODEC.VP9) head = vp9HeadLength(bytes, offset, length);
  copyBytes(bytes, offset, target, to, head);
  return head;
}

/** Bytes of the payload descriptor: 0 where the codec has none, or this payload none that can be read. */
export function payloadDescriptorLength(codec: number, bytes: Uint8Array, offset: number, length: number): number {
  if (codec === CODEC.VP8) return vp8DescriptorLength(bytes, offset, length);
  return codec === CODEC.VP9 ? vp9DescriptorLength(bytes, offset, length) : 0;
}
