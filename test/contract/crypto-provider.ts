/**
 * What the core relies on in any provider of cryptography (core/crypto/provider.ts), as a suite that runs on each of them.
 * Known answers come from the specifications. Those of the per-packet ciphers are asked of real providers alone; their
 * behaviour (round trips, refusals, bounds) is asked of all.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes } from "../../core/base/bytes.ts";
import { utf8Encode } from "../../core/base/text.ts";
import { AEAD_TAG_BYTES, type CryptoProvider, NAMED_GROUP } from "../../core/crypto/provider.ts";
import { hex } from "../support/wire/hex.ts";

/** A test of real ciphers alone. For toys it does not exist, so that nothing is ever reported as skipped. */
function itWhenReal(ciphers: "real" | "toy", name: string, test: () => void): void {
  if (ciphers === "real") it(name, test);
}

/** Runs the suite on what `create` makes. A provider with real ciphers answers as AES does. */
export function cryptoProviderContract(create: () => CryptoProvider, ciphers: "real" | "toy"): void {
  describe("hashes", () => hashes(create));
  describe("key agreement", () => keyAgreement(create));
  describe("signatures", () => signatures(create));
  describe("AEAD", () => aead(create, ciphers));
  describe("counter mode with HMAC", () => counterMode(create, ciphers));
}

function hashes(create: () => CryptoProvider): void {
  const crypto = create();

  it("SHA-256 answers FIPS 180-4's example", () => {
    expect(crypto.sha256(utf8Encode("abc"))).toEqual(
      hex("ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad"),
    );
  });

  it("HMAC-SHA-256 answers RFC 4231 §4.3", () => {
    expect(crypto.hmacSha256(utf8Encode("Jefe"), utf8Encode("what do ya want for nothing?"))).toEqual(
      hex("5bdcc146 bf60754e 6a042426 089575c7 5a003f08 9d273983 9dec58b9 64ec3843"),
    );
  });

  it("HMAC-SHA-1 answers RFC 2202 §3, case 2, of a range inside a larger array", () => {
    const text = utf8Encode("<what do ya want for nothing?>");
    const tag = new Uint8Array(24).fill(0x77);
    crypto.hmacSha1(utf8Encode("Jefe"), text, 1, text.length - 2, tag);
    expect(tag).toEqual(hex("effcdf6a e5eb2fa2 d27416d5 f184df9c 259a7c79", "77777777"));
  });

  it("AES-CM gives the keystream of RFC 3711 §B.2", () => {
    const key = hex("2B7E1516 28AED2A6 ABF71588 09CF4F3C");
    expect(crypto.aesCmKeystream(key, hex("F0F1F2F3 F4F5F6F7 F8F9FAFB FCFD0000"), 48)).toEqual(
      hex(
        "E03EAD09 35C95E80 E166B16D D92B4EB4",
        "D2351316 2B02D0F7 2A43A2FE 4A5F97AB",
        "41E95B3B B0A2E8DD 477901E4 FCA894C0",
      ),
    );
  });

  it("AES-CM gives the end of RFC 3711 §B.2's keystream, where the counter carries", () => {
    const key = hex("2B7E1516 28AED2A6 ABF71588 09CF4F3C");
    expect(crypto.aesCmKeystream(key, hex("F0F1F2F3 F4F5F6F7 F8F9FAFB FCFDFEFF"), 48)).toEqual(
      hex(
        "EC8CDF73 98607CB0 F2D21675 EA9EA1E4",
        "362B7C3C 67735163 18A077D7 FC5073AE",
        "6A2CC378 7889374F BEB4C81B 17BA6C44",
      ),
    );
  });

  it("results own their whole buffer", () => {
    for (const bytes of [
      crypto.sha256(new Uint8Array(3)),
      crypto.hmacSha256(new Uint8Array(3), new Uint8Array(3)),
      crypto.aesCmKeystream(new Uint8Array(16), new Uint8Array(16), 20),
      crypto.ecdhPublicKey(NAMED_GROUP.P256, new Uint8Array(32)),
      crypto.ecdhPublicKey(NAMED_GROUP.X25519, new Uint8Array(32)),
      crypto.signEcdsaP256(new Uint8Array(32), new Uint8Array(3)),
      crypto.createCertificate(new Uint8Array(32)),
    ]) {
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect(bytes.buffer.byteLength).toBe(bytes.length);
    }
  });
}

