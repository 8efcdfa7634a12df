/**
 * The DTLS 1.2 record layer's outer form (RFC 6347 §4.1): what stands in a datagram, one record after the other.
 *
 *     0      1         3       5                    11       13
 *     | type | version | epoch | sequence (48 bits) | length | body ...
 *
 * In epoch 0 the body is plain. In epoch 1 it is, for AES-128-GCM (RFC 5288 §3), an explicit nonce of 8 bytes, the
 * ciphertext and a tag of 16. The version is read with tolerance: a ClientHello of today's browsers says DTLS 1.0 in the
 * record and 1.2 inside. Alerts are two bytes and live here too. Nothing is decrypted in this file.
 */
import { readU16, readU48, writeU16, writeU48 } from "../base/bytes.ts";

/** Content types (RFC 5246 §6.2.1). */
export const CONTENT_TYPE = { CHANGE_CIPHER_SPEC: 20, ALERT: 21, HANDSHAKE: 22, APPLICATION_DATA: 23 } as const;

/** Version numbers on the wire: the ones' complement of the TLS version, so a newer version has a smaller number. */
export const DTLS_VERSION = { V1_0: 0xfeff, V1_2: 0xfefd } as const;

/** Bytes before the body of a record. */
export const RECORD_HEADER_BYTES = 13;

/** The nonce that goes in front of the ciphertext of a record (RFC 5288 §3). */
export const RECORD_EXPLICIT_NONCE_BYTES = 8;

/** Sequence numbers of an epoch run from 0 to this. */
export const RECORD_SEQUENCE_MAX = 0xffff_ffff_ffff;

/** What {@link recordCheck} answers. */
export const RECORD = {
  /** A whole record of a known type and version; its accessors may be used. */
  OK: 0,
  /** A whole record of another type or version: skip {@link recordBytes}. */
  UNKNOWN: 1,
  /** Too short for what it claims; nothing behind it can be found either. */
  CUT: 2,
} as const;

/** Alert levels (RFC 5246 §7.2). */
export const ALERT_LEVEL = { WARNING: 1, FATAL: 2 } as const;

/** The alert descriptions that Lockstep sends or acts upon (RFC 5246 §7.2). */
export const ALERT = {
  CLOSE_NOTIFY: 0,
  UNEXPECTED_MESSAGE: 10,
  HANDSHAKE_FAILURE: 40,
  BAD_CERTIFICATE: 42,
  ILLEGAL_PARAMETER: 47,
  DECODE_ERROR: 50,
  DECRYPT_ERROR: 51,
  PROTOCOL_VERSION: 70,
  INTERNAL_ERROR: 80,
  UNSUPPORTED_EXTENSION: 110,
} as const;

/** Judges the record that starts at `offset` in a datagram with `length` bytes left; a code of {@link RECORD}. */
export function recordCheck(bytes: Uint8Array, offset: number, length: number): number {
  if (length < RECORD_HEADER_BYTES || length < recordBytes(bytes, offset)) return RECORD.CUT;
  const type = recordType(bytes, offset);
  if (type < CONTENT_TYPE.CHANGE_CIPHER_SPEC || type > CONTENT_TYPE.APPLICATION_DATA) return RECORD.UNKNOWN;
  const version = readU16(bytes, offset + 1);
  return version === DTLS_VERSION.V1_2 || version === DTLS_VERSION.V1_0 ? RECORD.OK : RECORD.UNKNOWN;
}

/** The {@link CONTENT_TYPE}. */
export function recordType(bytes: Uint8Array, offset: number): number {
  return bytes[offset]!;
}

/** How often the keys have changed: 0 before the handshake's end, 1 after. */
export function recordEpoch(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset + 3);
}

/** The number of the record within its epoch, 48 bits. */
export function recordSequence(bytes: Uint8Array, offset: number): number {
  return readU48(bytes, offset + 5);
}

/** Bytes of the body. */
export function recordBodyLength(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset + 11);
}

/** Bytes of the whole record, header included. */
export function recordBytes(bytes: Uint8Array, offset: number): number {
  return RECORD_HEADER_BYTES + recordBodyLength(bytes, offset);
}

/** Writes the 13 bytes before a body of `bodyLength` bytes; the version is DTLS 1.2. */
export function recordWriteHeader(
  bytes: Uint8Array,
  offset: number,
  type: number,
  epoch: number,
  sequence: number,
  bodyLength: number,
): void {
  bytes[offset] = type;
  writeU16(bytes, offset + 1, DTLS_VERSION.V1_2);
  writeU16(bytes, offset + 3, epoch);
  writeU48(bytes, offset + 5, sequence);
  writeU16(bytes, offset + 11, bodyLength);
}
