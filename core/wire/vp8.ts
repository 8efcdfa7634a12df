/**
 * VP8 in RTP (RFC 7741 §4): a payload descriptor of 1 to 6 bytes, then a piece of the frame.
 *
 *      0 1 2 3 4 5 6 7
 *     |X|R|N|S|R| PID |   S: a partition begins here; PID: which one
 *     |I|L|T|K|  RSV  |   if X
 *     |M| picture id  |   if I; 7 bits, or 15 when M is set
 *     |  TL0PICIDX    |   if L
 *     |TID|Y| KEYIDX  |   if T or K
 *
 * {@link vp8DescriptorLength} is the check: when it answers more than 0, no accessor can fail. `offset` is always the
 * payload's first byte. The frame begins where partition 0 begins, with a tag whose lowest bit is 0 on keyframes
 * (RFC 6386 §9.1). KEYIDX is not read: browsers don't send it. What is patched keeps its width, so a payload never moves.
 */
import { readU16, writeU16 } from "../base/bytes.ts";

const X_BIT = 0x80;
const N_BIT = 0x20;
const S_BIT = 0x10;
const PARTITION_BITS = 0x07;
const I_BIT = 0x80;
const L_BIT = 0x40;
const T_BIT = 0x20;
const K_BIT = 0x10;
const M_BIT = 0x80;
const Y_BIT = 0x20;

const FRAME_TAG_BYTES = 3;
const KEYFRAME_HEADER_BYTES = 10;

/** Bytes of the descriptor, or 0 when it is cut short or nothing stands behind it. */
export function vp8DescriptorLength(bytes: Uint8Array, offset: number, length: number): number {
  if (length < 2) return 0;
  if ((bytes[offset]! & X_BIT) === 0) return 1;
  const flags = bytes[offset + 1]!;
  let end = 2;
  if ((flags & I_BIT) !== 0) {
    if (length <= end) return 0;
    end += (bytes[offset + end]! & M_BIT) !== 0 ? 2 : 1;
  }
  if ((flags & L_BIT) !== 0) end++;
  if ((flags & (T_BIT | K_BIT)) !== 0) end++;
  return end < length ? end : 0;
}

/** The width of the picture id: 0 when it is absent, 7 or 15 bits. */
export function vp8PictureIdBits(bytes: Uint8Array, offset: number): number {
  if (!hasField(bytes, offset, I_BIT)) return 0;
  return (bytes[offset + 2]! & M_BIT) !== 0 ? 15 : 7;
}

/** The picture id, or -1 when it is absent. */
export function vp8PictureId(bytes: Uint8Array, offset: number): number {
  const bits = vp8PictureIdBits(bytes, offset);
  if (bits === 0) return -1;
  return bits === 7 ? bytes[offset + 2]! & 0x7f : readU16(bytes, offset + 2) & 0x7fff;
}

/** TL0PICIDX: counts the pictures of temporal layer 0, modulo 256; -1 when it is absent. */
export function vp8Tl0PicIdx(bytes: Uint8Array, offset: number): number {
  if (!hasField(bytes, offset, L_BIT)) return -1;
  return bytes[offset + 2 + pictureIdBytes(bytes, offset)]!;
}

/** The temporal layer, 0 to 3, or -1 when it is absent. */
export function vp8TemporalId(bytes: Uint8Array, offset: number): number {
  return hasField(bytes, offset, T_BIT) ? bytes[layerOffset(bytes, offset)]! >> 6 : -1;
}

/** Whether the picture depends on temporal layer 0 alone, so that a receiver may go up to its layer here. */
export function vp8IsLayerSync(bytes: Uint8Array, offset: number): boolean {
  return hasField(bytes, offset, T_BIT) && (bytes[layerOffset(bytes, offset)]! & Y_BIT) !== 0;
}

/** Whether the picture may be left out without harm to any other. */
export function vp8IsDiscardable(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & N_BIT) !== 0;
}

/** Whether this packet is the first of its picture. */
export function vp8StartsFrame(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & (S_BIT | PARTITION_BITS)) === S_BIT;
}

/** Whether a keyframe begins in this payload. */
export function vp8IsKeyframe(bytes: Uint8Array, offset: number, length: number): boolean {
  const descriptor = vp8DescriptorLength(bytes, offset, length);
  return descriptor > 0 && vp8StartsFrame(bytes, offset) && (bytes[offset + descriptor]! & 1) === 0;
}

/** Width << 16 | height of the keyframe that begins in this payload; 0 when none does (RFC 6386 §9.1). */
export function vp8FrameSize(bytes: Uint8Array, offset: number, length: number): number {
  if (!vp8IsKeyframe(bytes, offset, length)) return 0;
  const descriptor = vp8DescriptorLength(bytes, offset, length);
  if (length < descriptor + KEYFRAME_HEADER_BYTES) return 0;
  const at = offset + descriptor + FRAME_TAG_BYTES;
  if (bytes[at] !== 0x9d || bytes[at + 1] !== 0x01 || bytes[at + 2] !== 0x2a) return 0;
  // Little-endian; the upper two bits ask the renderer to scale, which no browser does.
  const width = bytes[at + 3]! | ((bytes[at + 4]! & 0x3f) << 8);
  const height = bytes[at + 5]! | ((bytes[at + 6]! & 0x3f) << 8);
  return width === 0 || height === 0 ? 0 : (width << 16) | height;
}

/** How many bytes from the payload's first on this file reads: nothing of the picture but its size. */
export function vp8HeadLength(bytes: Uint8Array, offset: number, length: number): number {
  const descriptor = vp8DescriptorLength(bytes, offset, length);
  if (descriptor === 0 || !vp8StartsFrame(bytes, offset)) return descriptor;
  const isKeyframe = vp8IsKeyframe(bytes, offset, length);
  return Math.min(length, descriptor + (isKeyframe ? KEYFRAME_HEADER_BYTES : 1));
}

/** Puts the low 7 or 15 bits of `pictureId` where the picture id stands; nothing happens when it is absent. */
export function vp8PatchPictureId(bytes: Uint8Array, offset: number, pictureId: number): void {
  const bits = vp8PictureIdBits(bytes, offset);
  if (bits === 7) bytes[offset + 2] = pictureId & 0x7f;
  else if (bits === 15) writeU16(bytes, offset + 2, 0x8000 | (pictureId & 0x7fff));
}

/** Puts the low 8 bits of `tl0PicIdx` where TL0PICIDX stands; nothing happens when it is absent. */
export function vp8PatchTl0(bytes: Uint8Array, offset: number, tl0PicIdx: number): void {
  if (hasField(bytes, offset, L_BIT)) bytes[offset + 2 + pictureIdBytes(bytes, offset)] = tl0PicIdx;
}

function hasField(bytes: Uint8Array, offset: number, flag: number): boolean {
  return (bytes[offset]! & X_BIT) !== 0 && (bytes[offset + 1]! & flag) !== 0;
}

function pictureIdBytes(bytes: Uint8Array, offset: number): number {
  return (vp8PictureIdBits(bytes, offset) + 1) >> 3;
}

function layerOffset(bytes: Uint8Array, offset: number): number {
  return offset + 2 + pictureIdBytes(bytes, offset) + ((bytes[offset + 1]! & L_BIT) !== 0 ? 1 : 0);
}