function keyAgreement(create: () => CryptoProvider): void {
  const crypto = create();
  const { P256, X25519 } = NAMED_GROUP;

  it("X25519 answers both examples of RFC 7748 §5.2, the second with a coordinate that has its top bit set", () => {
    const first = crypto.ecdhSharedSecret(
      X25519,
      hex("a546e36b f0527c9d 3b16154b 82465edd 62144c0a c1fc5a18 506a2244 ba449ac4"),
      hex("e6db6867 583030db 3594c1a4 24b15f7c 726624ec 26b3353b 10a903a6 d0ab1c4c"),
    );
    const second = crypto.ecdhSharedSecret(
      X25519,
      hex("4b66e9d4 d1b4673c 5ad22691 957d6af5 c11b6421 e0ea01d4 2ca4169e 7918ba0d"),
      hex("e5210f12 786811d3 f4b7959d 0538ae2c 31dbe710 6fc03c3e fc4cd549 c715a493"),
    );
    expect(first).toEqual(hex("c3da5537 9de9c690 8e94ea4d f28d084f 32eccf03 491c71f7 54b40755 77a28552"));
    expect(second).toEqual(hex("95cbde94 76e8907d 7aade45c b4b873f8 8b595a68 799fa152 e6f8f764 7aac7957"));
  });

  it("X25519 answers the key agreement of RFC 7748 §6.1", () => {
    const alice = hex("77076d0a 7318a57d 3c16c172 51b26645 df4c2f87 ebc0992a b177fba5 1db92c2a");
    const bob = hex("5dab087e 624a8a4b 79e17f8b 83800ee6 6f3bb129 2618b6fd 1c2f8b27 ff88e0eb");
    const bobPublic = hex("de9edb7d 7b7dc1b4 d35b61c2 ece43537 3f8343c8 5b78674d adfc7e14 6f882b4f");
    expect(crypto.ecdhPublicKey(X25519, bob)).toEqual(bobPublic);
    expect(crypto.ecdhSharedSecret(X25519, alice, bobPublic)).toEqual(
      hex("4a5d9d5b a4ce2de1 728e3bf4 80350f25 e07e21c9 47d19e33 76f09b3c 1e161742"),
    );
  });

  it("P-256 answers the first vector of NIST's ECC CDH validation system", () => {
    const peer = hex(
      "04", // uncompressed
      "700c48f7 7f56584c 5cc632ca 65640db9 1b6bacce 3a4df6b4 2ce7cc83 8833d287", // x
      "db71e509 e3fd9b06 0ddb20ba 5c51dcc5 948d46fb f640dfe0 441782ca b85fa4ac", // y
    );
    const privateKey = hex("7d7dc5f7 1eb29dda f80d6214 632eeae0 3d9058af 1fb6d22e d80badb6 2bc1a534");
    expect(crypto.ecdhSharedSecret(P256, privateKey, peer)).toEqual(
      hex("46fc6210 6420ff01 2e54a434 fbdd2d25 ccc58520 60561e68 040dd777 8997bd7b"),
    );
  });

  it("both sides of an agreement get the same secret", () => {
    const privateKey = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.constantFrom(P256, X25519), privateKey, privateKey, (group, a, b) => {
        const ours = crypto.ecdhSharedSecret(group, a, crypto.ecdhPublicKey(group, b));
        expect(ours).toHaveLength(32);
        expect(crypto.ecdhSharedSecret(group, b, crypto.ecdhPublicKey(group, a))).toEqual(ours);
      }),
      { numRuns: 20 },
    );
  });

  it("any 32 bytes are a private key of P-256: zero and the order stand for one, higher numbers lose the order", () => {
    const publicKey = (number: string) => crypto.ecdhPublicKey(P256, hex(number.padStart(64, "0")));
    const order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc6325";
    expect(publicKey("00")).toEqual(publicKey("01"));
    expect(publicKey(`${order}51`)).toEqual(publicKey("01"));
    expect(publicKey(`${order}52`)).toEqual(publicKey("01"));
    expect(publicKey(`${order}53`)).toEqual(publicKey("02"));
    expect(publicKey(`${order}50`).slice(1, 33)).toEqual(publicKey("01").slice(1, 33)); // -1 has the same x as 1
    expect(publicKey(`ffffffff00000001${"0".repeat(48)}`)).toEqual(
      publicKey("000000000000000000000000000000004319055258e8617b0c46353d039cdaaf"),
    );
    expect(publicKey("ff".repeat(32))).toEqual(
      publicKey("00000000ffffffff00000000000000004319055258e8617b0c46353d039cdaae"),
    );
  });

  it("a peer's key that is no point of P-256 gives no secret", () => {
    const own = new Uint8Array(32).fill(7);
    const good = crypto.ecdhPublicKey(P256, new Uint8Array(32).fill(9));
    const offCurve = good.slice();
    offCurve[64]! ^= 1;
    const compressed = concatBytes(Uint8Array.of(2 + (good[64]! & 1)), good.slice(1, 33));
    const hybrid = concatBytes(Uint8Array.of(6 + (good[64]! & 1)), good.slice(1));
    const infinity = Uint8Array.of(0);
    for (const peer of [offCurve, compressed, hybrid, infinity, good.slice(0, 64), new Uint8Array(65)]) {
      expect(crypto.ecdhSharedSecret(P256, own, peer)).toBeUndefined();
    }
  });

  it("a peer's key that forces an all-zero secret out of X25519 gives none", () => {
    const own = new Uint8Array(32).fill(7);
    const zero = new Uint8Array(32);
    const one = Uint8Array.of(1, ...new Uint8Array(31));
    const orderEight = hex("e0eb7a7c 3b41b8ae 1656e3fa f19fc46a da098deb 9c32b1fd 86620516 5f49b800");
    for (const peer of [zero, one, orderEight]) {
      expect(crypto.ecdhSharedSecret(X25519, own, peer)).toBeUndefined();
    }
  });

  it("arbitrary bytes as a peer's key never throw", () => {
    const peerKey = fc.oneof(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ minLength: 32, maxLength: 32 }));
    fc.assert(
      fc.property(fc.constantFrom(P256, X25519), peerKey, (group, peer) => {
        const secret = crypto.ecdhSharedSecret(group, new Uint8Array(32).fill(3), peer);
        expect(secret === undefined || secret.length === 32).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
}

function signatures(create: () => CryptoProvider): void {
  const crypto = create();
  const privateKey = hex("C9AFA9D8 45BA7516 6B5C2157 67B1D693 4E50C3DB 36E89B12 7B8A622B 120F6721");

  it("ECDSA answers RFC 6979 §A.2.5 for the message 'sample'", () => {
    expect(crypto.signEcdsaP256(privateKey, utf8Encode("sample"))).toEqual(
      hex(
        "30 46", // SEQUENCE
        "02 21 00 EFD48B2A ACB6A8FD 1140DD9C D45E81D6 9D2C877B 56AAF991 C34D0EA8 4EAF3716", // r
        "02 21 00 F7CB1C94 2D657C41 D436C7A1 B6E29F65 F3E900DB B9AFF406 4DC4AB2F 843ACDA8", // s, above half the order
      ),
    );
  });

  it("ECDSA answers RFC 6979 §A.2.5 for the message 'test'", () => {
    expect(crypto.signEcdsaP256(privateKey, utf8Encode("test"))).toEqual(
      hex(
        "30 45", // SEQUENCE
        "02 21 00 F1ABB023 518351CD 71D88156 7B1EA663 ED3EFCF6 C5132B35 4F28D3B0 B7D38367", // r
        "02 20 019F4113 742A2B14 BD25926B 49C64915 5F267E60 D3814B4C 0CC84250 E46F0083", // s
      ),
    );
  });

  it("the public key of RFC 6979 §A.2.5 belongs to its private key", () => {
    expect(crypto.ecdhPublicKey(NAMED_GROUP.P256, privateKey)).toEqual(
      hex(
        "04", // uncompressed
        "60FED4BA 255A9D31 C961EB74 C6356D68 C049B892 3B61FA6C E669622E 60F29FB6", // Ux
        "7903FE10 08B8BC99 A41AE9E9 5628BC64 F2F1B20C 2D7E9F51 77A3C294 D4462299", // Uy
      ),
    );
  });

  it("the certificate verifies what its private key has signed, and nothing else", () => {
    const certificate = crypto.createCertificate(privateKey);
    const message = utf8Encode("client write key");
    const signature = crypto.signEcdsaP256(privateKey, message);
    const other = crypto.createCertificate(new Uint8Array(32).fill(5));
    expect(crypto.verifySignature(certificate, 0x0403, message, signature)).toBe(true);
    expect(crypto.verifySignature(certificate, 0x0403, utf8Encode("client write kex"), signature)).toBe(false);
    expect(crypto.verifySignature(other, 0x0403, message, signature)).toBe(false);
    expect(crypto.verifySignature(certificate, 0x0401, message, signature)).toBe(false);
    expect(crypto.verifySignature(certificate, 0x0804, message, signature)).toBe(false);
    expect(crypto.verifySignature(certificate, 0x0503, message, signature)).toBe(false);
  });

  it("equal keys give equal certificates, other keys others", () => {
    const certificate = crypto.createCertificate(privateKey);
    expect(create().createCertificate(privateKey.slice())).toEqual(certificate);
    expect(crypto.createCertificate(new Uint8Array(32).fill(5))).not.toEqual(certificate);
  });

  it("arbitrary and damaged certificates and signatures never throw, and nothing damaged verifies", () => {
    const certificate = crypto.createCertificate(privateKey);
    const message = new Uint8Array(20);
    const signature = crypto.signEcdsaP256(privateKey, message);
    const scheme = fc.constantFrom(0x0403, 0x0804, 0x0401, 0);
    const damaged = (bytes: Uint8Array) =>
      fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
        const copy = bytes.slice();
        copy[at]! ^= mask;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), damaged(certificate)), scheme, (bytes, code) => {
        expect(typeof crypto.verifySignature(bytes, code, message, signature)).toBe("boolean");
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), damaged(signature)), (bytes) => {
        expect(crypto.verifySignature(certificate, 0x0403, message, bytes)).toBe(false);
      }),
    );
  });
}

