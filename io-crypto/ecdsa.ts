/**
 * ECDSA over P-256 with the nonces of RFC 6979, so that equal keys and messages have equal signatures.
 *
 * What is slow about a signature is one multiplication of a point, and OpenSSL does that in native code: the public key of
 * a key pair whose private key is the nonce is that point. What is left is some arithmetic with two numbers of 256 bits.
 * Together that is a fifth of what an implementation in JavaScript alone takes, and a join waits for it.
 *
 * The inverse of the nonce takes a time that depends on what is inverted, so it is blinded: a multiple of the nonce is
 * inverted in its place.
 */
import { createECDH, createHash, createHmac } from "node:crypto";

/** The order of P-256 (SEC 2 §2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const NUMBER_BYTES = 32;

/** Signs the SHA-256 of a message; `privateKey` is a number from 1 to n-1, big-endian. Answers with DER (RFC 3279 §2.2.3). */
export function signDeterministic(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  const hash = createHash("sha256").update(message).digest();
  const digest = toNumber(hash) % ORDER;
  const secret = toNumber(privateKey);
  // RFC 6979 §3.2, with HMAC-SHA-256.
  const seed = Buffer.concat([privateKey, toBytes(digest)]);
  let value: Buffer = Buffer.alloc(NUMBER_BYTES, 1);
  let key: Buffer = Buffer.alloc(NUMBER_BYTES);
  for (const step of [0, 1]) {
    key = hmac(key, value, Uint8Array.of(step), seed);
    value = hmac(key, value);
  }
  for (;;) {
    value = hmac(key, value);
    const nonce = toNumber(value);
    if (nonce > 0n && nonce < ORDER) {
      const r = pointX(value) % ORDER;
      const blind = (toNumber(hmac(key, value, Uint8Array.of(2))) % (ORDER - 1n)) + 1n;
      const s = (((invert((nonce * blind) % ORDER) * blind) % ORDER) * ((digest + r * secret) % ORDER)) % ORDER;
      if (r !== 0n && s !== 0n) return derSequence([derInteger(r), derInteger(s)]);
    }
    key = hmac(key, value, Uint8Array.of(0));
    value = hmac(key, value);
  }
}

/** The first coordinate of the base point times a number. */
function pointX(factor: Uint8Array): bigint {
  const pair = createECDH("prime256v1");
  pair.setPrivateKey(factor);
  return toNumber(pair.getPublicKey().subarray(1, 1 + NUMBER_BYTES));
}

/** The inverse modulo the order, by Euclid's algorithm. */
function invert(number: bigint): bigint {
  let [a, b] = [ORDER, number];
  let [x, y] = [0n, 1n];
  while (b > 1n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return y < 0n ? y + ORDER : y;
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function toBytes(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(2 * NUMBER_BYTES, "0"), "hex");
}

/** An INTEGER of ASN.1: no leading zero but the one that keeps it positive. */
function derInteger(number: bigint): Buffer {
  const digits = number.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
  return bytes[0]! >= 0x80
    ? Buffer.concat([Uint8Array.of(2, bytes.length + 1, 0), bytes])
    : Buffer.concat([Uint8Array.of(2, bytes.length), bytes]);
}

function derSequence(parts: readonly Buffer[]): Uint8Array {
  const body = Buffer.concat(parts);
  return Uint8Array.of(0x30, body.length, ...body);
}
