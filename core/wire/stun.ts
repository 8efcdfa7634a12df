/**
 * STUN messages as ICE uses them (RFC 8489, RFC 8445 §7.1, §16.1): a header of 20 bytes, then attributes.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   |0 0|     message type          |         message length        |
 *   |                    magic cookie 0x2112A442                    |
 *   |                  transaction id (96 bits)                     |
 *   |        attribute type         |   length without padding      |  value, padded to 4 bytes; again and again
 *
 * {@link stunCheck} judges a datagram once; every reader below it relies on its answer. The Binding method is all there
 * is: no REALM, no NONCE, no redirects, no SHA-256 integrity, because ICE uses none of them. Both directions are here, the
 * server's answers and the requests that a simulated client makes. SOFTWARE and the like are skipped unread.
 */
import { copyBytes, equalConstantTime, readU16, readU32, writeU16, writeU32 } from "../base/bytes.ts";
import { utf8Encode } from "../base/text.ts";

/** What {@link stunCheck} can find. */
export const STUN = {
  OK: 0,
  /** Shorter than a header, or not whole words. */
  BAD_SIZE: 1,
  /** Not STUN by its first bits or its magic cookie. */
  NOT_STUN: 2,
  /** The length in the header is not the datagram's. */
  BAD_LENGTH: 3,
  /** An attribute runs over the end, or has a size that its type does not allow. */
  BAD_ATTRIBUTE: 4,
} as const;

/** The message types of the Binding method (RFC 8489 §5). */
export const STUN_TYPE = {
  BINDING_REQUEST: 0x0001,
  BINDING_INDICATION: 0x0011,
  BINDING_SUCCESS: 0x0101,
  BINDING_ERROR: 0x0111,
} as const;

/** The attributes that are read or written here (RFC 8489 §18.3, RFC 8445 §20.1). */
export const STUN_ATTRIBUTE = {
  MAPPED_ADDRESS: 0x0001,
  USERNAME: 0x0006,
  MESSAGE_INTEGRITY: 0x0008,
  ERROR_CODE: 0x0009,
  UNKNOWN_ATTRIBUTES: 0x000a,
  XOR_MAPPED_ADDRESS: 0x0020,
  PRIORITY: 0x0024,
  USE_CANDIDATE: 0x0025,
  FINGERPRINT: 0x8028,
  ICE_CONTROLLED: 0x8029,
  ICE_CONTROLLING: 0x802a,
} as const;

/** The error codes that a server sends (RFC 8489 §14.8, RFC 8445 §16.2). */
export const STUN_ERROR = {
  BAD_REQUEST: 400,
  UNAUTHENTICATED: 401,
  UNKNOWN_ATTRIBUTE: 420,
  ROLE_CONFLICT: 487,
} as const;

/** A code of {@link STUN_ERROR}. */
export type StunErrorCode = (typeof STUN_ERROR)[keyof typeof STUN_ERROR];

const HEADER_BYTES = 20;
const ATTRIBUTE_HEADER_BYTES = 4;
const LENGTH_AT = 2;
const MAGIC_COOKIE_AT = 4;
const TRANSACTION_ID_AT = 8;
const TRANSACTION_ID_BYTES = 12;
const MAGIC_COOKIE = 0x2112_a442;
const INTEGRITY_BYTES = 20;
const FINGERPRINT_BYTES = 4;
const FINGERPRINT_MASK = 0x5354_554e;
const USERNAME_BYTES_MAX = 508;
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;
const COLON = 0x3a;

/** Attributes from here on may be ignored by whoever does not know them (RFC 8489 §14). */
const COMPREHENSION_OPTIONAL = 0x8000;

const REASONS: Readonly<Record<StunErrorCode, string>> = {
  400: "Bad Request",
  401: "Unauthenticated",
  420: "Unknown Attribute",
  487: "Role Conflict",
};

const CRC32_TABLE = createCrc32Table();