const KEY_A = hex("00010203 04050607 08090a0b 0c0d0e0f");
const KEY_B = hex("00010203 04050607 08090a0b 0c0d0e0e");
const AUTH_A = hex("00010203 04050607 08090a0b 0c0d0e0f 10111213");
const AUTH_B = hex("00010203 04050607 08090a0b 0c0d0e0f 10111212");

function aead(create: () => CryptoProvider, ciphers: "real" | "toy"): void {
  const parts = fc.record({
    nonce: fc.uint8Array({ minLength: 12, maxLength: 12 }),
    aad: fc.uint8Array({ maxLength: 40 }),
    plain: fc.uint8Array({ maxLength: 80 }),
  });

  /** Ciphertext and tag in an array of their own. */
  function seal(crypto: CryptoProvider, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plain.length + AEAD_TAG_BYTES);
    crypto.sealAead(1, nonce, aad, 0, aad.length, plain, 0, plain.length, sealed, 0);
    return sealed;
  }

  /** What is opened, or `undefined` when it is refused. */
  function open(crypto: CryptoProvider, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array) {
    const plain = new Uint8Array(sealed.length - AEAD_TAG_BYTES);
    const opened = crypto.openAead(1, nonce, aad, 0, aad.length, sealed, 0, sealed.length, plain, 0);
    return opened ? plain : undefined;
  }

  itWhenReal(ciphers, "sealing answers RFC 7714 §16.1.1", () => {
    const crypto = create();
    crypto.setAeadKey(1, KEY_A);
    const aad = hex("8040f17b 8041f8d3 5501a0b2");
    expect(
      seal(crypto, hex("51753c65 80c2726f 20718414"), aad, utf8Encode("Gallia est omnis divisa in partes tres")),
    ).toEqual(
      hex(
        "f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833", // ciphertext
        "899d7f27 beb16a91 52cf765e e4390cce", // tag
      ),
    );
  });

  it("what was sealed opens, empty payloads and empty associated data included", () => {
    const crypto = create();
    crypto.setAeadKey(1, KEY_A);
    fc.assert(
      fc.property(parts, ({ nonce, aad, plain }) => {
        expect(open(crypto, nonce, aad, seal(crypto, nonce, aad, plain))).toEqual(plain);
      }),
    );
  });

  it("sealing and opening in place, with the associated data right before, touches no byte outside", () => {
    const crypto = create();
    crypto.setAeadKey(1, KEY_A);
    fc.assert(
      fc.property(parts, fc.nat(9), ({ nonce, aad, plain }, margin) => {
        const around = new Uint8Array(margin + 1).fill(0x5a);
        const bytes = concatBytes(around, aad, plain, new Uint8Array(AEAD_TAG_BYTES), around);
        const body = around.length + aad.length;
        crypto.sealAead(1, nonce, bytes, around.length, aad.length, bytes, body, plain.length, bytes, body);
        expect(bytes).toEqual(concatBytes(around, aad, seal(crypto, nonce, aad, plain), around));
        const sealedLength = plain.length + AEAD_TAG_BYTES;
        expect(
          crypto.openAead(1, nonce, bytes, around.length, aad.length, bytes, body, sealedLength, bytes, body),
        ).toBe(true);
        expect(bytes.slice(0, body + plain.length)).toEqual(concatBytes(around, aad, plain));
        expect(bytes.slice(body + sealedLength)).toEqual(around);
      }),
    );
  });

  it("a changed byte anywhere (ciphertext, tag, associated data, nonce) is refused", () => {
    const crypto = create();
    crypto.setAeadKey(1, KEY_A);
    const change = fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }), part: fc.nat(2) });
    fc.assert(
      fc.property(parts, change, ({ nonce, aad, plain }, { at, mask, part }) => {
        const sealed = seal(crypto, nonce, aad, plain);
        const damaged = part === 0 ? nonce : part === 1 && aad.length > 0 ? aad : sealed;
        damaged[at % damaged.length]! ^= mask;
        expect(open(crypto, nonce, aad, sealed)).toBeUndefined();
      }),
    );
  });

  it("a byte that has moved from the associated data to the payload is noticed", () => {
    const crypto = create();
    crypto.setAeadKey(1, KEY_A);
    const nonce = new Uint8Array(12);
    const sealed = seal(crypto, nonce, new Uint8Array(4), new Uint8Array(0));
    expect(open(crypto, nonce, new Uint8Array(0), concatBytes(new Uint8Array(4), sealed))).toBeUndefined();
  });

  it("another key does not open it", () => {
    const crypto = create();
    const nonce = new Uint8Array(12);
    const aad = new Uint8Array(12);
    crypto.setAeadKey(1, KEY_A);
    const sealed = seal(crypto, nonce, aad, new Uint8Array(30));
    crypto.setAeadKey(1, KEY_B);
    expect(open(crypto, nonce, aad, sealed)).toBeUndefined();
    crypto.setAeadKey(1, KEY_A);
    expect(open(crypto, nonce, aad, sealed)).toEqual(new Uint8Array(30));
  });

  it("the sealed payload is not the plain one", () => {
    const crypto = create();
    crypto.setAeadKey(1, KEY_A);
    const sealed = seal(crypto, new Uint8Array(12), new Uint8Array(12), new Uint8Array(32));
    for (let at = 0; at < 32; at += 8) expect(sealed.slice(at, at + 8)).not.toEqual(new Uint8Array(8));
  });

  it("a provider keeps its own copy of a key, and a released handle is not bound", () => {
    const crypto = create();
    const key = KEY_A.slice();
    crypto.setAeadKey(1, key);
    const before = seal(crypto, new Uint8Array(12), new Uint8Array(0), new Uint8Array(5));
    key.fill(0);
    expect(seal(crypto, new Uint8Array(12), new Uint8Array(0), new Uint8Array(5))).toEqual(before);
    crypto.releaseKey(1);
    crypto.releaseKey(1);
    expect(() => seal(crypto, new Uint8Array(12), new Uint8Array(0), new Uint8Array(5))).toThrow();
  });
}

