/**
 * What Node's cryptography takes: signatures of peers whose keys are of other kinds than ours (RSA is what older clients
 * show), and keys of X25519 in the form that each version of Node accepts.
 */
import { constants, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { x25519PrivateKey } from "../../io-crypto/node-crypto.ts";
import { certificateOf } from "../support/crypto/certificates.ts";

const crypto = createNodeCrypto();
const message = new Uint8Array(50).fill(0x33);
const ECDSA_SECP256R1_SHA256 = 0x0403;
const RSA_PSS_RSAE_SHA256 = 0x0804;
const RSA_PKCS1_SHA256 = 0x0401;

describe("a peer's RSA signature", () => {
  const keys = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const certificate = certificateOf(keys);
  const pkcs1 = sign("sha256", message, { key: keys.privateKey, padding: constants.RSA_PKCS1_PADDING });
  const pss = sign("sha256", message, {
    key: keys.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 32,
  });

  it("with PKCS #1 padding is accepted under its own scheme alone", () => {
    expect(crypto.verifySignature(certificate, RSA_PKCS1_SHA256, message, pkcs1)).toBe(true);
    expect(crypto.verifySignature(certificate, RSA_PSS_RSAE_SHA256, message, pkcs1)).toBe(false);
    expect(crypto.verifySignature(certificate, ECDSA_SECP256R1_SHA256, message, pkcs1)).toBe(false);
  });

  it("with PSS padding is accepted under its own scheme alone", () => {
    expect(crypto.verifySignature(certificate, RSA_PSS_RSAE_SHA256, message, pss)).toBe(true);
    expect(crypto.verifySignature(certificate, RSA_PKCS1_SHA256, message, pss)).toBe(false);
  });

  it("with a PSS salt of another length than the digest's is refused", () => {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const unsalted = sign("sha256", message, { key: keys.privateKey, padding, saltLength: 0 });
    expect(crypto.verifySignature(certificate, RSA_PSS_RSAE_SHA256, message, unsalted)).toBe(false);
  });

  it("of another message is refused", () => {
    expect(crypto.verifySignature(certificate, RSA_PKCS1_SHA256, new Uint8Array(50), pkcs1)).toBe(false);
  });

  it("of a key that is too short is refused", () => {
    const short = generateKeyPairSync("rsa", { modulusLength: 768 });
    const signature = sign("sha256", message, short.privateKey);
    expect(crypto.verifySignature(certificateOf(short), RSA_PKCS1_SHA256, message, signature)).toBe(false);
  });
});

describe("a peer's key", () => {
  it("on another curve than P-256 is refused under the P-256 scheme", () => {
    const keys = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
    const signature = sign("sha256", message, keys.privateKey);
    expect(crypto.verifySignature(certificateOf(keys), ECDSA_SECP256R1_SHA256, message, signature)).toBe(false);
  });

  it("on P-256 from another library's hands is accepted", () => {
    const keys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const signature = sign("sha256", message, keys.privateKey);
    expect(crypto.verifySignature(certificateOf(keys), ECDSA_SECP256R1_SHA256, message, signature)).toBe(true);
  });

  it("for Ed25519 is refused without a throw", () => {
    const keys = generateKeyPairSync("ed25519");
    const signature = sign(null, message, keys.privateKey);
    expect(crypto.verifySignature(certificateOf(keys), ECDSA_SECP256R1_SHA256, message, signature)).toBe(false);
  });

  it("in a certificate written as PEM text is refused: TLS has DER alone", () => {
    const keys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const signature = sign("sha256", message, keys.privateKey);
    const base64 = Buffer.from(certificateOf(keys)).toString("base64");
    const pem = Buffer.from(`-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`);
    expect(crypto.verifySignature(Uint8Array.from(pem), ECDSA_SECP256R1_SHA256, message, signature)).toBe(false);
  });
});

describe("a private key of X25519", () => {
  it("is the same key in the form that newer versions of Node want", () => {
    const bytes = new Uint8Array(32).fill(7);
    const publicHalf = (key: ReturnType<typeof x25519PrivateKey>) => createPublicKey(key).export({ format: "jwk" }).x;
    const expected = "E75P6uryBMf9M1j8nAByGIHRdCeBKCJ-xnTzf3_pe20";
    expect(publicHalf(x25519PrivateKey(bytes, false))).toBe(expected);
    expect(publicHalf(x25519PrivateKey(bytes))).toBe(expected);
  });
});
