/**
 * A provider whose per-packet ciphers do as little as the port allows, so that a benchmark sees the core alone.
 *
 * Sealing copies and adds a tag of zeros, opening copies and believes everything. Handshakes, key derivation and STUN's
 * HMAC are the inner provider's, so that clients join as they always do; both ends have to use this one. It protects
 * nothing and notices nothing: for benchmarks only.
 */
import { AEAD_TAG_BYTES, type CryptoProvider } from "../../core/index.ts";

/** A provider with `inner`'s handshake and nothing in the place of AES and HMAC. For benchmarks only. */
export function createNullCrypto(inner: CryptoProvider): CryptoProvider {
  return {
    ...inner,
    setAeadKey() {},
    setCmKey() {},
    releaseKey() {},
    sealAead(_handle, _nonce, _aad, _aadOffset, _aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      copy(source, sourceOffset, sourceLength, target, targetOffset);
      const tag = targetOffset + sourceLength;
      for (let i = 0; i < AEAD_TAG_BYTES; i++) target[tag + i] = 0;
    },
    openAead(_handle, _nonce, _aad, _aadOffset, _aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      copy(source, sourceOffset, sourceLength - AEAD_TAG_BYTES, target, targetOffset);
      return true;
    },
    cipherCm(_handle, _iv, source, sourceOffset, sourceLength, target, targetOffset) {
      copy(source, sourceOffset, sourceLength, target, targetOffset);
    },
    authCm(_handle, _bytes, _offset, _length, _suffix, tag) {
      tag.fill(0);
    },
  };
}

/** Within one buffer, where the host keeps packets, the copy is a move of memory and makes no object. */
function copy(source: Uint8Array, from: number, length: number, target: Uint8Array, to: number): void {
  if (source === target && from === to) return;
  const start = source.byteOffset - target.byteOffset + from;
  if (source.buffer === target.buffer && start >= 0 && start + length <= target.length) {
    target.copyWithin(to, start, start + length);
  } else target.set(source.subarray(from, from + length), to);
}
