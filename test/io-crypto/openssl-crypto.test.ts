import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyHandleBase } from "../../core/crypto/handles.ts";
import { AEAD_TAG_BYTES } from "../../core/crypto/provider.ts";
import { LIMITS } from "../../core/index.ts";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { createContextLedger, createOpensslCrypto, freeContexts } from "../../io-crypto/openssl-crypto.ts";
import { requireOpensslCrypto } from "../support/openssl-crypto.ts";

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index);
const AUTH_KEY = Uint8Array.from({ length: 20 }, (_, index) => index);
const NONCE = new Uint8Array(12);

describe.skipIf(process.platform !== "linux")("the provider over kept OpenSSL contexts", () => {
  it("agrees with node:crypto wherever in its array a packet lies", () => {
    const [own, other] = [requireOpensslCrypto(), createNodeCrypto()];
    for (const crypto of [own, other]) {
      crypto.setAeadKey(1, KEY);
      crypto.setCmKey(2, KEY, AUTH_KEY);
    }
    const packet = fc.record({
      before: fc.nat(40),
      aad: fc.nat(40),
      plain: fc.nat(1_500),
      suffix: fc.nat(0xffff_ffff),
      block: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    });
    fc.assert(
      fc.property(packet, ({ before, aad, plain, suffix, block }) => {
        const [a, b] = [own, other].map((crypto) => {
          const bytes = Uint8Array.from({ length: 2_048 }, (_, index) => index * 7);
          const elsewhere = new Uint8Array(2_048);
          const body = before + aad;
          crypto.sealAead(1, block.slice(4), bytes, before, aad, bytes, body, plain, bytes, body);
          crypto.cipherCm(2, block, bytes, body, plain, elsewhere, 200);
          const tag = new Uint8Array(20);
          crypto.authCm(2, bytes, before, plain, suffix, tag);
          return [bytes, elsewhere, tag];
        });
        expect(a).toEqual(b);
      }),
    );
    own.close();
  });

  it("seals and opens by turns on one handle, and a forgery leaves nothing behind", () => {
    const crypto = requireOpensslCrypto();
    crypto.setAeadKey(1, KEY);
    const sealed = new Uint8Array(50 + AEAD_TAG_BYTES);
    const seal = () => {
      sealed.fill(9);
      crypto.sealAead(1, NONCE, KEY, 0, 12, sealed, 0, 50, sealed, 0);
    };
    const open = (aadLength: number) => {
      const plain = new Uint8Array(50);
      return crypto.openAead(1, NONCE, KEY, 0, aadLength, sealed, 0, sealed.length, plain, 0) ? plain : undefined;
    };
    for (let turn = 0; turn < 3; turn++) {
      seal();
      expect(open(11)).toBeUndefined();
      expect(open(12)).toEqual(new Uint8Array(50).fill(9));
    }
    crypto.close();
  });

  it("follows more arrays than it remembers, short ones and pieces of larger ones", () => {
    const [own, other] = [requireOpensslCrypto(), createNodeCrypto()];
    for (const crypto of [own, other]) crypto.setAeadKey(1, KEY);
    const lengths = Array.from({ length: 12 }, (_, index) => 20 + index * 9);
    const arrays = () => lengths.map((length) => new Uint8Array(length + 30).subarray(10).fill(length));
    const [ours, theirs] = [arrays(), arrays()];
    for (let round = 0; round < 3; round++) {
      for (const [index, bytes] of ours.entries()) {
        for (const [crypto, target] of [
          [own, bytes],
          [other, theirs[index]!],
        ] as const)
          crypto.sealAead(1, NONCE, target, 0, 4, target, 4, 10, target, 4);
      }
    }
    expect(ours).toEqual(theirs);
    own.close();
  });

  it("refuses a range that is not inside its array, before C sees it", () => {
    const crypto = requireOpensslCrypto();
    crypto.setAeadKey(1, KEY);
    crypto.setCmKey(2, KEY, AUTH_KEY);
    const bytes = new Uint8Array(40);
    const tag = new Uint8Array(20);
    expect(() => crypto.sealAead(1, NONCE, bytes, 0, 0, bytes, 0, 25, bytes, 0)).toThrow("inside its array");
    expect(() => crypto.sealAead(1, NONCE, bytes, 38, 3, bytes, 0, 1, bytes, 0)).toThrow("inside its array");
    expect(() => crypto.openAead(1, NONCE, bytes, 0, 0, bytes, 10, 31, bytes, 0)).toThrow("inside its array");
    expect(() => crypto.cipherCm(2, KEY, bytes, -1, 4, bytes, 0)).toThrow("inside its array");
    expect(() => crypto.authCm(2, bytes, 0, 41, 0, tag)).toThrow("inside its array");
    expect(bytes).toEqual(new Uint8Array(40));
    crypto.close();
  });

  it("has its contexts and memory freed by another, where it was ended without a word", () => {
    const abandon = (count: number) => {
      for (let i = 0; i < count; i++) {
        const ledger = createContextLedger();
        const crypto = createOpensslCrypto(ledger);
        if (typeof crypto === "string") throw new Error(crypto);
        for (let handle = 0; handle < 500; handle++) crypto.setCmKey(handle, KEY, AUTH_KEY);
        expect(ledger.filter((address) => address !== 0)).toHaveLength(1 + 2 * 500);
        freeContexts(ledger);
        expect(ledger.every((address) => address === 0)).toBe(true);
      }
    };
    abandon(4);
    const before = process.memoryUsage().rss;
    abandon(60);
    expect(process.memoryUsage().rss - before).toBeLessThan(25_000_000);
  });

  it("has room for the last participant of a full shard", () => {
    const crypto = requireOpensslCrypto();
    const handle = keyHandleBase(LIMITS.participantsPerShardMax) - 1;
    crypto.setAeadKey(handle, KEY);
    crypto.releaseKey(handle);
    crypto.close();
  });

  it("gives back the contexts of released and replaced keys, and its own memory", () => {
    const churn = (count: number) => {
      const crypto = requireOpensslCrypto();
      for (let i = 0; i < count; i++) {
        crypto.setAeadKey(i % 7, KEY);
        crypto.setCmKey(i % 5, KEY, AUTH_KEY);
        if (i % 3 === 0) crypto.releaseKey(i % 5);
      }
      crypto.close();
      crypto.close();
    };
    churn(2_000);
    const before = process.memoryUsage().rss;
    churn(30_000);
    // Each context holds more than a kilobyte: 60,000 lost ones would be 60 MB.
    expect(process.memoryUsage().rss - before).toBeLessThan(25_000_000);
  });
});
