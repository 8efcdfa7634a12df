/**
 * VP9 in RTP (RFC 9628 §4.2): a payload descriptor, then a piece of one spatial layer's frame.
 *
 *      0 1 2 3 4 5 6 7
 *     |I|P|L|F|B|E|V|Z|   P: predicted; F: flexible; B, E: a layer frame begins, ends here
 *     |M| picture id  |   if I; 7 bits, or 15 when M is set
 *     |TID  |U|SID  |D|   if L; D: predicted from the spatial layer below
 *     |  TL0PICIDX    |   if L and not F
 *     |P_DIFF       |N|   if F and P; up to three, N: another one follows
 *     | scalability structure, see structureEnd() |   if V
 *
 * All spatial layers of a picture share picture id and timestamp. {@link vp9DescriptorLength} is the check: when it answers
 * more than 0, no accessor can fail. `offset` is always the payload's first byte. Groups of pictures that the structure may
 * describe are walked over, not kept: in browsers' streams each picture says of itself what it needs.
 */
import { readU16, writeU16 } from "../base/bytes.ts";
import { createBitReader, readBit, readBits, skipBits } from "./bits.ts";

const I_BIT = 0x80;
const P_BIT = 0x40;
const L_BIT = 0x20;
const F_BIT = 0x10;
const B_BIT = 0x08;
const E_BIT = 0x04;
const V_BIT = 0x02;
const Z_BIT = 0x01;
const M_BIT = 0x80;
const U_BIT = 0x10;
const D_BIT = 0x01;
const N_BIT = 0x01;
const STRUCTURE_SIZES_BIT = 0x10;
const STRUCTURE_GROUP_BIT = 0x08;

const REFERENCES_MAX = 3;
const SYNC_CODE = 0x49_8342;
const COLOR_SPACE_RGB = 7;
/** The uncompressed header of a keyframe up to its size has 73 bits at most. */
const FRAME_HEADER_BYTES_MAX = 10;

/** Bytes of the descriptor, or 0 when it is cut short, malformed, or nothing stands behind it. */
export function vp9DescriptorLength(bytes: Uint8Array, offset: number, length: number): number {
  if (length < 2) return 0;
  const flags = bytes[offset]!;
  let end = layerOffset(bytes, offset) - offset;
  if ((flags & L_BIT) !== 0) end += (flags & F_BIT) !== 0 ? 1 : 2;
  if ((flags & (F_BIT | P_BIT)) === (F_BIT | P_BIT)) {
    let references = 0;
    do {
      if (end >= length || references === REFERENCES_MAX) return 0;
      references++;
    } while ((bytes[offset + end++]! & N_BIT) !== 0);
  }
  if ((flags & V_BIT) !== 0) end = structureEnd(bytes, offset, end, length);
  return end < length ? end : 0;
}

/** The width of the picture id: 0 when it is absent, 7 or 15 bits. */
export function vp9PictureIdBits(bytes: Uint8Array, offset: number): number {
  if ((bytes[offset]! & I_BIT) === 0) return 0;
  return (bytes[offset + 1]! & M_BIT) !== 0 ? 15 : 7;
}

/** The picture id, or -1 when it is absent. */
export function vp9PictureId(bytes: Uint8Array, offset: number): number {
  const bits = vp9PictureIdBits(bytes, offset);
  if (bits === 0) return -1;
  return bits === 7 ? bytes[offset + 1]! & 0x7f : readU16(bytes, offset + 1) & 0x7fff;
}

/** Puts the low 7 or 15 bits of `pictureId` where the picture id stands; nothing happens when it is absent. */
export function vp9PatchPictureId(bytes: Uint8Array, offset: number, pictureId: number): void {
  const bits = vp9PictureIdBits(bytes, offset);
  if (bits === 7) bytes[offset + 1] = pictureId & 0x7f;
  else if (bits === 15) writeU16(bytes, offset + 1, 0x8000 | (pictureId & 0x7fff));
}

/** Whether the layer frame is predicted from an earlier picture. */
export function vp9IsPredicted(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & P_BIT) !== 0;
}

/** Whether references are listed one by one (flexible mode) rather than by a group of pictures. */
export function vp9IsFlexible(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & F_BIT) !== 0;
}

/** Whether this packet is the first of its layer frame. */
export function vp9StartsFrame(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & B_BIT) !== 0;
}

/** Whether this packet is the last of its layer frame. */
export function vp9EndsFrame(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & E_BIT) !== 0;
}

/** Whether no higher spatial layer refers to this layer frame. */
export function vp9IsNotReferencedAbove(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & Z_BIT) !== 0;
}

/** The spatial layer, 0 to 7; 0 when the descriptor has no layer indices. */
export function vp9SpatialId(bytes: Uint8Array, offset: number): number {
  return hasLayers(bytes, offset) ? (bytes[layerOffset(bytes, offset)]! >> 1) & 7 : 0;
}

/** The temporal layer, 0 to 7; 0 when the descriptor has no layer indices. */
export function vp9TemporalId(bytes: Uint8Array, offset: number): number {
  return hasLayers(bytes, offset) ? bytes[layerOffset(bytes, offset)]! >> 5 : 0;
}

/** Whether a receiver may go up to this picture's temporal layer here. */
export function vp9IsSwitchingUpPoint(bytes: Uint8Array, offset: number): boolean {
  return hasLayers(bytes, offset) && (bytes[layerOffset(bytes, offset)]! & U_BIT) !== 0;
}