/** The one thing that STUN asks of cryptography; every `CryptoProvider` is one. */
export interface StunHmac {
  /** HMAC-SHA-1 of a range, into the first 20 bytes of `tag`. */
  hmacSha1(key: Uint8Array, bytes: Uint8Array, offset: number, length: number, tag: Uint8Array): void;
}

/**
 * Judges a datagram: {@link STUN}.OK when it is one whole STUN message whose attributes lie inside it and have the sizes
 * that their types ask for. It says nothing about integrity or FINGERPRINT.
 */
export function stunCheck(bytes: Uint8Array, offset: number, length: number): number {
  if (length < HEADER_BYTES || length % 4 !== 0) return STUN.BAD_SIZE;
  if ((bytes[offset]! & 0xc0) !== 0) return STUN.NOT_STUN;
  if (readU32(bytes, offset + MAGIC_COOKIE_AT) !== MAGIC_COOKIE) return STUN.NOT_STUN;
  if (readU16(bytes, offset + LENGTH_AT) !== length - HEADER_BYTES) return STUN.BAD_LENGTH;
  const end = offset + length;
  let at = offset + HEADER_BYTES;
  while (at < end) {
    const type = readU16(bytes, at);
    const next = nextAttribute(bytes, at);
    if (next > end || !sizeFits(bytes, at, type, readU16(bytes, at + 2))) return STUN.BAD_ATTRIBUTE;
    // Nothing may follow a FINGERPRINT (RFC 8489 §14.7).
    if (type === STUN_ATTRIBUTE.FINGERPRINT && next !== end) return STUN.BAD_ATTRIBUTE;
    at = next;
  }
  return STUN.OK;
}

/** The message type of a checked message, one of {@link STUN_TYPE} or another method's. */
export function stunType(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset);
}

/** Whether a checked message has the transaction id that stands at `idOffset` of `id`. */
export function stunHasTransactionId(bytes: Uint8Array, offset: number, id: Uint8Array, idOffset: number): boolean {
  return equalConstantTime(bytes, offset + TRANSACTION_ID_AT, id, idOffset, TRANSACTION_ID_BYTES);
}

/**
 * Where the first attribute of this type stands in a checked message, or -1. What follows MESSAGE-INTEGRITY is not
 * authenticated and therefore not found, but for FINGERPRINT (RFC 8489 §14.5).
 */
export function stunFindAttribute(bytes: Uint8Array, offset: number, type: number): number {
  const end = endOf(bytes, offset);
  let sealed = false;
  for (let at = offset + HEADER_BYTES; at < end; at = nextAttribute(bytes, at)) {
    const here = readU16(bytes, at);
    if (here === type && (!sealed || type === STUN_ATTRIBUTE.FINGERPRINT)) return at;
    if (here === STUN_ATTRIBUTE.MESSAGE_INTEGRITY) sealed = true;
  }
  return -1;
}

/** The PRIORITY of a checked message (RFC 8445 §7.1.1), or -1 when it has none. */
export function stunPriority(bytes: Uint8Array, offset: number): number {
  const at = stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.PRIORITY);
  return at < 0 ? -1 : readU32(bytes, at + ATTRIBUTE_HEADER_BYTES);
}

/**
 * The local username fragment that a datagram is addressed to: what stands before the colon of USERNAME in a request that
 * we receive (RFC 8445 §7.2.2). `undefined` when the datagram is not STUN, has no USERNAME, or one without a colon or with
 * a byte that no fragment has. Unlike the other readers it checks the message itself.
 */
export function stunLocalUfrag(bytes: Uint8Array, offset: number, length: number): string | undefined {
  if (stunCheck(bytes, offset, length) !== STUN.OK) return undefined;
  const at = stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.USERNAME);
  if (at < 0) return undefined;
  const end = at + ATTRIBUTE_HEADER_BYTES + readU16(bytes, at + 2);
  let text = "";
  for (let i = at + ATTRIBUTE_HEADER_BYTES; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === COLON) return text;
    if (!isIceChar(byte)) return undefined;
    text += String.fromCharCode(byte);
  }
  return undefined;
}

