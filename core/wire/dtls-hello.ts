/**
 * ClientHello and ServerHello with the extensions that a WebRTC handshake is decided by (RFC 5246 §7.4.1, RFC 6347
 * §4.2.1, RFC 8422 §5, RFC 5764 §4.1, RFC 7627 §5.1, RFC 5746 §3.2).
 *
 * Both hellos become plain records that share one record of extensions. An extension that nobody here uses (key shares
 * and versions of TLS 1.3 among them) is skipped, and its type is kept in `others`. A repeated extension, a length that
 * does not fit or a byte too many makes the whole message unreadable: the answer is then `undefined`.
 */
import { concatBytes } from "../base/bytes.ts";
import { DTLS_VERSION } from "./dtls-record.ts";
import {
  createReader,
  encodeNumber,
  encodeNumbers,
  encodeVector,
  readerDone,
  readerHasMore,
  readNumber,
  readNumbers,
  readOpaque,
  readVector,
  type TlsReader,
} from "./tls-reader.ts";

/** TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (RFC 5289 §3.2). */
export const CIPHER_SUITE_ECDHE_ECDSA_AES_128_GCM = 0xc02b;

/** The value in a list of suites that stands for an empty renegotiation_info (RFC 5746 §3.3). */
export const CIPHER_SUITE_RENEGOTIATION_SIGNAL = 0x00ff;

/** Signature schemes that Lockstep can check (RFC 8446 §4.2.3); it signs with the first. */
export const SIGNATURE_SCHEME = {
  ECDSA_P256_SHA256: 0x0403,
  RSA_PSS_SHA256: 0x0804,
  RSA_PKCS1_SHA256: 0x0401,
} as const;

/** SRTP protection profiles that Lockstep speaks (RFC 5764 §4.1.2, RFC 7714 §14.2). */
export const SRTP_PROTECTION_PROFILE = { AES128_CM_SHA1_80: 0x0001, AEAD_AES_128_GCM: 0x0007 } as const;

/** The uncompressed form of a point (RFC 8422 §5.1.2). */
export const POINT_FORMAT_UNCOMPRESSED = 0;

const EXTENSION = {
  SUPPORTED_GROUPS: 10,
  EC_POINT_FORMATS: 11,
  SIGNATURE_ALGORITHMS: 13,
  USE_SRTP: 14,
  EXTENDED_MASTER_SECRET: 23,
  RENEGOTIATION_INFO: 0xff01,
} as const;

const RANDOM_BYTES = 32;
const SESSION_ID_BYTES_MAX = 32;

/** The extensions of a hello; `null` says that one is absent. */
export interface HelloExtensions {
  /** Code points of NAMED_GROUP and of groups unknown here, in the sender's order. */
  groups: number[] | null;
  pointFormats: number[] | null;
  signatureSchemes: number[] | null;
  /** SRTP protection profiles, in the sender's order. */
  srtpProfiles: number[] | null;
  /** The MKI that goes with them, mostly empty. */
  srtpMki: Uint8Array;
  extendedMasterSecret: boolean;
  /** The `renegotiated_connection` field: empty in a first handshake. */
  renegotiationInfo: Uint8Array | null;
  /** Types of the extensions that were skipped. */
  others: number[];
}

/** A ClientHello. */
export interface ClientHello {
  version: number;
  random: Uint8Array;
  sessionId: Uint8Array;
  cookie: Uint8Array;
  cipherSuites: number[];
  compressionMethods: number[];
  extensions: HelloExtensions;
}

/** A ServerHello. */
export interface ServerHello {
  version: number;
  random: Uint8Array;
  sessionId: Uint8Array;
  cipherSuite: number;
  compressionMethod: number;
  extensions: HelloExtensions;
}

/** Extensions that are all absent. */
export function noExtensions(): HelloExtensions {
  return {
    groups: null,
    pointFormats: null,
    signatureSchemes: null,
    srtpProfiles: null,
    srtpMki: new Uint8Array(0),
    extendedMasterSecret: false,
    renegotiationInfo: null,
    others: [],
  };
}

/** Reads the body of a ClientHello; `undefined` when it can't be read. */
export function parseClientHello(body: Uint8Array): ClientHello | undefined {
  const reader = createReader(body);
  const hello: ClientHello = {
    version: readNumber(reader, 2),
    random: readOpaque(reader, RANDOM_BYTES),
    sessionId: readVector(reader, 1),
    cookie: readVector(reader, 1),
    cipherSuites: readNumbers(reader, 2, 2),
    compressionMethods: readNumbers(reader, 1, 1),
    extensions: noExtensions(),
  };
  if (readerHasMore(reader) && !parseExtensions(readVector(reader, 2), hello.extensions)) return undefined;
  if (!readerDone(reader) || hello.sessionId.length > SESSION_ID_BYTES_MAX) return undefined;
  return hello.cipherSuites.length > 0 && hello.compressionMethods.length > 0 ? hello : undefined;
}