function counterMode(create: () => CryptoProvider, ciphers: "real" | "toy"): void {
  itWhenReal(ciphers, "the cipher is AES-CM: zeros become RFC 3711 §B.2's keystream", () => {
    const crypto = create();
    crypto.setCmKey(2, hex("2B7E1516 28AED2A6 ABF71588 09CF4F3C"), AUTH_A);
    const bytes = new Uint8Array(20);
    crypto.cipherCm(2, hex("F0F1F2F3 F4F5F6F7 F8F9FAFB FCFD0000"), bytes, 0, 20, bytes, 0);
    expect(bytes).toEqual(hex("E03EAD09 35C95E80 E166B16D D92B4EB4 D2351316"));
  });

  itWhenReal(ciphers, "the tag is HMAC-SHA-1 over the range and the suffix in network order", () => {
    const crypto = create();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2 }), fc.nat(0xffff_ffff), (bytes, suffix) => {
        const word = Uint8Array.of(suffix >>> 24, suffix >>> 16, suffix >>> 8, suffix);
        const whole = concatBytes(bytes.slice(1, -1), word);
        const expected = new Uint8Array(20);
        const tag = new Uint8Array(20);
        crypto.hmacSha1(AUTH_A, whole, 0, whole.length, expected);
        crypto.setCmKey(2, KEY_A, AUTH_A);
        crypto.authCm(2, bytes, 1, bytes.length - 2, suffix, tag);
        expect(tag).toEqual(expected);
      }),
    );
  });

  it("ciphering twice with one counter block gives the payload back, in place and elsewhere", () => {
    const crypto = create();
    crypto.setCmKey(2, KEY_A, AUTH_A);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.uint8Array({ maxLength: 80 }), (iv, plain) => {
        const there = new Uint8Array(plain.length + 6).fill(0x5a);
        crypto.cipherCm(2, iv, plain, 0, plain.length, there, 3);
        crypto.cipherCm(2, iv, there, 3, plain.length, there, 3);
        const around = Uint8Array.of(0x5a, 0x5a, 0x5a);
        expect(there).toEqual(concatBytes(around, plain, around));
      }),
    );
  });

  it("another counter block or cipher key gives other bytes", () => {
    const crypto = create();
    const iv = new Uint8Array(16);
    const cipher = (block: Uint8Array) => {
      const bytes = new Uint8Array(24);
      crypto.cipherCm(2, block, bytes, 0, 24, bytes, 0);
      return bytes;
    };
    crypto.setCmKey(2, KEY_A, AUTH_A);
    const first = cipher(iv);
    const later = iv.slice();
    later[13] = 1;
    expect(cipher(later)).not.toEqual(first);
    crypto.setCmKey(2, KEY_B, AUTH_A);
    expect(cipher(iv)).not.toEqual(first);
  });

  it("the first ten bytes of the tag tell every changed byte, suffix and authentication key", () => {
    const crypto = create();
    const change = fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }), part: fc.nat(2) });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(0xffff_ffff), change, (bytes, suffix, { at, mask, part }) => {
        const before = new Uint8Array(20);
        const after = new Uint8Array(20);
        crypto.setCmKey(2, KEY_A, AUTH_A);
        crypto.authCm(2, bytes, 0, bytes.length, suffix, before);
        if (part === 0) bytes[at % bytes.length]! ^= mask;
        if (part === 1) crypto.setCmKey(2, KEY_A, AUTH_B);
        crypto.authCm(2, bytes, 0, bytes.length, part === 2 ? (suffix ^ mask) >>> 0 : suffix, after);
        expect(after.slice(0, 10)).not.toEqual(before.slice(0, 10));
      }),
    );
  });
}