/**
 * The comprehension-required attributes of a checked message that this file does not know, in order, at most `countMax` of
 * them (RFC 8489 §6.3). Attributes behind MESSAGE-INTEGRITY are ignored.
 */
export function stunUnknownAttributes(bytes: Uint8Array, offset: number, countMax: number): number[] {
  const unknown: number[] = [];
  const end = endOf(bytes, offset);
  for (let at = offset + HEADER_BYTES; at < end; at = nextAttribute(bytes, at)) {
    const type = readU16(bytes, at);
    if (type === STUN_ATTRIBUTE.MESSAGE_INTEGRITY || unknown.length >= countMax) break;
    if (type < COMPREHENSION_OPTIONAL && !isKnown(type)) unknown.push(type);
  }
  return unknown;
}

/**
 * Whether a checked message carries a MESSAGE-INTEGRITY that fits `key`, the password's bytes (RFC 8489 §14.5). The HMAC
 * covers a header whose length ends with the attribute, so the length is patched meanwhile and restored.
 */
export function stunIntegrityFits(hmac: StunHmac, key: Uint8Array, bytes: Uint8Array, offset: number): boolean {
  const at = stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.MESSAGE_INTEGRITY);
  if (at < 0) return false;
  const length = readU16(bytes, offset + LENGTH_AT);
  const tag = new Uint8Array(INTEGRITY_BYTES);
  writeU16(bytes, offset + LENGTH_AT, at - offset - HEADER_BYTES + ATTRIBUTE_HEADER_BYTES + INTEGRITY_BYTES);
  hmac.hmacSha1(key, bytes, offset, at - offset, tag);
  writeU16(bytes, offset + LENGTH_AT, length);
  return equalConstantTime(tag, 0, bytes, at + ATTRIBUTE_HEADER_BYTES, INTEGRITY_BYTES);
}

/** Whether a checked message has no FINGERPRINT, or the right one (RFC 8489 §14.7). */
export function stunFingerprintFits(bytes: Uint8Array, offset: number): boolean {
  const at = stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.FINGERPRINT);
  return at < 0 || readU32(bytes, at + ATTRIBUTE_HEADER_BYTES) === fingerprint(bytes, offset, at - offset);
}

/**
 * Reads the XOR-MAPPED-ADDRESS of a checked response into `target`: 4 or 16 bytes of IP and 2 of port, in network order.
 * Answers how many bytes that is (6 or 18), or 0 when there is none.
 */
export function stunReadMappedAddress(bytes: Uint8Array, offset: number, target: Uint8Array): number {
  const at = stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.XOR_MAPPED_ADDRESS);
  if (at < 0) return 0;
  const value = at + ATTRIBUTE_HEADER_BYTES;
  const ipLength = readU16(bytes, at + 2) - 4;
  // The magic cookie and the transaction id behind it are one run of 16 bytes: the mask (RFC 8489 §14.2).
  const mask = offset + MAGIC_COOKIE_AT;
  for (let i = 0; i < ipLength; i++) target[i] = bytes[value + 4 + i]! ^ bytes[mask + i]!;
  target[ipLength] = bytes[value + 2]! ^ bytes[mask]!;
  target[ipLength + 1] = bytes[value + 3]! ^ bytes[mask + 1]!;
  return ipLength + 2;
}

/** The code of a checked error response's ERROR-CODE, 300 to 699, or 0 when there is none (RFC 8489 §14.8). */
export function stunErrorCode(bytes: Uint8Array, offset: number): number {
  const at = stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.ERROR_CODE);
  if (at < 0) return 0;
  const code = (bytes[at + ATTRIBUTE_HEADER_BYTES + 2]! & 7) * 100 + bytes[at + ATTRIBUTE_HEADER_BYTES + 3]!;
  return code >= 300 && code <= 699 ? code : 0;
}