/** Whether the layer frame is predicted from the spatial layer below it in the same picture. */
export function vp9IsInterLayerPredicted(bytes: Uint8Array, offset: number): boolean {
  return hasLayers(bytes, offset) && (bytes[layerOffset(bytes, offset)]! & D_BIT) !== 0;
}

/** TL0PICIDX: counts the pictures of temporal layer 0, modulo 256; -1 when it is absent. */
export function vp9Tl0PicIdx(bytes: Uint8Array, offset: number): number {
  if (!hasLayers(bytes, offset) || vp9IsFlexible(bytes, offset)) return -1;
  return bytes[layerOffset(bytes, offset) + 1]!;
}

/** Puts the low 8 bits of `tl0PicIdx` where TL0PICIDX stands; nothing happens when it is absent. */
export function vp9PatchTl0(bytes: Uint8Array, offset: number, tl0PicIdx: number): void {
  if (vp9Tl0PicIdx(bytes, offset) >= 0) bytes[layerOffset(bytes, offset) + 1] = tl0PicIdx;
}

/** Whether a keyframe begins in this payload: the first packet of a picture that is predicted from nothing. */
export function vp9IsKeyframe(bytes: Uint8Array, offset: number, length: number): boolean {
  if (vp9DescriptorLength(bytes, offset, length) === 0) return false;
  return (bytes[offset]! & (P_BIT | B_BIT)) === B_BIT && vp9SpatialId(bytes, offset) === 0;
}

/**
 * Width << 16 | height of the keyframe that begins in this payload: of the highest layer when the scalability structure
 * names sizes, else what the frame's own header says (VP9 bitstream §6.2); 0 when neither tells.
 */
export function vp9FrameSize(bytes: Uint8Array, offset: number, length: number): number {
  if (!vp9IsKeyframe(bytes, offset, length)) return 0;
  const descriptor = vp9DescriptorLength(bytes, offset, length);
  if ((bytes[offset]! & V_BIT) !== 0) {
    // A keyframe is not predicted, so the structure stands right behind the layer indices.
    const structure = layerOffset(bytes, offset) + layerBytes(bytes, offset);
    const head = bytes[structure]!;
    const highest = structure + 1 + 4 * (head >> 5);
    if ((head & STRUCTURE_SIZES_BIT) !== 0) return packedSize(readU16(bytes, highest), readU16(bytes, highest + 2));
  }
  return uncompressedHeaderSize(bytes, offset + descriptor, length - descriptor);
}

/** How many bytes from the payload's first on this file reads: nothing of the picture but its size. */
export function vp9HeadLength(bytes: Uint8Array, offset: number, length: number): number {
  const descriptor = vp9DescriptorLength(bytes, offset, length);
  if (descriptor === 0 || !vp9IsKeyframe(bytes, offset, length)) return descriptor;
  return Math.min(length, descriptor + FRAME_HEADER_BYTES_MAX);
}

/**
 * Where the scalability structure at `start` ends, both counted from `offset`; `length` when it is cut short.
 *
 *     | N_S |Y|G| RES |   layers less one; Y: sizes follow, G: a group of pictures follows
 *     | width, height |   16 bits each, per layer
 *     |     N_G       |   pictures in the group
 *     |TID  |U| R |RES|   per picture, then R bytes of P_DIFF
 */
function structureEnd(bytes: Uint8Array, offset: number, start: number, length: number): number {
  if (start >= length) return length;
  const head = bytes[offset + start]!;
  let end = start + 1;
  if ((head & STRUCTURE_SIZES_BIT) !== 0) end += 4 * ((head >> 5) + 1);
  if ((head & STRUCTURE_GROUP_BIT) === 0) return Math.min(end, length);
  if (end >= length) return length;
  let pictures = bytes[offset + end++]!;
  while (pictures-- > 0) {
    if (end >= length) return length;
    end += 1 + ((bytes[offset + end]! >> 2) & 3);
  }
  return Math.min(end, length);
}

function uncompressedHeaderSize(bytes: Uint8Array, offset: number, length: number): number {
  const reader = createBitReader(bytes, offset, length);
  if (readBits(reader, 2) !== 2) return 0;
  const profile = readBit(reader) + 2 * readBit(reader);
  if (profile === 3) skipBits(reader, 1);
  const showsExisting = readBit(reader);
  const isNotKeyframe = readBit(reader);
  if (showsExisting === 1 || isNotKeyframe === 1) return 0;
  skipBits(reader, 2);
  if (readBits(reader, 24) !== SYNC_CODE) return 0;
  if (profile >= 2) skipBits(reader, 1);
  const subsampled = profile === 1 || profile === 3;
  if (readBits(reader, 3) === COLOR_SPACE_RGB) skipBits(reader, subsampled ? 1 : 0);
  else skipBits(reader, subsampled ? 4 : 1);
  const width = readBits(reader, 16) + 1;
  const height = readBits(reader, 16) + 1;
  return reader.overrun ? 0 : packedSize(width, height);
}

/** A size of 32768 or more would not fit a positive 32-bit number, and is none that a browser sends. */
function packedSize(width: number, height: number): number {
  return width < 1 || height < 1 || width > 0x7fff || height > 0xffff ? 0 : (width << 16) | height;
}

function hasLayers(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & L_BIT) !== 0;
}

function layerOffset(bytes: Uint8Array, offset: number): number {
  return offset + 1 + ((vp9PictureIdBits(bytes, offset) + 1) >> 3);
}

function layerBytes(bytes: Uint8Array, offset: number): number {
  if (!hasLayers(bytes, offset)) return 0;
  return vp9IsFlexible(bytes, offset) ? 1 : 2;
}
