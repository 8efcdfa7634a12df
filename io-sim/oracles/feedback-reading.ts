/**
 * Reading of the server's RTCP, written apart from the core's and from werift's, so that a shared misreading can't hide.
 *
 * A compound packet is a row of packets with a length each (RFC 3550 §6.4.1, RFC 4585 §6.1). Only what the server sends is
 * read: reports, NACK, PLI, FIR and transport-wide feedback
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1). Everything here has authenticated, so nothing is checked twice.
 */
import { readU16, readU32 } from "./ledger.ts";

/** Packet types. */
export const REPORT = { SENDER: 200, RECEIVER: 201, TRANSPORT: 205, PAYLOAD: 206 } as const;
/** Formats of feedback. */
export const FORMAT = { NACK: 1, PLI: 1, FIR: 4, TRANSPORT_WIDE: 15 } as const;

/** Seconds from 1900 (NTP) to 1970 (Unix). */
const NTP_UNIX_SECONDS = 2_208_988_800;

/**
 * The NTP time at an offset, in microseconds since 1970. NTP seconds begin anew in 2036 (RFC 5905 §6): of the times that are
 * written like this it is the one that is nearest to `near`.
 */
export function readNtpTime(bytes: Uint8Array, at: number, near: number): number {
  const nearSeconds = Math.floor(near / 1_000_000);
  const seconds = nearSeconds + ((readU32(bytes, at) - NTP_UNIX_SECONDS - nearSeconds) | 0);
  return seconds * 1_000_000 + Math.round((readU32(bytes, at + 4) * 1_000_000) / 2 ** 32);
}

/** Calls `read` with the type, the count or format, the offset and the length of each packet of a compound one. */
export function eachPacket(
  bytes: Uint8Array,
  read: (type: number, format: number, at: number, length: number) => void,
): void {
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = 4 * (readU16(bytes, at + 2) + 1);
    read(bytes[at + 1]!, bytes[at]! & 31, at, length);
    at += length;
  }
}

/**
 * What transport-wide feedback says of one packet: its arrival in microseconds of the feedback's own clock, undefined when it
 * is missing. The clock wraps, so that what came before the feedback's first packet may have come before 0.
 */
export interface TransportStatus {
  readonly sequence: number;
  readonly at: number | undefined;
}

/** Reads a transport-wide feedback packet. */
export function readTransportFeedback(bytes: Uint8Array, at: number): TransportStatus[] {
  const base = readU16(bytes, at + 12);
  const count = readU16(bytes, at + 14);
  let clock = (readU32(bytes, at + 16) >>> 8) * 64_000;
  const symbols: number[] = [];
  let next = at + 20;
  for (; symbols.length < count; next += 2) {
    const chunk = readU16(bytes, next);
    if ((chunk & 0x8000) === 0) for (let i = chunk & 0x1fff; i > 0; i--) symbols.push((chunk >> 13) & 3);
    else if ((chunk & 0x4000) === 0) for (let bit = 13; bit >= 0; bit--) symbols.push((chunk >> bit) & 1);
    else for (let bit = 12; bit >= 0; bit -= 2) symbols.push((chunk >> bit) & 3);
  }
  const statuses: TransportStatus[] = [];
  for (let i = 0; i < count; i++) {
    const symbol = symbols[i]!;
    const sequence = (base + i) & 0xffff;
    if (symbol === 0) {
      statuses.push({ sequence, at: undefined });
      continue;
    }
    const delta = symbol === 1 ? bytes[next]! : (readU16(bytes, next) << 16) >> 16;
    next += symbol === 1 ? 1 : 2;
    clock += delta * 250;
    statuses.push({ sequence, at: clock });
  }
  return statuses;
}

/** The sequence numbers that a NACK asks for. */
export function readNack(bytes: Uint8Array, at: number, length: number): number[] {
  const sequences: number[] = [];
  for (let entry = at + 12; entry < at + length; entry += 4) {
    const first = readU16(bytes, entry);
    const more = readU16(bytes, entry + 2);
    sequences.push(first);
    for (let bit = 0; bit < 16; bit++) if ((more >> bit) & 1) sequences.push((first + bit + 1) & 0xffff);
  }
  return sequences;
}

/** The element of a header extension (RFC 8285) with this id, as 16 bits, or -1 when the packet has none. */
export function readExtension16(bytes: Uint8Array, id: number): number {
  if ((bytes[0]! & 0x10) === 0) return -1;
  const block = 12 + 4 * (bytes[0]! & 15);
  const oneByte = readU16(bytes, block) === 0xbede;
  const end = Math.min(bytes.length - 1, block + 4 + 4 * readU16(bytes, block + 2));
  for (let at = block + 4; at < end; ) {
    const lead = bytes[at]!;
    if (lead === 0) {
      at++;
      continue;
    }
    const found = oneByte ? lead >> 4 : lead;
    const length = oneByte ? (lead & 15) + 1 : bytes[at + 1]!;
    const value = at + (oneByte ? 1 : 2);
    if (found === id) return readU16(bytes, value);
    at = value + length;
  }
  return -1;
}