/** A connectivity check, as an ICE agent sends it (RFC 8445 §7.1). */
export interface StunBindingRequest {
  /** 12 unpredictable bytes. */
  readonly transactionId: Uint8Array;
  /** The receiver's username fragment, a colon, the sender's. */
  readonly username: string;
  /** The bytes of the receiver's password. */
  readonly key: Uint8Array;
  /** The priority of a peer-reflexive candidate that the check may bring to light, 32 bits. */
  readonly priority: number;
  /** Whether the sender has the controlling role. */
  readonly controlling: boolean;
  readonly tieBreakerHigh: number;
  readonly tieBreakerLow: number;
  /** Whether the check nominates its pair. */
  readonly useCandidate: boolean;
}

/** Writes a connectivity check with MESSAGE-INTEGRITY and FINGERPRINT at `offset`; answers its length. */
export function stunWriteBindingRequest(
  hmac: StunHmac,
  bytes: Uint8Array,
  offset: number,
  request: StunBindingRequest,
): number {
  let at = writeHeader(bytes, offset, STUN_TYPE.BINDING_REQUEST, request.transactionId, 0);
  const username = utf8Encode(request.username);
  writeAttributeHeader(bytes, at, STUN_ATTRIBUTE.USERNAME, username.length);
  writePadded(bytes, at + ATTRIBUTE_HEADER_BYTES, username);
  at = nextAttribute(bytes, at);
  writeAttributeHeader(bytes, at, STUN_ATTRIBUTE.PRIORITY, 4);
  writeU32(bytes, at + ATTRIBUTE_HEADER_BYTES, request.priority);
  at = nextAttribute(bytes, at);
  const role = request.controlling ? STUN_ATTRIBUTE.ICE_CONTROLLING : STUN_ATTRIBUTE.ICE_CONTROLLED;
  writeAttributeHeader(bytes, at, role, 8);
  writeU32(bytes, at + ATTRIBUTE_HEADER_BYTES, request.tieBreakerHigh);
  writeU32(bytes, at + ATTRIBUTE_HEADER_BYTES + 4, request.tieBreakerLow);
  at = nextAttribute(bytes, at);
  if (request.useCandidate) {
    writeAttributeHeader(bytes, at, STUN_ATTRIBUTE.USE_CANDIDATE, 0);
    at = nextAttribute(bytes, at);
  }
  return finish(hmac, request.key, bytes, offset, at);
}

/**
 * Writes a success response at `offset` to the checked request at `requestOffset` of `request`; answers its length.
 * `address` is where the request came from: 4 or 16 bytes of IP and 2 of port. `key` is the password that the request was
 * authenticated with.
 */
export function stunWriteBindingSuccess(
  hmac: StunHmac,
  key: Uint8Array,
  bytes: Uint8Array,
  offset: number,
  request: Uint8Array,
  requestOffset: number,
  address: Uint8Array,
): number {
  const at = writeHeader(bytes, offset, STUN_TYPE.BINDING_SUCCESS, request, requestOffset + TRANSACTION_ID_AT);
  const ipLength = address.length - 2;
  const mask = offset + MAGIC_COOKIE_AT;
  writeAttributeHeader(bytes, at, STUN_ATTRIBUTE.XOR_MAPPED_ADDRESS, ipLength + 4);
  const value = at + ATTRIBUTE_HEADER_BYTES;
  bytes[value] = 0;
  bytes[value + 1] = ipLength === 4 ? FAMILY_IPV4 : FAMILY_IPV6;
  bytes[value + 2] = address[ipLength]! ^ bytes[mask]!;
  bytes[value + 3] = address[ipLength + 1]! ^ bytes[mask + 1]!;
  for (let i = 0; i < ipLength; i++) bytes[value + 4 + i] = address[i]! ^ bytes[mask + i]!;
  return finish(hmac, key, bytes, offset, nextAttribute(bytes, at));
}

