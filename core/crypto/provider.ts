/**
 * What the core asks of cryptography: synchronous functions over bytes, without state that the core could not rebuild.
 *
 * Ciphers that run per packet are named by a key handle, a small integer that the core hands out (core/crypto/handles.ts)
 * and the host binds to whatever it keeps, an OpenSSL context say. After a restore the core binds the same handles again
 * from the keys in its state. Everything else is a pure function of its arguments: ECDSA draws its nonce as RFC 6979 says,
 * so that equal inputs give equal bytes. Every range passed in lies inside its array; that is the caller's duty.
 */

/** The groups for key agreement that Lockstep speaks, by their TLS code point (RFC 8422 §5.1.1). */
export const NAMED_GROUP = { P256: 23, X25519: 29 } as const;

/** A code point of {@link NAMED_GROUP}. */
export type NamedGroup = (typeof NAMED_GROUP)[keyof typeof NAMED_GROUP];

/** Bytes that {@link CryptoProvider.sealAead} adds behind the ciphertext. */
export const AEAD_TAG_BYTES = 16;

/** Bytes of the nonce of AES-128-GCM. */
export const AEAD_NONCE_BYTES = 12;

/** What the core hands over for one packet, and gets back: room for one of each. Overwritten by every call. */
export interface CryptoWorkspace {
  /** 12 bytes. */
  readonly nonce: Uint8Array;
  /** 16 bytes: a block of AES-CM. */
  readonly counter: Uint8Array;
  /** 20 bytes: a whole HMAC-SHA-1. */
  readonly tag: Uint8Array;
  /** 12 bytes: the associated data of SRTCP. */
  readonly aad: Uint8Array;
}

/** A workspace on the heap, for a provider that has no better place. */
export function createCryptoWorkspace(): CryptoWorkspace {
  return {
    nonce: new Uint8Array(AEAD_NONCE_BYTES),
    counter: new Uint8Array(16),
    tag: new Uint8Array(20),
    aad: new Uint8Array(12),
  };
}

/** A provider of cryptography; `io-crypto` has the one that production and the simulator use. */
export interface CryptoProvider {
  /**
   * One for all keys: with one for each peer, sealing for a hundred of them would wait for memory a hundred times. It holds
   * nothing from call to call.
   */
  readonly workspace: CryptoWorkspace;

  /** SHA-256: 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;

  /** HMAC-SHA-256: 32 bytes. */
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array;

  /** HMAC-SHA-1 of a range, into the first 20 bytes of `tag`. For STUN's MESSAGE-INTEGRITY (RFC 8489 §14.5). */
  hmacSha1(key: Uint8Array, bytes: Uint8Array, offset: number, length: number, tag: Uint8Array): void;

  /** `length` bytes of AES-128 in counter mode from the 16-byte block `iv`: the SRTP key derivation (RFC 3711 §4.3.3). */
  aesCmKeystream(key: Uint8Array, iv: Uint8Array, length: number): Uint8Array;

  /**
   * The public key of a 32-byte private key: 65 bytes (0x04, x, y) on P-256, 32 bytes on X25519. Any 32 random bytes will
   * do as a private key: on P-256 they are reduced into the range of the group's order.
   */
  ecdhPublicKey(group: NamedGroup, privateKey: Uint8Array): Uint8Array;

  /** The 32-byte shared secret, or `undefined` when the peer's key is not a point of the group or gives an all-zero secret. */
  ecdhSharedSecret(group: NamedGroup, privateKey: Uint8Array, peerPublicKey: Uint8Array): Uint8Array | undefined;

  /** An ECDSA signature on P-256 with SHA-256 over `message`, DER-encoded, deterministic by RFC 6979. */
  signEcdsaP256(privateKey: Uint8Array, message: Uint8Array): Uint8Array;

  /**
   * Checks the signature of a peer with the key in its certificate. `scheme` is a TLS SignatureScheme (0x0403 ECDSA P-256
   * with SHA-256, 0x0804 RSA-PSS with SHA-256, 0x0401 RSA PKCS#1 with SHA-256); any other, or a certificate that can't be
   * read, answers false. Never throws.
   */
  verifySignature(certificate: Uint8Array, scheme: number, message: Uint8Array, signature: Uint8Array): boolean;

  /** A self-signed X.509 certificate (DER) for a P-256 private key; the same key gives the same bytes. */
  createCertificate(privateKey: Uint8Array): Uint8Array;

  /** Binds `handle` to an AES-128-GCM key of 16 bytes, replacing what it was bound to. */
  setAeadKey(handle: number, key: Uint8Array): void;

  /** Binds `handle` to an AES-128-CM key of 16 bytes and an HMAC-SHA-1 key of 20 bytes, replacing what it was bound to. */
  setCmKey(handle: number, cipherKey: Uint8Array, authKey: Uint8Array): void;

  /** Frees what `handle` is bound to; nothing happens when it is not bound. */
  releaseKey(handle: number): void;

  /**
   * AES-128-GCM: writes the ciphertext of `source` and the 16-byte tag to `target`. `source` and `target` may be the same
   * range. `aad` is authenticated and may lie in `target`, before the ciphertext.
   */
  sealAead(
    handle: number,
    nonce: Uint8Array,
    aad: Uint8Array,
    aadOffset: number,
    aadLength: number,
    source: Uint8Array,
    sourceOffset: number,
    sourceLength: number,
    target: Uint8Array,
    targetOffset: number,
  ): void;

  /**
   * The reverse: `source` holds ciphertext and tag, `sourceLength` counts both (at least 16). Answers false when the tag
   * does not fit; what was written to `target` is then worth nothing. `source` and `target` may start at the same byte.
   */
  openAead(
    handle: number,
    nonce: Uint8Array,
    aad: Uint8Array,
    aadOffset: number,
    aadLength: number,
    source: Uint8Array,
    sourceOffset: number,
    sourceLength: number,
    target: Uint8Array,
    targetOffset: number,
  ): boolean;

  /** AES-128 in counter mode from the 16-byte block `iv`; it seals and opens alike (RFC 3711 §4.1.1). */
  cipherCm(
    handle: number,
    iv: Uint8Array,
    source: Uint8Array,
    sourceOffset: number,
    sourceLength: number,
    target: Uint8Array,
    targetOffset: number,
  ): void;

  /**
   * HMAC-SHA-1 with the authentication key of `handle` over a range followed by the 32-bit `suffix` in network order (the
   * rollover counter, RFC 3711 §4.2), into the first 20 bytes of `tag`.
   */
  authCm(handle: number, bytes: Uint8Array, offset: number, length: number, suffix: number, tag: Uint8Array): void;
}
