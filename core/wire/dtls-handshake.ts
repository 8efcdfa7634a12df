/**
 * Handshake messages and their fragments (RFC 6347 §4.2.2).
 *
 *     0      1                  4             6                 9                 12
 *     | type | length (24 bits) | message_seq | fragment_offset | fragment_length | fragment ...
 *
 * A message travels in as many fragments as its sender likes, cut anew in each retransmission. A *message* in this code is
 * always the whole thing as if it had been sent in one fragment, header included: so it enters the transcript hash
 * (RFC 6347 §4.2.6). What the messages say is in dtls-hello.ts and dtls-messages.ts.
 */
import { readU16, readU24, writeU16, writeU24 } from "../base/bytes.ts";

/** Handshake types (RFC 5246 §7.4, RFC 6347 §4.3.2). */
export const HANDSHAKE_TYPE = {
  CLIENT_HELLO: 1,
  SERVER_HELLO: 2,
  HELLO_VERIFY_REQUEST: 3,
  CERTIFICATE: 11,
  SERVER_KEY_EXCHANGE: 12,
  CERTIFICATE_REQUEST: 13,
  SERVER_HELLO_DONE: 14,
  CERTIFICATE_VERIFY: 15,
  CLIENT_KEY_EXCHANGE: 16,
  FINISHED: 20,
} as const;

/** Bytes before the fragment. */
export const HANDSHAKE_HEADER_BYTES = 12;

/** Whether a whole fragment that agrees with itself starts at `offset`, with `length` bytes left in its record. */
export function fragmentCheck(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < HANDSHAKE_HEADER_BYTES || length < fragmentBytes(bytes, offset)) return false;
  return fragmentOffset(bytes, offset) + fragmentLength(bytes, offset) <= messageLength(bytes, offset);
}

/** The {@link HANDSHAKE_TYPE}. */
export function messageType(bytes: Uint8Array, offset: number): number {
  return bytes[offset]!;
}

/** Bytes of the whole message's body, 24 bits. */
export function messageLength(bytes: Uint8Array, offset: number): number {
  return readU24(bytes, offset + 1);
}

/** The number of the message within its sender's handshake. */
export function messageSequence(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset + 4);
}

/** Where in the body the fragment belongs. */
export function fragmentOffset(bytes: Uint8Array, offset: number): number {
  return readU24(bytes, offset + 6);
}

/** Bytes of the fragment's part of the body. */
export function fragmentLength(bytes: Uint8Array, offset: number): number {
  return readU24(bytes, offset + 9);
}

/** Bytes of the fragment with its header. */
export function fragmentBytes(bytes: Uint8Array, offset: number): number {
  return HANDSHAKE_HEADER_BYTES + fragmentLength(bytes, offset);
}

/** Writes the header of a fragment. */
export function fragmentWriteHeader(
  bytes: Uint8Array,
  offset: number,
  type: number,
  bodyLength: number,
  sequence: number,
  partOffset: number,
  partLength: number,
): void {
  bytes[offset] = type;
  writeU24(bytes, offset + 1, bodyLength);
  writeU16(bytes, offset + 4, sequence);
  writeU24(bytes, offset + 6, partOffset);
  writeU24(bytes, offset + 9, partLength);
}

/** A whole message in a buffer of its own, made of its body. */
export function encodeMessage(type: number, sequence: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(HANDSHAKE_HEADER_BYTES + body.length);
  fragmentWriteHeader(message, 0, type, body.length, sequence, 0, body.length);
  message.set(body, HANDSHAKE_HEADER_BYTES);
  return message;
}

/** A copy of the body of a whole message. */
export function messageBody(message: Uint8Array): Uint8Array {
  return message.slice(HANDSHAKE_HEADER_BYTES);
}
