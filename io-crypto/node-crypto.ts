/**
 * The core's cryptography over `node:crypto` and thus OpenSSL: what production and the simulator use.
 *
 * A key handle is bound to the raw key; each packet makes a cipher context of its own, because Node can't give a context a
 * new nonce. That costs some microseconds a packet, and is the reason for a faster adapter on Linux. Two things are written
 * by hand: ECDSA signatures (ecdsa.ts), since the OpenSSL in Node 20 has no deterministic nonces (RFC 6979), and the
 * certificate (certificate.ts), since Node has no way to make one.
 *
 * Peers reach this file with their public keys, certificates and signatures. OpenSSL throws at bad ones; every such throw
 * is caught here and becomes the result that the port names.
 */
import * as node from "node:crypto";
import { assert, must } from "../core/base/assert.ts";
import { equalBytes } from "../core/base/bytes.ts";
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type CryptoProvider,
  createCryptoWorkspace,
  NAMED_GROUP,
} from "../core/crypto/provider.ts";
import { buildCertificate } from "./certificate.ts";
import { signDeterministic } from "./ecdsa.ts";

const AES_KEY_BYTES = 16;
const SHA1_BYTES = 20;
const PRIVATE_KEY_BYTES = 32;
const P256_PUBLIC_KEY_BYTES = 65;
const X25519_PUBLIC_KEY_BYTES = 32;
const DER_SEQUENCE = 0x30;

/** TLS SignatureScheme (RFC 8446 §4.2.3). */
const SIGNATURE_SCHEME = {
  RSA_PKCS1_SHA256: 0x0401,
  ECDSA_SECP256R1_SHA256: 0x0403,
  RSA_PSS_RSAE_SHA256: 0x0804,
} as const;

/** RSA keys outside this range are refused: shorter ones prove nothing, longer ones cost us time. */
const RSA_BITS_MIN = 1_024;
const RSA_BITS_MAX = 8_192;

/** The order of P-256 (SEC 2 §2.4.2), big-endian. */
const P256_ORDER = Uint8Array.from(
  Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex"),
);

/** What is the same in every key of X25519 (RFC 8037 §2). */
const X25519_JWK = { kty: "OKP", crv: "X25519" } as const;
/** And what stands before the 32 bytes in PKCS #8 (RFC 8410 §7). */
const X25519_PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");
const TAKES_HALF_JWK = takesHalfJwk();

const AEAD_OPTIONS = { authTagLength: AEAD_TAG_BYTES } as const;

/** What a handle is bound to; `authKey` is null for AES-128-GCM. */
interface BoundKey {
  readonly cipherKey: Uint8Array;
  readonly authKey: Uint8Array | null;
}

/** A provider over `node:crypto`. It holds the bound keys; everything else is a function of its arguments. */
export function createNodeCrypto(): CryptoProvider {
  return { workspace: createCryptoWorkspace(), ...handshakeFunctions(), ...keyedCiphers() };
}

/** What a provider answers to functions of their arguments alone. */
function handshakeFunctions() {
  return {
    sha256: (bytes) => owned(node.createHash("sha256").update(bytes).digest()),
    hmacSha256: (key, bytes) => owned(node.createHmac("sha256", key).update(bytes).digest()),
    hmacSha1(key, bytes, offset, length, tag) {
      tag.set(
        node
          .createHmac("sha1", key)
          .update(range(bytes, offset, length))
          .digest(),
        0,
      );
    },
    aesCmKeystream: (key, iv, length) =>
      owned(node.createCipheriv("aes-128-ctr", key, iv).update(new Uint8Array(length))),
    ecdhPublicKey,
    ecdhSharedSecret,
    signEcdsaP256,
    verifySignature,
    createCertificate(privateKey) {
      const publicKey = ecdhPublicKey(NAMED_GROUP.P256, privateKey);
      const keyHash = node.createHash("sha256").update(publicKey).digest();
      return buildCertificate(publicKey, owned(keyHash), (message) => signEcdsaP256(privateKey, message));
    },
  } satisfies Partial<CryptoProvider>;
}

