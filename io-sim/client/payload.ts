/**
 * How frames are cut into RTP payloads and put together again, one codec a section: VP8 (RFC 7741), VP9 (RFC 9628, one
 * layer, non-flexible mode) and H.264 (RFC 6184, packetization-mode 1).
 *
 * The headers are those of a real encoder, as far as anyone between the two ends may look into them; behind the headers
 * lies the frame's body (./frame-body.ts). Written without looking at the server's parsers, so that the two can disagree.
 */
import { concatBytes } from "../../core/base/bytes.ts";
import type { Payload } from "./plain-rtp.ts";

/** Codecs that the synthetic cameras speak. */
export type VideoCodec = "VP8" | "VP9" | "H264";

/** What a codec writes in front of the body. */
export interface FrameHeader {
  readonly keyframe: boolean;
  readonly width: number;
  readonly height: number;
  /** 15 bits. */
  readonly pictureId: number;
  /** 8 bits; counts frames of temporal layer 0. */
  readonly tl0: number;
  readonly temporalLayer: number;
  /** Whether a receiver may move up to this temporal layer here. */
  readonly layerSync: boolean;
}

/** What a receiver reads from one payload. */
export interface PayloadView {
  /** Whether a frame begins here. */
  readonly begins: boolean;
  readonly keyframe: boolean;
  /** -1 when the codec has none. */
  readonly pictureId: number;
  readonly tl0: number;
  readonly temporalLayer: number;
  readonly width: number;
  readonly height: number;
  /** This payload's part of the body lies in `bytes` from `bodyAt` on, up to `end`. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array | undefined;
  readonly bodyAt: number;
  readonly end: number;
}

/** The most bytes of one payload, so that a packet with extensions, RTX and tag stays under 1,200 bytes. */
const PAYLOAD_BYTES_MAX = 1_100;

/** Cuts a frame into payloads, in order; the last one gets the marker bit. */
export function packetise(codec: VideoCodec, header: FrameHeader, body: Uint8Array): Uint8Array[] {
  if (codec === "VP8") return packetiseVp8(header, body);
  if (codec === "VP9") return packetiseVp9(header, body);
  return packetiseH264(header, body);
}

/** Reads one payload, or answers undefined when it makes no sense. */
export function readPayload(codec: VideoCodec, payload: Payload): PayloadView | undefined {
  if (payload.end - payload.at < 2) return undefined;
  if (codec === "VP8") return readVp8(payload);
  if (codec === "VP9") return readVp9(payload);
  return readH264(payload);
}

function pieces(bytes: Uint8Array, room: number): Uint8Array[] {
  const count = Math.max(1, Math.ceil(bytes.length / room));
  const size = Math.ceil(bytes.length / count);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
  return parts;
}

/* VP8: the descriptor has X=1 and I, L, T; the frame tag is RFC 6386 §9.1. */

const VP8_DESCRIPTOR_BYTES = 6;

function packetiseVp8(header: FrameHeader, body: Uint8Array): Uint8Array[] {
  const size = body.length;
  const tag = (header.keyframe ? 0 : 1) | (1 << 4) | (Math.min(size, 0x7ffff) << 5);
  const { width, height } = header;
  const frameHeader = header.keyframe
    ? [tag, tag >> 8, tag >> 16, 0x9d, 0x01, 0x2a, width, width >> 8, height, height >> 8]
    : [tag, tag >> 8, tag >> 16];
  const whole = frameHeader.length + size;
  const count = Math.ceil(whole / PAYLOAD_BYTES_MAX);
  const most = Math.ceil(whole / count);
  // All payloads of a frame lie in one array, as arrays are dear; each begins at a word, as whoever seals it likes it.
  const bytes = new Uint8Array(count * (VP8_DESCRIPTOR_BYTES + 3) + whole);
  const payloads: Uint8Array[] = [];
  let at = 0;
  for (let written = 0; written < size; ) {
    const isFirst = written === 0;
    const begins = (at + 3) & ~3;
    at = begins;
    bytes[at++] = 0x80 | (isFirst ? 0x10 : 0);
    bytes[at++] = 0xe0;
    bytes[at++] = 0x80 | (header.pictureId >> 8);
    bytes[at++] = header.pictureId;
    bytes[at++] = header.tl0;
    bytes[at++] = (header.temporalLayer << 6) | (header.layerSync ? 0x20 : 0);
    if (isFirst) for (const byte of frameHeader) bytes[at++] = byte;
    const part = body.subarray(written, written + most - (isFirst ? frameHeader.length : 0));
    bytes.set(part, at);
    at += part.length;
    written += part.length;
    payloads.push(bytes.subarray(begins, at));
  }
  return payloads;
}

function readVp8({ bytes, words, at: start, end }: Payload): PayloadView | undefined {
  let at = start + 1;
  let pictureId = -1;
  let tl0 = -1;
  let temporalLayer = 0;
  if ((bytes[start]! & 0x80) !== 0) {
    const present = bytes[at++]!;
    if ((present & 0x80) !== 0) {
      const long = (bytes[at]! & 0x80) !== 0;
      pictureId = long ? ((bytes[at]! & 0x7f) << 8) | bytes[at + 1]! : bytes[at]!;
      at += long ? 2 : 1;
    }
    if ((present & 0x40) !== 0) tl0 = bytes[at++]!;
    if ((present & 0x30) !== 0) temporalLayer = bytes[at++]! >> 6;
  }
  if (at >= end) return undefined;
  const begins = (bytes[start]! & 0x17) === 0x10;
  const keyframe = begins && (bytes[at]! & 1) === 0;
  const skip = !begins ? 0 : keyframe ? 10 : 3;
  if (at + skip > end) return undefined;
  const width = keyframe ? bytes[at + 6]! | ((bytes[at + 7]! & 0x3f) << 8) : 0;
  const height = keyframe ? bytes[at + 8]! | ((bytes[at + 9]! & 0x3f) << 8) : 0;
  return { begins, keyframe, pictureId, tl0, temporalLayer, width, height, bytes, words, bodyAt: at + skip, end };
}

/* VP9: I P L F B E V Z, a 15-bit picture id, on keyframes a scalability structure with one size. */

function packetiseVp9(header: FrameHeader, body: Uint8Array): Uint8Array[] {
  const frameHeader = header.keyframe ? [0x82, 0x49, 0x83, 0x42] : [0x86];
  const parts = pieces(concatBytes(Uint8Array.from(frameHeader), body), PAYLOAD_BYTES_MAX);
  return parts.map((part, index) => {
    const begins = index === 0;
    const structure = begins && header.keyframe;
    const flags =
      0x80 |
      (header.keyframe ? 0 : 0x40) |
      (begins ? 0x08 : 0) |
      (index === parts.length - 1 ? 0x04 : 0) |
      (structure ? 0x02 : 0);
    const descriptor = [flags, 0x80 | (header.pictureId >> 8), header.pictureId];
    // N_S=0, Y=1, G=0; then width and height (RFC 9628 §4.2.1).
    if (structure) descriptor.push(0x10, header.width >> 8, header.width, header.height >> 8, header.height);
    return concatBytes(Uint8Array.from(descriptor), part);
  });
}

function readVp9({ bytes, words, at: start, end }: Payload): PayloadView | undefined {
  const flags = bytes[start]!;
  let at = start + 1;
  let pictureId = -1;
  if ((flags & 0x80) !== 0) {
    const long = (bytes[at]! & 0x80) !== 0;
    pictureId = long ? ((bytes[at]! & 0x7f) << 8) | bytes[at + 1]! : bytes[at]!;
    at += long ? 2 : 1;
  }
  let width = 0;
  let height = 0;
  if ((flags & 0x02) !== 0) {
    if (bytes[at] !== 0x10 || at + 5 > end) return undefined;
    width = (bytes[at + 1]! << 8) | bytes[at + 2]!;
    height = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    at += 5;
  }
  const begins = (flags & 0x08) !== 0;
  const keyframe = begins && (flags & 0x40) === 0;
  at += !begins ? 0 : keyframe ? 4 : 1;
  if (at > end) return undefined;
  return { begins, keyframe, pictureId, tl0: -1, temporalLayer: 0, width, height, bytes, words, bodyAt: at, end };
}

/* H.264: a keyframe is a STAP-A with SPS and PPS and then an IDR slice; slices go as FU-A. */

const NAL = { SLICE: 0x41, IDR: 0x65, SPS: 0x67, PPS: 0x68, STAP_A: 24, FU_A: 28 } as const;

function packetiseH264(header: FrameHeader, body: Uint8Array): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  if (header.keyframe) {
    const sps = sequenceParameterSet(header.width, header.height);
    const pps = Uint8Array.of(NAL.PPS, 0xce, 0x3c, 0x80);
    payloads.push(concatBytes(Uint8Array.of(0x60 | NAL.STAP_A, 0, sps.length), sps, Uint8Array.of(0, pps.length), pps));
  }
  const nal = header.keyframe ? NAL.IDR : NAL.SLICE;
  const parts = pieces(body, PAYLOAD_BYTES_MAX);
  parts.forEach((part, index) => {
    const ends = index === parts.length - 1;
    // A NAL unit that fits is sent alone; a fragment must not be both first and last (RFC 6184 §5.8).
    const head =
      parts.length === 1
        ? [nal]
        : [(nal & 0xe0) | NAL.FU_A, (index === 0 ? 0x80 : 0) | (ends ? 0x40 : 0) | (nal & 0x1f)];
    payloads.push(concatBytes(Uint8Array.from(head), part));
  });
  return payloads;
}

