import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyHandleBase } from "../../core/crypto/handles.ts";
import { AEAD_TAG_BYTES } from "../../core/crypto/provider.ts";
import { LIMITS } from "../../core/index.ts";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import {
  type ContextLedger,
  createContextLedger,
  createOpensslCrypto,
  freeContexts,
  type OpensslCrypto,
} from "../../io-crypto/openssl-crypto.ts";
import { requireOpensslCrypto } from "../support/crypto/openssl-crypto.ts";

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index);
const AUTH_KEY = Uint8Array.from({ length: 20 }, (_, index) => index);
const NONCE = new Uint8Array(12);

/** Rounds in which leaks are looked for, keys of each, and bytes of a page of memory. */
const ROUNDS = 20;
const KEYS = 200;
const PAGE_BYTES = 4_096;

/**
 * Where native memory has lain so far: pages. What was freed is given out again, if perhaps a little further on; what is lost
 * keeps its place, so that all that comes after it lies elsewhere. That tells a leak from whatever else the process does.
 */
interface Places {
  readonly scratch: Set<number>;
  readonly ciphers: Set<number>;
  readonly macs: Set<number>;
}

function createPlaces(): Places {
  return { scratch: new Set(), ciphers: new Set(), macs: new Set() };
}

function note({ scratch, ciphers, macs }: Places, ledger: ContextLedger): void {
  ledger.subarray(0, 1 + 2 * KEYS).forEach((address, index) => {
    if (address === 0) return;
    const places = index === 0 ? scratch : index % 2 === 1 ? ciphers : macs;
    places.add(Math.floor(address / PAGE_BYTES));
  });
}

/** Does it again and again, and answers how many pages that has needed. */
function pagesOf(round: (places: Places) => void): Record<keyof Places, number> {
  const places = createPlaces();
  for (let i = 0; i < ROUNDS; i++) round(places);
  return { scratch: places.scratch.size, ciphers: places.ciphers.size, macs: places.macs.size };
}

function providerWith(ledger: ContextLedger): OpensslCrypto {
  const crypto = createOpensslCrypto(ledger);
  if (typeof crypto === "string") throw new Error(crypto);
  return crypto;
}

describe.skipIf(process.platform !== "linux")("the provider over kept OpenSSL contexts", () => {
  it.each([
    ["of its parts", true],
    ["of EVP", false],
  ])("agrees with node:crypto by GCM %s, wherever in its array a packet lies", (_, direct) => {
    const [own, other] = [requireOpensslCrypto(direct), createNodeCrypto()];
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
    const abandon = (forget: (ledger: ContextLedger) => void) => (places: Places) => {
      const ledger = createContextLedger();
      const crypto = providerWith(ledger);
      for (let handle = 0; handle < KEYS; handle++) crypto.setCmKey(handle, KEY, AUTH_KEY);
      expect(ledger.filter((address) => address !== 0)).toHaveLength(1 + 2 * KEYS);
      note(places, ledger);
      forget(ledger);
      freeContexts(ledger);
      expect(ledger.every((address) => address === 0)).toBe(true);
    };
    const kept = pagesOf(abandon(() => {}));
    // What stands in no ledger nobody frees.
    const lost = pagesOf(abandon((ledger) => ledger.fill(0)));
    expect(lost.scratch).toBeGreaterThanOrEqual(ROUNDS);
    for (const what of ["scratch", "ciphers", "macs"] as const) expect(kept[what]).toBeLessThan(lost[what] / 2);
  });

  it("has room for the last participant of a full shard", () => {
    const crypto = requireOpensslCrypto();
    const handle = keyHandleBase(LIMITS.participantsPerShardMax) - 1;
    crypto.setAeadKey(handle, KEY);
    crypto.releaseKey(handle);
    crypto.close();
  });

  it("gives back the contexts of released and replaced keys", () => {
    const churn = (forget: (ledger: ContextLedger) => void) => {
      const ledger = createContextLedger();
      const crypto = providerWith(ledger);
      const pages = pagesOf((places) => {
        for (let i = 0; i < 100; i++) {
          crypto.setAeadKey(i % 7, KEY);
          note(places, ledger);
          forget(ledger);
          crypto.setCmKey(i % 5, KEY, AUTH_KEY);
          note(places, ledger);
          if (i % 3 === 0) crypto.releaseKey(i % 5);
          forget(ledger);
        }
      });
      crypto.close();
      crypto.close();
      return pages;
    };
    const kept = churn(() => {});
    const lost = churn((ledger) => ledger.fill(0, 1, 1 + 2 * KEYS));
    for (const what of ["ciphers", "macs"] as const) expect(kept[what]).toBeLessThan(lost[what] / 2);
  });
});