/** The ciphers that run per packet, and the keys that they are bound to. */
function keyedCiphers() {
  const keys = new Map<number, BoundKey>();
  const bound = (handle: number): BoundKey => must(keys.get(handle), `key handle ${handle} is bound`);
  return {
    setAeadKey(handle, key) {
      assert(key.length === AES_KEY_BYTES, "an AES-128-GCM key has 16 bytes");
      keys.set(handle, { cipherKey: key.slice(), authKey: null });
    },
    setCmKey(handle, cipherKey, authKey) {
      assert(cipherKey.length === AES_KEY_BYTES, "an AES-128-CM key has 16 bytes");
      assert(authKey.length === SHA1_BYTES, "an HMAC-SHA-1 key of SRTP has 20 bytes");
      keys.set(handle, { cipherKey: cipherKey.slice(), authKey: authKey.slice() });
    },
    releaseKey(handle) {
      keys.delete(handle);
    },
    sealAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      assert(nonce.length === AEAD_NONCE_BYTES, "the nonce of AES-128-GCM has 12 bytes");
      const cipher = node.createCipheriv("aes-128-gcm", bound(handle).cipherKey, nonce, AEAD_OPTIONS);
      cipher.setAAD(range(aad, aadOffset, aadLength));
      target.set(cipher.update(range(source, sourceOffset, sourceLength)), targetOffset);
      cipher.final();
      target.set(cipher.getAuthTag(), targetOffset + sourceLength);
    },
    openAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      const length = sourceLength - AEAD_TAG_BYTES;
      assert(nonce.length === AEAD_NONCE_BYTES, "the nonce of AES-128-GCM has 12 bytes");
      assert(length >= 0, "what is opened is as long as a tag at least");
      const decipher = node.createDecipheriv("aes-128-gcm", bound(handle).cipherKey, nonce, AEAD_OPTIONS);
      decipher.setAAD(range(aad, aadOffset, aadLength));
      decipher.setAuthTag(range(source, sourceOffset + length, AEAD_TAG_BYTES));
      const plain = decipher.update(range(source, sourceOffset, length));
      try {
        decipher.final();
      } catch {
        return false;
      }
      target.set(plain, targetOffset);
      return true;
    },
    cipherCm(handle, iv, source, sourceOffset, sourceLength, target, targetOffset) {
      const cipher = node.createCipheriv("aes-128-ctr", bound(handle).cipherKey, iv);
      target.set(cipher.update(range(source, sourceOffset, sourceLength)), targetOffset);
    },
    authCm(handle, bytes, offset, length, suffix, tag) {
      const hmac = node.createHmac("sha1", must(bound(handle).authKey, `key handle ${handle} has an HMAC-SHA-1 key`));
      hmac.update(range(bytes, offset, length));
      hmac.update(Uint8Array.of(suffix >>> 24, suffix >>> 16, suffix >>> 8, suffix));
      tag.set(hmac.digest(), 0);
    },
  } satisfies Partial<CryptoProvider>;
}

function ecdhPublicKey(group: number, privateKey: Uint8Array): Uint8Array {
  if (group === NAMED_GROUP.P256) return owned(p256Key(privateKey).getPublicKey());
  const { x } = node.createPublicKey(x25519PrivateKey(privateKey)).export({ format: "jwk" });
  return owned(Buffer.from(must(x, "a public key of X25519 has an x"), "base64url"));
}

function ecdhSharedSecret(group: number, privateKey: Uint8Array, peerPublicKey: Uint8Array): Uint8Array | undefined {
  try {
    if (group === NAMED_GROUP.P256) {
      // OpenSSL would take compressed points too; TLS has none (RFC 8422 §5.1.2).
      if (peerPublicKey.length !== P256_PUBLIC_KEY_BYTES || peerPublicKey[0] !== 4) return undefined;
      return owned(p256Key(privateKey).computeSecret(peerPublicKey));
    }
    if (peerPublicKey.length !== X25519_PUBLIC_KEY_BYTES) return undefined;
    const key = { ...X25519_JWK, x: Buffer.from(peerPublicKey).toString("base64url") };
    const publicKey = node.createPublicKey({ key, format: "jwk" });
    const secret = owned(node.diffieHellman({ privateKey: x25519PrivateKey(privateKey), publicKey }));
    // RFC 7748 §6.1: an all-zero secret is refused (OpenSSL does it already; the port promises it).
    return equalBytes(secret, new Uint8Array(PRIVATE_KEY_BYTES)) ? undefined : secret;
  } catch {
    return undefined;
  }
}

