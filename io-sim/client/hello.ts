/**
 * ClientHellos as browsers send them: in two datagrams, split where it pleases them, now and then in the wrong order.
 *
 * The client's DTLS is the core's, whose ClientHello fits one datagram. Here its only fragment becomes two (RFC 6347
 * §4.2.3), and all unencrypted records are numbered anew so that no two have one number. Nobody has authenticated those
 * numbers, and the handshake's hash is over whole messages (RFC 6347 §4.2.6).
 */
import { concatBytes, readU16, writeU16 } from "../../core/base/bytes.ts";
import { between, chance, type Stream } from "../base/random.ts";

const RECORD_HEADER = 13;
const HANDSHAKE_HEADER = 12;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;

/** How often the second half comes first, in millionths. */
const SWAPPED_PPM = 250_000;

/** The datagrams that are sent in place of this one. */
export function asBrowsersSend(datagram: Uint8Array, random: Stream): Uint8Array[] {
  const bytes = datagram.slice();
  for (let at = 0; at + RECORD_HEADER <= bytes.length; at += RECORD_HEADER + readU16(bytes, at + 11)) {
    if (readU16(bytes, at + 3) === 0) doubleNumber(bytes, at);
  }
  const isHello = bytes[0] === HANDSHAKE && readU16(bytes, 3) === 0 && bytes[RECORD_HEADER] === CLIENT_HELLO;
  const bodyLength = bytes.length - RECORD_HEADER - HANDSHAKE_HEADER;
  if (!isHello || bodyLength < 2) return [bytes];
  const split = between(random, 1, bodyLength - 1);
  const halves = [fragment(bytes, 0, split, 0), fragment(bytes, split, bodyLength - split, 1)];
  return chance(random, SWAPPED_PPM) ? halves.reverse() : halves;
}

/** The low 32 bits are enough: nobody sends a billion records before the keys are there. */
function doubleNumber(bytes: Uint8Array, at: number): void {
  const number = 2 * (readU16(bytes, at + 7) * 0x1_0000 + readU16(bytes, at + 9));
  writeU16(bytes, at + 7, Math.floor(number / 0x1_0000));
  writeU16(bytes, at + 9, number % 0x1_0000);
}

/** A record with `length` bytes of the message from `offset` on; its number is `more` above the original's. */
function fragment(bytes: Uint8Array, offset: number, length: number, more: number): Uint8Array {
  const head = bytes.slice(0, RECORD_HEADER + HANDSHAKE_HEADER);
  writeU16(head, 9, readU16(head, 9) + more);
  writeU16(head, 11, HANDSHAKE_HEADER + length);
  writeU24(head, RECORD_HEADER + 6, offset);
  writeU24(head, RECORD_HEADER + 9, length);
  const from = RECORD_HEADER + HANDSHAKE_HEADER + offset;
  return concatBytes(head, bytes.slice(from, from + length));
}

function writeU24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 16;
  writeU16(bytes, at + 1, value & 0xffff);
}