/** The body of a ClientHello; `extensions.others` are not written. */
export function encodeClientHello(hello: ClientHello): Uint8Array {
  return concatBytes(
    encodeNumber(hello.version, 2),
    hello.random,
    encodeVector(1, hello.sessionId),
    encodeVector(1, hello.cookie),
    encodeNumbers(2, 2, hello.cipherSuites),
    encodeNumbers(1, 1, hello.compressionMethods),
    encodeExtensions(hello.extensions),
  );
}

/** Reads the body of a ServerHello; `undefined` when it can't be read. */
export function parseServerHello(body: Uint8Array): ServerHello | undefined {
  const reader = createReader(body);
  const hello: ServerHello = {
    version: readNumber(reader, 2),
    random: readOpaque(reader, RANDOM_BYTES),
    sessionId: readVector(reader, 1),
    cipherSuite: readNumber(reader, 2),
    compressionMethod: readNumber(reader, 1),
    extensions: noExtensions(),
  };
  if (readerHasMore(reader) && !parseExtensions(readVector(reader, 2), hello.extensions)) return undefined;
  return readerDone(reader) && hello.sessionId.length <= SESSION_ID_BYTES_MAX ? hello : undefined;
}

/** The body of a ServerHello; `extensions.others` are not written. */
export function encodeServerHello(hello: ServerHello): Uint8Array {
  return concatBytes(
    encodeNumber(hello.version, 2),
    hello.random,
    encodeVector(1, hello.sessionId),
    encodeNumber(hello.cipherSuite, 2),
    encodeNumber(hello.compressionMethod, 1),
    encodeExtensions(hello.extensions),
  );
}

/** Reads the body of a HelloVerifyRequest: its cookie (RFC 6347 §4.2.1). */
export function parseHelloVerifyRequest(body: Uint8Array): Uint8Array | undefined {
  const reader = createReader(body);
  readNumber(reader, 2);
  const cookie = readVector(reader, 1);
  return readerDone(reader) ? cookie : undefined;
}

/** The body of a HelloVerifyRequest; its version says DTLS 1.0 whatever is spoken later (RFC 6347 §4.2.1). */
export function encodeHelloVerifyRequest(cookie: Uint8Array): Uint8Array {
  return concatBytes(encodeNumber(DTLS_VERSION.V1_0, 2), encodeVector(1, cookie));
}

function parseExtensions(block: Uint8Array, extensions: HelloExtensions): boolean {
  const reader = createReader(block);
  const seen = new Set<number>();
  while (readerHasMore(reader)) {
    const type = readNumber(reader, 2);
    const body = createReader(readVector(reader, 2));
    if (reader.failed || seen.has(type)) return false;
    seen.add(type);
    if (!parseExtension(type, body, extensions)) extensions.others.push(type);
    else if (!readerDone(body)) return false;
  }
  return readerDone(reader);
}

/** Reads the body of one extension; answers false when its type is unknown. */
function parseExtension(type: number, body: TlsReader, extensions: HelloExtensions): boolean {
  switch (type) {
    case EXTENSION.SUPPORTED_GROUPS:
      extensions.groups = readNumbers(body, 2, 2);
      return true;
    case EXTENSION.EC_POINT_FORMATS:
      extensions.pointFormats = readNumbers(body, 1, 1);
      return true;
    case EXTENSION.SIGNATURE_ALGORITHMS:
      extensions.signatureSchemes = readNumbers(body, 2, 2);
      return true;
    case EXTENSION.USE_SRTP:
      extensions.srtpProfiles = readNumbers(body, 2, 2);
      extensions.srtpMki = readVector(body, 1);
      return true;
    case EXTENSION.EXTENDED_MASTER_SECRET:
      extensions.extendedMasterSecret = true;
      return true;
    case EXTENSION.RENEGOTIATION_INFO:
      extensions.renegotiationInfo = readVector(body, 1);
      return true;
    default:
      return false;
  }
}

function encodeExtensions(extensions: HelloExtensions): Uint8Array {
  const parts: Uint8Array[] = [];
  const add = (type: number, ...body: Uint8Array[]): number =>
    parts.push(concatBytes(encodeNumber(type, 2), encodeVector(2, ...body)));
  if (extensions.renegotiationInfo) {
    add(EXTENSION.RENEGOTIATION_INFO, encodeVector(1, extensions.renegotiationInfo));
  }
  if (extensions.extendedMasterSecret) add(EXTENSION.EXTENDED_MASTER_SECRET);
  if (extensions.groups) add(EXTENSION.SUPPORTED_GROUPS, encodeNumbers(2, 2, extensions.groups));
  if (extensions.pointFormats) add(EXTENSION.EC_POINT_FORMATS, encodeNumbers(1, 1, extensions.pointFormats));
  if (extensions.signatureSchemes)
    add(EXTENSION.SIGNATURE_ALGORITHMS, encodeNumbers(2, 2, extensions.signatureSchemes));
  if (extensions.srtpProfiles) {
    add(EXTENSION.USE_SRTP, encodeNumbers(2, 2, extensions.srtpProfiles), encodeVector(1, extensions.srtpMki));
  }
  return encodeVector(2, ...parts);
}