/**
 * Writes an error response at `offset` to the checked request at `requestOffset` of `request`; answers its length.
 * `unknown` lists the attributes that a 420 complains about and is empty otherwise. `key` is `null` for an answer to a
 * request that was not authenticated, which then carries no integrity either (RFC 8489 §9.1.3).
 */
export function stunWriteBindingError(
  hmac: StunHmac,
  key: Uint8Array | null,
  bytes: Uint8Array,
  offset: number,
  request: Uint8Array,
  requestOffset: number,
  code: StunErrorCode,
  unknown: readonly number[],
): number {
  let at = writeHeader(bytes, offset, STUN_TYPE.BINDING_ERROR, request, requestOffset + TRANSACTION_ID_AT);
  const reason = utf8Encode(REASONS[code]);
  writeAttributeHeader(bytes, at, STUN_ATTRIBUTE.ERROR_CODE, 4 + reason.length);
  writeU16(bytes, at + ATTRIBUTE_HEADER_BYTES, 0);
  bytes[at + ATTRIBUTE_HEADER_BYTES + 2] = Math.floor(code / 100);
  bytes[at + ATTRIBUTE_HEADER_BYTES + 3] = code % 100;
  writePadded(bytes, at + ATTRIBUTE_HEADER_BYTES + 4, reason);
  at = nextAttribute(bytes, at);
  if (unknown.length > 0) {
    writeAttributeHeader(bytes, at, STUN_ATTRIBUTE.UNKNOWN_ATTRIBUTES, 2 * unknown.length);
    const list = at + ATTRIBUTE_HEADER_BYTES;
    for (let i = 0; i < unknown.length; i++) writeU16(bytes, list + 2 * i, unknown[i]!);
    if (unknown.length % 2 !== 0) writeU16(bytes, list + 2 * unknown.length, 0);
    at = nextAttribute(bytes, at);
  }
  return finish(hmac, key, bytes, offset, at);
}

/** The end of a checked message. */
function endOf(bytes: Uint8Array, offset: number): number {
  return offset + HEADER_BYTES + readU16(bytes, offset + LENGTH_AT);
}

/** Where the attribute behind the one at `at` stands. */
function nextAttribute(bytes: Uint8Array, at: number): number {
  return at + ATTRIBUTE_HEADER_BYTES + padded(readU16(bytes, at + 2));
}

/** Whether an attribute's length is one that its type allows; types that are not read here may have any. */
function sizeFits(bytes: Uint8Array, at: number, type: number, length: number): boolean {
  switch (type) {
    case STUN_ATTRIBUTE.USERNAME:
      return length <= USERNAME_BYTES_MAX;
    case STUN_ATTRIBUTE.MESSAGE_INTEGRITY:
      return length === INTEGRITY_BYTES;
    case STUN_ATTRIBUTE.FINGERPRINT:
      return length === FINGERPRINT_BYTES;
    case STUN_ATTRIBUTE.ERROR_CODE:
      return length >= 4;
    case STUN_ATTRIBUTE.XOR_MAPPED_ADDRESS: {
      // A family that nobody knows must not be read as one that is known, hence it is refused with the message.
      const family = length > 1 ? bytes[at + ATTRIBUTE_HEADER_BYTES + 1] : 0;
      return (family === FAMILY_IPV4 && length === 8) || (family === FAMILY_IPV6 && length === 20);
    }
    case STUN_ATTRIBUTE.PRIORITY:
      return length === 4;
    case STUN_ATTRIBUTE.USE_CANDIDATE:
      return length === 0;
    case STUN_ATTRIBUTE.ICE_CONTROLLED:
    case STUN_ATTRIBUTE.ICE_CONTROLLING:
      return length === 8;
    default:
      return true;
  }
}