function signEcdsaP256(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  // TLS takes either of the two values of s, and RFC 6979 names the one without the low-s rule of cryptocurrencies.
  return signDeterministic(p256Scalar(privateKey), message);
}

function verifySignature(certificate: Uint8Array, scheme: number, message: Uint8Array, signature: Uint8Array): boolean {
  // OpenSSL would read PEM text too.
  if (certificate[0] !== DER_SEQUENCE) return false;
  try {
    const { publicKey } = new node.X509Certificate(certificate);
    const { asymmetricKeyType, asymmetricKeyDetails } = publicKey;
    if (scheme === SIGNATURE_SCHEME.ECDSA_SECP256R1_SHA256) {
      if (asymmetricKeyType !== "ec" || asymmetricKeyDetails?.namedCurve !== "prime256v1") return false;
      return node.verify("sha256", message, { key: publicKey, dsaEncoding: "der" }, signature);
    }
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    if (asymmetricKeyType !== "rsa" || bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) return false;
    if (scheme === SIGNATURE_SCHEME.RSA_PKCS1_SHA256) {
      const padding = node.constants.RSA_PKCS1_PADDING;
      return node.verify("sha256", message, { key: publicKey, padding }, signature);
    }
    if (scheme !== SIGNATURE_SCHEME.RSA_PSS_RSAE_SHA256) return false;
    // RFC 8446 §4.2.3: the salt is as long as the digest.
    const padding = node.constants.RSA_PKCS1_PSS_PADDING;
    const saltLength = node.constants.RSA_PSS_SALTLEN_DIGEST;
    return node.verify("sha256", message, { key: publicKey, padding, saltLength }, signature);
  } catch {
    return false;
  }
}

/** A P-256 key pair as OpenSSL keeps it. */
function p256Key(privateKey: Uint8Array): node.ECDH {
  const key = node.createECDH("prime256v1");
  key.setPrivateKey(p256Scalar(privateKey));
  return key;
}

/**
 * Any 32 bytes as a private key in 1 to n-1. A key in that range stays what it is; one above it, a chance of 1 in 2^32,
 * loses n (one subtraction is enough, as n is above 2^255), and zero becomes one.
 */
function p256Scalar(privateKey: Uint8Array): Uint8Array {
  assert(privateKey.length === PRIVATE_KEY_BYTES, "a private key has 32 bytes");
  const scalar = privateKey.slice();
  if (Buffer.compare(scalar, P256_ORDER) >= 0) {
    let borrow = 0;
    for (let i = PRIVATE_KEY_BYTES - 1; i >= 0; i--) {
      const difference = scalar[i]! - P256_ORDER[i]! - borrow;
      scalar[i] = difference;
      borrow = difference < 0 ? 1 : 0;
    }
  }
  if (equalBytes(scalar, new Uint8Array(PRIVATE_KEY_BYTES))) scalar[PRIVATE_KEY_BYTES - 1] = 1;
  return scalar;
}

/**
 * A key of X25519 from its bytes. As a JWK (RFC 8037) without the public half where Node takes that, because Node 20 needs
 * 0.05 ms for it and 0.5 ms for PKCS #8; newer ones compare the two halves, and are quick with PKCS #8 (RFC 8410 §7).
 */
export function x25519PrivateKey(privateKey: Uint8Array, asHalfJwk: boolean = TAKES_HALF_JWK): node.KeyObject {
  assert(privateKey.length === PRIVATE_KEY_BYTES, "a private key has 32 bytes");
  if (asHalfJwk) {
    const key = { ...X25519_JWK, d: Buffer.from(privateKey).toString("base64url"), x: "" };
    return node.createPrivateKey({ key, format: "jwk" });
  }
  return node.createPrivateKey({ key: Buffer.concat([X25519_PKCS8, privateKey]), format: "der", type: "pkcs8" });
}

function takesHalfJwk(): boolean {
  try {
    x25519PrivateKey(new Uint8Array(PRIVATE_KEY_BYTES).fill(1), true);
    return true;
  } catch {
    return false;
  }
}

/** A plain copy with a buffer of its own: the core never meets a `Buffer` or a piece of Node's pool. */
function owned(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

function range(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  return bytes.subarray(offset, offset + length);
}
