/**
 * H.264 in RTP (RFC 6184 §5): NAL units, one in a packet, several in a packet, or one over several packets.
 *
 *      0 1 2 3 4 5 6 7
 *     |F|NRI|  type   |   1-23: this is the NAL unit itself
 *                         24:   STAP-A, then 16-bit length and NAL unit, repeated (§5.7.1)
 *                         28:   FU-A, then |S|E|R| type | and a fragment (§5.8)
 *
 * There is no picture id and no mark for the first packet of a picture; a new timestamp is that mark. A keyframe is an SPS, a
 * PPS and IDR slices, spread over one or more packets, and begins with its SPS: who starts at an IDR slice behind it decodes
 * with no parameters, or worse, with those of another stream. WebRTC has the parameters in the stream (RFC 7742 §6.2).
 * STAP-B, MTAP and FU-B belong to the interleaved mode, which WebRTC does not use.
 */
import { copyBytes, readU16 } from "../base/bytes.ts";
import {
  type BitReader,
  createBitReader,
  readBit,
  readBits,
  readExpGolomb,
  readSignedExpGolomb,
  skipBits,
} from "./bits.ts";

/** NAL unit types that matter here (H.264 table 7-1, RFC 6184 §5.2). */
export const H264_NAL = { SLICE: 1, IDR: 5, SEI: 6, SPS: 7, PPS: 8, STAP_A: 24, FU_A: 28 } as const;

const TYPE_BITS = 0x1f;
const FU_START_BIT = 0x80;
/** No SPS is longer: VUI and scaling lists with it stay far below. */
const SPS_BYTES_MAX = 512;
/** Scaling lists, in profiles that have them: 6 of 16 numbers and 2 or 6 of 64. */
const SCALING_LIST_SMALL_COUNT = 6;
const CHROMA_444 = 3;
const REFERENCE_CYCLE_MAX = 255;

/** Whether a keyframe's SPS begins in this payload: alone, in a STAP-A, or in the first fragment of an FU-A. */
export function h264IsKeyframe(bytes: Uint8Array, offset: number, length: number): boolean {
  return h264FindNal(bytes, offset, length, H264_NAL.SPS) >= 0;
}

/** Width << 16 | height as the SPS in this payload says; 0 when there is none or it can't be read (H.264 §7.3.2.1.1). */
export function h264FrameSize(bytes: Uint8Array, offset: number, length: number): number {
  const at = h264FindSps(bytes, offset, length);
  if (at < 0) return 0;
  const isAggregate = (bytes[offset]! & TYPE_BITS) === H264_NAL.STAP_A;
  const nalLength = isAggregate ? readU16(bytes, at - 2) : length;
  return spsSize(withoutEmulation(bytes, at + 1, Math.min(nalLength - 1, SPS_BYTES_MAX)));
}

/**
 * Where a NAL unit of this type begins in the payload, as an index into `bytes`, or -1: for a single NAL unit and in a
 * STAP-A its header byte, for the first fragment of an FU-A the FU header.
 */
export function h264FindNal(bytes: Uint8Array, offset: number, length: number, type: number): number {
  if (length < 2) return -1;
  const packetType = bytes[offset]! & TYPE_BITS;
  if (packetType === H264_NAL.FU_A) {
    const header = bytes[offset + 1]!;
    return (header & FU_START_BIT) !== 0 && (header & TYPE_BITS) === type ? offset + 1 : -1;
  }
  if (packetType !== H264_NAL.STAP_A) return packetType === type ? offset : -1;
  const end = offset + length;
  let at = offset + 1;
  while (at + 2 < end) {
    const nalLength = readU16(bytes, at);
    if (nalLength === 0 || at + 2 + nalLength > end) return -1;
    if ((bytes[at + 2]! & TYPE_BITS) === type) return at + 2;
    at += 2 + nalLength;
  }
  return -1;
}

/**
 * Writes into `target` at `to` what this file reads of a payload, with zeros for the rest in between, and answers how many
 * bytes that is: the headers of NAL units, and of an SPS what its size may need.
 */
