/** Every provider of cryptography keeps the contract; the one over OpenSSL agrees with one that shares no code with it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NAMED_GROUP } from "../../core/crypto/provider.ts";
import { createChecksumCrypto, createNodeCrypto } from "../../io-crypto/index.ts";
import { createNobleCrypto } from "../support/crypto/noble-crypto.ts";
import { requireOpensslCrypto } from "../support/crypto/openssl-crypto.ts";
import { cryptoProviderContract } from "./crypto-provider.ts";

describe("the provider over node:crypto", () => cryptoProviderContract(createNodeCrypto, "real"));
describe("the checksum provider", () => cryptoProviderContract(() => createChecksumCrypto(createNodeCrypto()), "toy"));
describe("the provider over @noble", () => cryptoProviderContract(createNobleCrypto, "real"));
// It exists on Linux alone, and there it must.
if (process.platform === "linux") {
  describe("the provider over kept OpenSSL contexts", () =>
    cryptoProviderContract(() => requireOpensslCrypto(), "real"));
  describe("the same with EVP alone", () => cryptoProviderContract(() => requireOpensslCrypto(false), "real"));
}

describe("two independent providers", () => {
  const node = createNodeCrypto();
  const noble = createNobleCrypto();
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

  it("seal to the same bytes with AES-128-GCM", () => {
    fc.assert(
      fc.property(
        bytes(16),
        bytes(12),
        fc.uint8Array(),
        fc.uint8Array({ maxLength: 300 }),
        (key, nonce, aad, plain) => {
          const sealed = [node, noble].map((crypto) => {
            const target = new Uint8Array(plain.length + 16);
            crypto.setAeadKey(0, key);
            crypto.sealAead(0, nonce, aad, 0, aad.length, plain, 0, plain.length, target, 0);
            return target;
          });
          expect(sealed[0]).toEqual(sealed[1]);
        },
      ),
    );
  });

  it("seal to the same bytes with AES-CM and HMAC-SHA-1", () => {
    const text = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(bytes(16), bytes(20), bytes(16), text, fc.nat(0xffff_ffff), (key, auth, iv, plain, suffix) => {
        const sealed = [node, noble].map((crypto) => {
          const target = new Uint8Array(plain.length + 20);
          crypto.setCmKey(0, key, auth);
          crypto.cipherCm(0, iv, plain, 0, plain.length, target, 0);
          const tag = new Uint8Array(20);
          crypto.authCm(0, target, 0, plain.length, suffix, tag);
          target.set(tag, plain.length);
          return target;
        });
        expect(sealed[0]).toEqual(sealed[1]);
      }),
    );
  });

  it("take the same private key of P-256 for bytes above the order", () => {
    fc.assert(
      fc.property(bytes(28), (low) => {
        const privateKey = Uint8Array.of(0xff, 0xff, 0xff, 0xff, ...low);
        expect(node.ecdhPublicKey(NAMED_GROUP.P256, privateKey)).toEqual(
          noble.ecdhPublicKey(NAMED_GROUP.P256, privateKey),
        );
      }),
      { numRuns: 50 },
    );
  });

  it("sign alike, and have the same public keys, secrets and hashes", () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), fc.uint8Array(), (privateKey, peer, message) => {
        expect(node.signEcdsaP256(privateKey, message)).toEqual(noble.signEcdsaP256(privateKey, message));
        expect(node.sha256(message)).toEqual(noble.sha256(message));
        expect(node.hmacSha256(peer, message)).toEqual(noble.hmacSha256(peer, message));
        for (const group of [NAMED_GROUP.P256, NAMED_GROUP.X25519]) {
          const publicKey = node.ecdhPublicKey(group, peer);
          expect(publicKey).toEqual(noble.ecdhPublicKey(group, peer));
          expect(node.ecdhSharedSecret(group, privateKey, publicKey)).toEqual(
            noble.ecdhSharedSecret(group, privateKey, publicKey),
          );
        }
      }),
      { numRuns: 20 },
    );
  });
});
