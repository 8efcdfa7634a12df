/** Media packets for tests of the SFU, in the clear. */
import { EXTENSION_ID, PAYLOAD_TYPE } from "./offers.ts";

/** A VP8 packet: a payload descriptor with a 15-bit picture id and TL0PICIDX, a frame header, some bytes. */
export function vp8Packet(options: {
  ssrc: number;
  sequence: number;
  timestamp?: number;
  keyframe?: boolean;
  /** The first packet of its frame (true unless stated). */
  start?: boolean;
  marker?: boolean;
  pictureId?: number;
  tl0?: number;
  width?: number;
  height?: number;
  mid?: string;
  rid?: string;
  transportSequence?: number;
  body?: readonly number[];
}): Uint8Array {
  const { pictureId = 1, tl0 = 1, keyframe = false, start = true, width = 640, height = 360 } = options;
  const payload = [
    0x80 | (start ? 0x10 : 0), // X, S
    0xc0, // I, L
    0x80 | (pictureId >> 8), // M, 15 bits
    pictureId & 0xff,
    tl0 & 0xff,
  ];
  if (start && keyframe) {
    payload.push(0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, width & 0xff, width >> 8, height & 0xff, height >> 8);
  } else if (start) {
    payload.push(0x01, 0x00, 0x00);
  }
  payload.push(...(options.body ?? [1, 2, 3, 4, 5, 6, 7, 8]));
  return rtpPacket({ ...options, payloadType: PAYLOAD_TYPE.VP8, payload });
}

/** An Opus packet with an audio level, 0 (loud) to 127 (silent). */
export function opusPacket(options: {
  ssrc: number;
  sequence: number;
  timestamp?: number;
  level?: number;
  mid?: string;
  body?: readonly number[];
}): Uint8Array {
  const extensions: [number, number[]][] =
    options.level === undefined ? [] : [[EXTENSION_ID.level, [0x80 | options.level]]];
  return rtpPacket({
    ...options,
    payloadType: PAYLOAD_TYPE.opus,
    payload: [0xfc, ...(options.body ?? [1, 2, 3])],
    extensions,
  });
}

/** An RTP packet with one-byte header extensions. */
export function rtpPacket(options: {
  payloadType: number;
  ssrc: number;
  sequence: number;
  timestamp?: number;
  marker?: boolean;
  payload: readonly number[];
  mid?: string;
  rid?: string;
  repairedRid?: string;
  transportSequence?: number;
  extensions?: readonly [number, readonly number[]][];
}): Uint8Array {
  const text = (value: string) => [...value].map((character) => character.charCodeAt(0));
  const elements: [number, readonly number[]][] = [...(options.extensions ?? [])];
  if (options.mid !== undefined) elements.push([EXTENSION_ID.mid, text(options.mid)]);
  if (options.rid !== undefined) elements.push([EXTENSION_ID.rid, text(options.rid)]);
  if (options.repairedRid !== undefined) elements.push([EXTENSION_ID.repairedRid, text(options.repairedRid)]);
  if (options.transportSequence !== undefined) {
    elements.push([EXTENSION_ID.transportCc, [options.transportSequence >> 8, options.transportSequence & 0xff]]);
  }
  const block = elements.flatMap(([id, value]) => [(id << 4) | (value.length - 1), ...value]);
  while (block.length % 4 !== 0) block.push(0);
  const { sequence, timestamp = sequence * 3000, ssrc } = options;
  const u32 = (value: number) => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
  return Uint8Array.from([
    block.length > 0 ? 0x90 : 0x80,
    (options.marker === false ? 0 : 0x80) | options.payloadType,
    (sequence >> 8) & 0xff,
    sequence & 0xff,
    ...u32(timestamp >>> 0),
    ...u32(ssrc),
    ...(block.length > 0 ? [0xbe, 0xde, 0, block.length / 4, ...block] : []),
    ...options.payload,
  ]);
}
