/** Key material is looked up by (seed, purpose, entity, ordinal): each part counts, and nothing else does. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deriveEntropy, ENTROPY_SEED_BYTES } from "../../../core/crypto/entropy.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { createNobleCrypto } from "../../support/crypto/noble-crypto.ts";
import { hex } from "../../support/wire/hex.ts";

const crypto = createNodeCrypto();
const seed = Uint8Array.from({ length: ENTROPY_SEED_BYTES }, (_, i) => i);
const question = fc.record({
  purpose: fc.string({ maxLength: 20 }),
  entity: fc.oneof(fc.nat(100), fc.maxSafeNat()),
  ordinal: fc.oneof(fc.nat(100), fc.nat(0xffff_ffff)),
});

describe("derived entropy", () => {
  it("is HMAC-SHA-256 of purpose, entity (64 bits) and ordinal (32 bits)", () => {
    const message = hex(
      "64 74 6c 73", // "dtls"
      "00 00 00 01 00 00 00 02", // entity
      "00 00 00 03", // ordinal
    );
    expect(deriveEntropy(crypto, seed, "dtls", 0x1_0000_0002, 3, 32)).toEqual(crypto.hmacSha256(seed, message));
  });

  it("gives the same bytes whenever and with whichever provider it is asked", () => {
    const other = createNobleCrypto();
    fc.assert(
      fc.property(question, ({ purpose, entity, ordinal }) => {
        const first = deriveEntropy(crypto, seed, purpose, entity, ordinal, 32);
        expect(deriveEntropy(other, seed, purpose, entity, ordinal, 32)).toEqual(first);
      }),
    );
  });

  it("gives other bytes for another purpose, entity, ordinal or seed", () => {
    const otherSeed = seed.slice();
    otherSeed[31]! ^= 1;
    fc.assert(
      fc.property(question, ({ purpose, entity, ordinal }) => {
        const answers = [
          deriveEntropy(crypto, seed, purpose, entity, ordinal, 32),
          deriveEntropy(crypto, seed, `${purpose}.`, entity, ordinal, 32),
          deriveEntropy(crypto, seed, purpose, entity === 0 ? 1 : entity - 1, ordinal, 32),
          deriveEntropy(crypto, seed, purpose, entity, ordinal ^ 1, 32),
          deriveEntropy(crypto, otherSeed, purpose, entity, ordinal, 32),
        ];
        expect(new Set(answers.map((answer) => Buffer.from(answer).toString("hex"))).size).toBe(answers.length);
      }),
    );
  });

  it("tells entities apart that differ only above 32 bits", () => {
    const low = deriveEntropy(crypto, seed, "resource", 7, 0, 16);
    expect(deriveEntropy(crypto, seed, "resource", 7 + 2 ** 32, 0, 16)).not.toEqual(low);
  });

  it("is as long as it is asked for, a prefix of the whole, with a buffer of its own", () => {
    const whole = deriveEntropy(crypto, seed, "certificate", 1, 0, 32);
    for (const length of [0, 1, 16, 31, 32]) {
      const part = deriveEntropy(crypto, seed, "certificate", 1, 0, length);
      expect(part).toEqual(whole.slice(0, length));
      expect(part.buffer.byteLength).toBe(length);
    }
  });

  it("is at most 32 bytes long, and more is our own mistake", () => {
    expect(() => deriveEntropy(crypto, seed, "certificate", 1, 0, 33)).toThrow("32 bytes");
  });
});