/** Whether a comprehension-required attribute is understood; some of them merely mean nothing in a request. */
function isKnown(type: number): boolean {
  switch (type) {
    case STUN_ATTRIBUTE.MAPPED_ADDRESS:
    case STUN_ATTRIBUTE.USERNAME:
    case STUN_ATTRIBUTE.MESSAGE_INTEGRITY:
    case STUN_ATTRIBUTE.ERROR_CODE:
    case STUN_ATTRIBUTE.UNKNOWN_ATTRIBUTES:
    case STUN_ATTRIBUTE.XOR_MAPPED_ADDRESS:
    case STUN_ATTRIBUTE.PRIORITY:
    case STUN_ATTRIBUTE.USE_CANDIDATE:
      return true;
    default:
      return false;
  }
}

/** Letters, digits, `+` and `/` (RFC 8839 §5.4). */
function isIceChar(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x2f && byte <= 0x39) || byte === 0x2b;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** Writes a header whose length is still to come; answers where the first attribute goes. */
function writeHeader(bytes: Uint8Array, offset: number, type: number, id: Uint8Array, idOffset: number): number {
  writeU16(bytes, offset, type);
  writeU32(bytes, offset + MAGIC_COOKIE_AT, MAGIC_COOKIE);
  copyBytes(id, idOffset, bytes, offset + TRANSACTION_ID_AT, TRANSACTION_ID_BYTES);
  return offset + HEADER_BYTES;
}

function writeAttributeHeader(bytes: Uint8Array, at: number, type: number, length: number): void {
  writeU16(bytes, at, type);
  writeU16(bytes, at + 2, length);
}

/** Writes a value and zeroes behind it up to a whole word. */
function writePadded(bytes: Uint8Array, at: number, value: Uint8Array): void {
  copyBytes(value, 0, bytes, at, value.length);
  for (let i = value.length; i < padded(value.length); i++) bytes[at + i] = 0;
}

/** Closes the message whose attributes end at `end`: MESSAGE-INTEGRITY when there is a key, FINGERPRINT, the length. */
function finish(hmac: StunHmac, key: Uint8Array | null, bytes: Uint8Array, offset: number, end: number): number {
  let at = end;
  if (key !== null) {
    const tag = new Uint8Array(INTEGRITY_BYTES);
    writeAttributeHeader(bytes, at, STUN_ATTRIBUTE.MESSAGE_INTEGRITY, INTEGRITY_BYTES);
    const next = nextAttribute(bytes, at);
    writeU16(bytes, offset + LENGTH_AT, next - offset - HEADER_BYTES);
    hmac.hmacSha1(key, bytes, offset, at - offset, tag);
    copyBytes(tag, 0, bytes, at + ATTRIBUTE_HEADER_BYTES, INTEGRITY_BYTES);
    at = next;
  }
  writeAttributeHeader(bytes, at, STUN_ATTRIBUTE.FINGERPRINT, FINGERPRINT_BYTES);
  const next = nextAttribute(bytes, at);
  writeU16(bytes, offset + LENGTH_AT, next - offset - HEADER_BYTES);
  writeU32(bytes, at + ATTRIBUTE_HEADER_BYTES, fingerprint(bytes, offset, at - offset));
  return next - offset;
}

/** The value of FINGERPRINT for a message of which `length` bytes stand before that attribute. */
function fingerprint(bytes: Uint8Array, offset: number, length: number): number {
  let crc = 0xffff_ffff;
  for (let i = offset; i < offset + length; i++) crc = CRC32_TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (~crc ^ FINGERPRINT_MASK) >>> 0;
}

/** The table of the CRC-32 of ITU-T V.42, bit-reversed: polynomial 0xEDB88320. */
function createCrc32Table(): Uint32Array {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let word = i;
    for (let bit = 0; bit < 8; bit++) word = (word & 1) !== 0 ? (word >>> 1) ^ 0xedb8_8320 : word >>> 1;
    table[i] = word >>> 0;
  }
  return table;
}
