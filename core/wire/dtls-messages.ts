/**
 * The bodies of the handshake messages behind the hellos, as ECDHE-ECDSA with a certificate on both sides uses them
 * (RFC 5246 §7.4, RFC 8422 §5.4 to §5.8).
 *
 * Each message has a plain record and two functions. `undefined` stands for bytes that can't be read. Finished is twelve
 * bare bytes and ServerHelloDone nothing at all, so neither has functions here.
 */
import { concatBytes } from "../base/bytes.ts";
import {
  createReader,
  encodeNumber,
  encodeNumbers,
  encodeVector,
  readerDone,
  readerHasMore,
  readNumber,
  readNumbers,
  readVector,
} from "./tls-reader.ts";

/** Bytes of `verify_data` in a Finished message (RFC 5246 §7.4.9). */
export const VERIFY_DATA_BYTES = 12;

/** Kinds of certificate that a server may ask for (RFC 5246 §7.4.4, RFC 8422 §5.5). */
export const CERTIFICATE_TYPE = { RSA_SIGN: 1, ECDSA_SIGN: 64 } as const;

/** The only kind of curve in use: one with a name (RFC 8422 §5.4). */
const CURVE_TYPE_NAMED = 3;

/** What the server's ECDHE key is, signed. */
export interface ServerKeyExchange {
  group: number;
  publicKey: Uint8Array;
  scheme: number;
  signature: Uint8Array;
}

/** What the server accepts as a client's certificate. */
export interface CertificateRequest {
  certificateTypes: number[];
  signatureSchemes: number[];
}

/** A signature over the transcript. */
export interface CertificateVerify {
  scheme: number;
  signature: Uint8Array;
}

/** Reads a Certificate message: the chain in DER, leaf first; an empty list says that the peer has none. */
export function parseCertificates(body: Uint8Array): Uint8Array[] | undefined {
  const reader = createReader(body);
  const list = createReader(readVector(reader, 3));
  const certificates: Uint8Array[] = [];
  while (readerHasMore(list)) certificates.push(readVector(list, 3));
  if (!readerDone(reader) || !readerDone(list)) return undefined;
  return certificates.every((certificate) => certificate.length > 0) ? certificates : undefined;
}

/** The body of a Certificate message. */
export function encodeCertificates(certificates: readonly Uint8Array[]): Uint8Array {
  return encodeVector(3, ...certificates.map((certificate) => encodeVector(3, certificate)));
}

/** The part of a ServerKeyExchange that is signed, after the two randoms. */
export function encodeServerKeyParameters(group: number, publicKey: Uint8Array): Uint8Array {
  return concatBytes(encodeNumber(CURVE_TYPE_NAMED, 1), encodeNumber(group, 2), encodeVector(1, publicKey));
}

/** Reads a ServerKeyExchange. */
export function parseServerKeyExchange(body: Uint8Array): ServerKeyExchange | undefined {
  const reader = createReader(body);
  const curveType = readNumber(reader, 1);
  const exchange: ServerKeyExchange = {
    group: readNumber(reader, 2),
    publicKey: readVector(reader, 1),
    scheme: readNumber(reader, 2),
    signature: readVector(reader, 2),
  };
  return readerDone(reader) && curveType === CURVE_TYPE_NAMED ? exchange : undefined;
}

/** The body of a ServerKeyExchange. */
export function encodeServerKeyExchange(exchange: ServerKeyExchange): Uint8Array {
  return concatBytes(
    encodeServerKeyParameters(exchange.group, exchange.publicKey),
    encodeCertificateVerify({ scheme: exchange.scheme, signature: exchange.signature }),
  );
}

/** Reads a CertificateRequest; the names of authorities are skipped. */
export function parseCertificateRequest(body: Uint8Array): CertificateRequest | undefined {
  const reader = createReader(body);
  const request: CertificateRequest = {
    certificateTypes: readNumbers(reader, 1, 1),
    signatureSchemes: readNumbers(reader, 2, 2),
  };
  readVector(reader, 2);
  return readerDone(reader) ? request : undefined;
}

/** The body of a CertificateRequest that names no authority. */
export function encodeCertificateRequest(request: CertificateRequest): Uint8Array {
  return concatBytes(
    encodeNumbers(1, 1, request.certificateTypes),
    encodeNumbers(2, 2, request.signatureSchemes),
    encodeVector(2),
  );
}

/** Reads a ClientKeyExchange: the client's ECDHE key. */
export function parseClientKeyExchange(body: Uint8Array): Uint8Array | undefined {
  const reader = createReader(body);
  const publicKey = readVector(reader, 1);
  return readerDone(reader) ? publicKey : undefined;
}

/** The body of a ClientKeyExchange. */
export function encodeClientKeyExchange(publicKey: Uint8Array): Uint8Array {
  return encodeVector(1, publicKey);
}

/** Reads a CertificateVerify. */
export function parseCertificateVerify(body: Uint8Array): CertificateVerify | undefined {
  const reader = createReader(body);
  const verify: CertificateVerify = { scheme: readNumber(reader, 2), signature: readVector(reader, 2) };
  return readerDone(reader) ? verify : undefined;
}

/** The body of a CertificateVerify. */
export function encodeCertificateVerify(verify: CertificateVerify): Uint8Array {
  return concatBytes(encodeNumber(verify.scheme, 2), encodeVector(2, verify.signature));
}
