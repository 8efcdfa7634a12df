/**
 * The core's cryptography once more, over the pure TypeScript of `@noble`: nothing of it shares code with OpenSSL, so what
 * both providers answer alike is right. Certificates alone are checked and written as the provider under test does it.
 */
import { ctr, gcm } from "@noble/ciphers/aes.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "../../../core/base/bytes.ts";
import { type CryptoProvider, NAMED_GROUP } from "../../../core/crypto/provider.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";

/** A provider that is slow and shares no cipher, hash or curve with `createNodeCrypto`. */
export function createNobleCrypto(): CryptoProvider {
  const keys = new Map<number, { cipherKey: Uint8Array; authKey: Uint8Array }>();
  const none = new Uint8Array(0);
  const bound = (handle: number) => {
    const key = keys.get(handle);
    if (key === undefined) throw new Error(`key handle ${handle} is not bound`);
    return key;
  };
  return {
    ...createNodeCrypto(),
    sha256: (bytes) => sha256(bytes),
    hmacSha256: (key, bytes) => hmac(sha256, key, bytes),
    hmacSha1: (key, bytes, offset, length, tag) => tag.set(hmac(sha1, key, bytes.slice(offset, offset + length)), 0),
    aesCmKeystream: (key, iv, length) => ctr(key, iv).encrypt(new Uint8Array(length)),
    ecdhPublicKey(group, privateKey) {
      if (group === NAMED_GROUP.P256) return p256.getPublicKey(reduced(privateKey), false);
      return x25519.getPublicKey(privateKey);
    },
    ecdhSharedSecret(group, privateKey, peerPublicKey) {
      try {
        if (group !== NAMED_GROUP.P256) return x25519.getSharedSecret(privateKey, peerPublicKey);
        if (peerPublicKey.length !== 65) return undefined;
        return p256.getSharedSecret(reduced(privateKey), peerPublicKey, false).slice(1, 33);
      } catch {
        return undefined;
      }
    },
    signEcdsaP256: (privateKey, message) =>
      p256.sign(sha256(message), reduced(privateKey), { prehash: false, lowS: false, format: "der" }),
    setAeadKey: (handle, key) => void keys.set(handle, { cipherKey: key.slice(), authKey: none }),
    setCmKey: (handle, cipherKey, authKey) =>
      void keys.set(handle, { cipherKey: cipherKey.slice(), authKey: authKey.slice() }),
    releaseKey: (handle) => void keys.delete(handle),
    sealAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      const cipher = gcm(bound(handle).cipherKey, nonce, aad.slice(aadOffset, aadOffset + aadLength));
      target.set(cipher.encrypt(source.slice(sourceOffset, sourceOffset + sourceLength)), targetOffset);
    },
    openAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      const cipher = gcm(bound(handle).cipherKey, nonce, aad.slice(aadOffset, aadOffset + aadLength));
      try {
        target.set(cipher.decrypt(source.slice(sourceOffset, sourceOffset + sourceLength)), targetOffset);
        return true;
      } catch {
        return false;
      }
    },
    cipherCm(handle, iv, source, sourceOffset, sourceLength, target, targetOffset) {
      const cipher = ctr(bound(handle).cipherKey, iv);
      target.set(cipher.encrypt(source.slice(sourceOffset, sourceOffset + sourceLength)), targetOffset);
    },
    authCm(handle, bytes, offset, length, suffix, tag) {
      const word = Uint8Array.of(suffix >>> 24, suffix >>> 16, suffix >>> 8, suffix);
      tag.set(hmac(sha1, bound(handle).authKey, concatBytes(bytes.slice(offset, offset + length), word)), 0);
    },
  };
}

/** Any 32 bytes as a private key of P-256, by big integers. */
function reduced(privateKey: Uint8Array): Uint8Array {
  let value = 0n;
  for (const byte of privateKey) value = (value << 8n) | BigInt(byte);
  value %= p256.Point.CURVE().n;
  if (value === 0n) value = 1n;
  return Uint8Array.from(privateKey, (_, i) => Number((value >> BigInt(8 * (31 - i))) & 0xffn));
}
