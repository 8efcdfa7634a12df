/**
 * A minimal self-signed X.509 v3 certificate, written by hand (RFC 5280 §4.1).
 *
 * WebRTC never looks at who signed a certificate: the peer compares its SHA-256 fingerprint with the one in the SDP
 * (RFC 8122 §5). So it says as little as the format allows: CN=lockstep on both ends, a P-256 key, no extensions. Its
 * serial number comes from the public key and its validity is fixed, so that equal keys give equal bytes on any machine.
 *
 *     Certificate ::= SEQUENCE { tbsCertificate, ecdsa-with-SHA256, BIT STRING signature }
 *     tbsCertificate ::= SEQUENCE { [0] version 3, serial, ecdsa-with-SHA256, issuer, validity, subject, publicKey }
 */
import { concatBytes } from "../core/base/bytes.ts";
import { utf8Encode } from "../core/base/text.ts";

const TAG = {
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OBJECT_IDENTIFIER: 0x06,
  UTF8_STRING: 0x0c,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
  CONTEXT_0: 0xa0,
} as const;

const COMMON_NAME = "lockstep";

/** Bytes of the serial number: more than zero, and far below the 20 that RFC 5280 §4.1.2.2 allows. */
const SERIAL_BYTES = 16;

/** 1.2.840.10045.2.1 (RFC 5480 §2.1.1). */
const OID_EC_PUBLIC_KEY = Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01);
/** 1.2.840.10045.3.1.7 (RFC 5480 §2.1.1.1). */
const OID_P256 = Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07);
/** 1.2.840.10045.4.3.2 (RFC 5758 §3.2). */
const OID_ECDSA_WITH_SHA256 = Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);
/** 2.5.4.3, commonName (RFC 5280 appendix A.1). */
const OID_COMMON_NAME = Uint8Array.of(0x55, 0x04, 0x03);

/**
 * The certificate (DER) of a P-256 public key of 65 bytes. `keyHash` is its SHA-256, and `sign` answers with the
 * DER-encoded ECDSA signature with SHA-256 that the matching private key makes.
 */
export function buildCertificate(
  publicKey: Uint8Array,
  keyHash: Uint8Array,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array {
  const algorithm = der(TAG.SEQUENCE, der(TAG.OBJECT_IDENTIFIER, OID_ECDSA_WITH_SHA256));
  const attribute = der(
    TAG.SEQUENCE,
    der(TAG.OBJECT_IDENTIFIER, OID_COMMON_NAME),
    der(TAG.UTF8_STRING, utf8Encode(COMMON_NAME)),
  );
  const name = der(TAG.SEQUENCE, der(TAG.SET, attribute));
  const validity = der(
    TAG.SEQUENCE,
    der(TAG.UTC_TIME, utf8Encode("200101000000Z")),
    // RFC 5280 §4.1.2.5: from the year 2050 on, GeneralizedTime.
    der(TAG.GENERALIZED_TIME, utf8Encode("20500101000000Z")),
  );
  const body = der(
    TAG.SEQUENCE,
    der(TAG.CONTEXT_0, der(TAG.INTEGER, Uint8Array.of(2))),
    der(TAG.INTEGER, serialNumber(keyHash)),
    algorithm,
    name,
    validity,
    name,
    publicKeyInfo(publicKey),
  );
  return der(TAG.SEQUENCE, body, algorithm, bitString(sign(body)));
}

/** A positive INTEGER in its shortest form: the first byte is 0x40 to 0x7f. */
function serialNumber(keyHash: Uint8Array): Uint8Array {
  const serial = keyHash.slice(0, SERIAL_BYTES);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

/** SubjectPublicKeyInfo (RFC 5480 §2). */
function publicKeyInfo(publicKey: Uint8Array): Uint8Array {
  const algorithm = der(
    TAG.SEQUENCE,
    der(TAG.OBJECT_IDENTIFIER, OID_EC_PUBLIC_KEY),
    der(TAG.OBJECT_IDENTIFIER, OID_P256),
  );
  return der(TAG.SEQUENCE, algorithm, bitString(publicKey));
}

/** A BIT STRING of whole bytes: no unused bits in the last one. */
function bitString(bytes: Uint8Array): Uint8Array {
  return der(TAG.BIT_STRING, Uint8Array.of(0), bytes);
}

/** Tag, length in its shortest form (below 65,536), contents. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const contents = concatBytes(...parts);
  const { length } = contents;
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return concatBytes(Uint8Array.from(head), contents);
}