function readH264({ bytes, words, at, end }: Payload): PayloadView | undefined {
  const type = bytes[at]! & 0x1f;
  const view = { pictureId: -1, tl0: -1, temporalLayer: 0, width: 0, height: 0, bytes, words, end };
  if (type === NAL.STAP_A) return { ...view, begins: true, keyframe: true, bodyAt: end };
  if (type === NAL.FU_A) {
    const begins = (bytes[at + 1]! & 0x80) !== 0 && (bytes[at + 1]! & 0x1f) === 1;
    return { ...view, begins, keyframe: false, bodyAt: at + 2 };
  }
  return { ...view, begins: type === 1, keyframe: false, bodyAt: at + 1 };
}

/** A baseline sequence parameter set with the given size (ITU-T H.264 §7.3.2.1.1). Sizes are multiples of 2. */
function sequenceParameterSet(width: number, height: number): Uint8Array {
  const bits: number[] = [];
  const put = (value: number, count: number) => {
    for (let i = count - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  const golomb = (value: number) => {
    const length = 32 - Math.clz32(value + 1);
    put(0, length - 1);
    put(value + 1, length);
  };
  const columns = Math.ceil(width / 16);
  const rows = Math.ceil(height / 16);
  put(0x42e01f, 24);
  golomb(0); // seq_parameter_set_id
  golomb(0); // log2_max_frame_num_minus4
  golomb(2); // pic_order_cnt_type
  golomb(1); // max_num_ref_frames
  put(0, 1); // gaps_in_frame_num_value_allowed_flag
  golomb(columns - 1);
  golomb(rows - 1);
  put(1, 1); // frame_mbs_only_flag
  put(1, 1); // direct_8x8_inference_flag
  const cropRight = (columns * 16 - width) / 2;
  const cropBottom = (rows * 16 - height) / 2;
  put(cropRight + cropBottom > 0 ? 1 : 0, 1);
  if (cropRight + cropBottom > 0) for (const crop of [0, cropRight, 0, cropBottom]) golomb(crop);
  put(0, 1); // vui_parameters_present_flag
  put(1, 1); // rbsp_stop_one_bit
  const bytes = new Uint8Array(1 + Math.ceil(bits.length / 8));
  bytes[0] = NAL.SPS;
  for (let i = 0; i < bits.length; i++) bytes[1 + (i >> 3)] = bytes[1 + (i >> 3)]! | (bits[i]! << (7 - (i & 7)));
  return bytes;
}