export function h264CopyHead(
  bytes: Uint8Array,
  offset: number,
  length: number,
  target: Uint8Array,
  to: number,
): number {
  if (length < 2) return 0;
  const packetType = bytes[offset]! & TYPE_BITS;
  if (packetType !== H264_NAL.STAP_A) {
    const sps = packetType === H264_NAL.SPS ? Math.min(length, 1 + SPS_BYTES_MAX) : 1;
    const head = packetType === H264_NAL.FU_A ? 2 : sps;
    copyBytes(bytes, offset, target, to, head);
    return head;
  }
  target[to] = bytes[offset]!;
  let written = 1;
  for (let at = 1; at + 2 < length; ) {
    const nalLength = readU16(bytes, offset + at);
    const end = at + 2 + nalLength;
    const isSps = (bytes[offset + at + 2]! & TYPE_BITS) === H264_NAL.SPS && nalLength > 0 && end <= length;
    target.fill(0, to + written, to + at);
    written = at + 2 + (isSps ? Math.min(nalLength, 1 + SPS_BYTES_MAX) : 1);
    copyBytes(bytes, offset + at, target, to + at, written - at);
    if (nalLength === 0) break;
    at = end;
  }
  return written;
}

function h264FindSps(bytes: Uint8Array, offset: number, length: number): number {
  if (length < 2 || (bytes[offset]! & TYPE_BITS) === H264_NAL.FU_A) return -1;
  return h264FindNal(bytes, offset, length, H264_NAL.SPS);
}

/** A copy without the emulation prevention bytes: 00 00 03 stands for 00 00 (H.264 §7.4.1). */
function withoutEmulation(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const plain = new Uint8Array(Math.max(0, length));
  let size = 0;
  let zeros = 0;
  for (let i = 0; i < length; i++) {
    const byte = bytes[offset + i]!;
    const isPrevention = zeros >= 2 && byte === 3;
    if (!isPrevention) plain[size++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return plain.slice(0, size);
}

/** The size that a sequence parameter set, without its NAL header, describes: macroblocks less the cropped border. */
function spsSize(sps: Uint8Array): number {
  const reader = createBitReader(sps, 0, sps.length);
  const profile = readBits(reader, 8);
  skipBits(reader, 16);
  readExpGolomb(reader);
  const chroma = hasChromaFormat(profile) ? readChromaFormat(reader) : 1;
  readExpGolomb(reader);
  skipPictureOrder(reader);
  readExpGolomb(reader);
  skipBits(reader, 1);
  const widthUnits = readExpGolomb(reader) + 1;
  const heightUnits = readExpGolomb(reader) + 1;
  const framesOnly = readBit(reader);
  if (framesOnly === 0) skipBits(reader, 1);
  skipBits(reader, 1);
  let width = 16 * widthUnits;
  let height = 16 * heightUnits * (2 - framesOnly);
  if (readBit(reader) === 1) {
    const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
    const unitY = (chroma === 1 ? 2 : 1) * (2 - framesOnly);
    width -= unitX * (readExpGolomb(reader) + readExpGolomb(reader));
    height -= unitY * (readExpGolomb(reader) + readExpGolomb(reader));
  }
  const isReadable = !reader.overrun && width > 0 && height > 0 && width <= 0x7fff && height <= 0xffff;
  return isReadable ? (width << 16) | height : 0;
}

/** Whether chroma format and scaling lists stand in the SPS of this profile_idc. */
function hasChromaFormat(profile: number): boolean {
  switch (profile) {
    case 44:
    case 83:
    case 86:
    case 100:
    case 110:
    case 118:
    case 122:
    case 128:
    case 134:
    case 135:
    case 138:
    case 139:
    case 244:
      return true;
    default:
      return false;
  }
}

function readChromaFormat(reader: BitReader): number {
  const chroma = readExpGolomb(reader);
  const isSeparate = chroma === CHROMA_444 && readBit(reader) === 1;
  readExpGolomb(reader);
  readExpGolomb(reader);
  skipBits(reader, 1);
  if (readBit(reader) === 1) {
    const lists = chroma === CHROMA_444 ? 12 : 8;
    for (let i = 0; i < lists; i++) {
      if (readBit(reader) === 1) skipScalingList(reader, i < SCALING_LIST_SMALL_COUNT ? 16 : 64);
    }
  }
  return isSeparate ? 0 : chroma;
}

/** Goes over `scaling_list()`, H.264 §7.3.2.1.1.1: a difference per number until the next one would be 0. */
function skipScalingList(reader: BitReader, count: number): void {
  let last = 8;
  for (let i = 0; i < count && !reader.overrun; i++) {
    const next = (((last + readSignedExpGolomb(reader)) % 256) + 256) % 256;
    if (next === 0) return;
    last = next;
  }
}

function skipPictureOrder(reader: BitReader): void {
  const type = readExpGolomb(reader);
  if (type === 0) readExpGolomb(reader);
  if (type !== 1) return;
  skipBits(reader, 1);
  readExpGolomb(reader);
  readExpGolomb(reader);
  const cycle = Math.min(readExpGolomb(reader), REFERENCE_CYCLE_MAX);
  for (let i = 0; i < cycle && !reader.overrun; i++) readExpGolomb(reader);
}
