/**
 * RTP packets as the simulated client thinks of them: plain records, written and read by hand (RFC 3550 §5.1).
 *
 * In worlds with real SRTP `werift-rtp` writes and reads the headers instead, and a test compares the two.
 */
import { readI32, readU16, writeU16, writeU32 } from "../../core/base/bytes.ts";

/** A payload where it lies: `bytes` from `at` on, up to `end`. A view of its own for each packet would cost too much. */
export interface Payload {
  readonly bytes: Uint8Array;
  /** The same bytes in words of the machine, where they are at hand. */
  readonly words: Int32Array | undefined;
  at: number;
  readonly end: number;
}

/** What the client reads of an RTP packet. Timestamp and SSRC are signed numbers: larger ones are objects for V8. */
export interface ReadRtp extends Payload {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/** A packet that the client writes, with one-byte header extensions (RFC 8285 §4.2). */
export interface WrittenRtp {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payload: Uint8Array;
  extensions: readonly { readonly id: number; readonly payload: Uint8Array }[];
  /** Whether the payload ends in padding, whose last byte says how much (RFC 3550 §5.1). */
  padded?: boolean;
}

/** Where the payload of a plain or sealed packet begins, or -1 when the header is cut off. */
export function payloadOffset(bytes: Uint8Array): number {
  if (bytes.length < 12) return -1;
  const csrcs = 12 + 4 * (bytes[0]! & 15);
  if ((bytes[0]! & 0x10) === 0) return csrcs <= bytes.length ? csrcs : -1;
  if (csrcs + 4 > bytes.length) return -1;
  const end = csrcs + 4 + 4 * readU16(bytes, csrcs + 2);
  return end <= bytes.length ? end : -1;
}

/** The whole packet in the clear. */
export function plainRtp(packet: WrittenRtp): Uint8Array {
  const length = rtpHeaderLength(packet);
  const bytes = new Uint8Array(length + packet.payload.length);
  writeRtpHeader(packet, bytes, length);
  bytes.set(packet.payload, length);
  return bytes;
}

/** Bytes of the header: the fixed part, and the extensions padded to whole words. */
export function rtpHeaderLength(packet: WrittenRtp): number {
  let length = 0;
  for (const { payload } of packet.extensions) length += 1 + payload.length;
  return length === 0 ? 12 : 16 + 4 * Math.ceil(length / 4);
}

/** Writes the header (RFC 3550 §5.1) with one-byte extensions (RFC 8285 §4.2); what pads them is zero already. */
export function writeRtpHeader(packet: WrittenRtp, bytes: Uint8Array, length: number): void {
  bytes[0] = 0x80 | (packet.padded === true ? 0x20 : 0) | (length > 12 ? 0x10 : 0);
  bytes[1] = (packet.marker ? 0x80 : 0) | packet.payloadType;
  writeU16(bytes, 2, packet.sequence);
  writeU32(bytes, 4, packet.timestamp);
  writeU32(bytes, 8, packet.ssrc);
  if (length === 12) return;
  writeU16(bytes, 12, 0xbede);
  writeU16(bytes, 14, (length - 16) / 4);
  let at = 16;
  for (const { id, payload } of packet.extensions) {
    bytes[at] = (id << 4) | (payload.length - 1);
    for (let i = 0; i < payload.length; i++) bytes[at + 1 + i] = payload[i]!;
    at += 1 + payload.length;
  }
}

/** Reads the fixed header and finds the payload (RFC 3550 §5.1); the packet was long enough to be opened. */
export function readRtp(plain: Uint8Array): ReadRtp {
  const at = payloadOffset(plain);
  const padding = (plain[0]! & 0x20) === 0 ? 0 : plain[plain.length - 1]!;
  return readFixedHeader(plain, plain, undefined, at, Math.max(at, plain.length - padding));
}

/** Reads the fixed header of a packet whose payload is at hand, wherever that lies. */
export function readFixedHeader(
  header: Uint8Array,
  bytes: Uint8Array,
  words: Int32Array | undefined,
  at: number,
  end: number,
): ReadRtp {
  return {
    payloadType: header[1]! & 0x7f,
    marker: header[1]! >= 0x80,
    sequence: readU16(header, 2),
    timestamp: readI32(header, 4),
    ssrc: readI32(header, 8),
    bytes,
    words,
    at,
    end,
  };
}
