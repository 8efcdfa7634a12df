/**
 * Reads what one Chromium 156 sent in 20 seconds, decrypted: an audio and a video m-line each.
 *
 * A capture is a row of records, big-endian: u32 microseconds since the first packet, u16 kind (1 is RTP), u16 length, then
 * the packet. All captures were made with the offer whose header extension ids stand below.
 */
import { readFileSync } from "node:fs";
import { HEADER_EXTENSION } from "../../../core/wire/header-extensions.ts";

/** The names of the captures, without what they share. */
export const CAPTURES = ["vp8-simulcast", "h264-simulcast", "vp9-svc", "av1-svc"] as const;

export interface CapturedPacket {
  micros: number;
  bytes: Uint8Array;
}

/** All RTP packets of a capture, in order of sending. */
export function readCapture(name: (typeof CAPTURES)[number]): CapturedPacket[] {
  const path = new URL(`../../fixtures/captures/chromium-156-${name}.rtp`, import.meta.url);
  const file = new Uint8Array(readFileSync(path));
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const packets: CapturedPacket[] = [];
  let at = 0;
  while (at < file.length) {
    const length = view.getUint16(at + 6);
    if (view.getUint16(at + 4) === 1) {
      packets.push({ micros: view.getUint32(at), bytes: file.slice(at + 8, at + 8 + length) });
    }
    at += 8 + length;
  }
  return packets;
}

/** Extension ids of the offer that the captures belong to: kind to id, the same on both m-lines where both have the kind. */
export const CAPTURE_EXTENSION_IDS: Readonly<Record<number, number>> = {
  [HEADER_EXTENSION.AUDIO_LEVEL]: 1,
  [HEADER_EXTENSION.ABS_SEND_TIME]: 2,
  [HEADER_EXTENSION.TRANSPORT_CC]: 3,
  [HEADER_EXTENSION.MID]: 4,
  [HEADER_EXTENSION.PLAYOUT_DELAY]: 5,
  [HEADER_EXTENSION.VIDEO_CONTENT_TYPE]: 6,
  [HEADER_EXTENSION.VIDEO_TIMING]: 7,
  [HEADER_EXTENSION.COLOR_SPACE]: 8,
  [HEADER_EXTENSION.VIDEO_LAYERS_ALLOCATION]: 9,
  [HEADER_EXTENSION.RID]: 10,
  [HEADER_EXTENSION.REPAIRED_RID]: 11,
  [HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR]: 12,
  [HEADER_EXTENSION.VIDEO_ORIENTATION]: 13,
  [HEADER_EXTENSION.TRANSMISSION_OFFSET]: 14,
};
