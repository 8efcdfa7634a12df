/** The rolling hash: every change shows, and order and grouping count. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createFingerprint,
  type Fingerprint,
  fingerprintBytes,
  fingerprintHex,
  fingerprintNumber,
  fingerprintText,
} from "../../../core/base/fingerprint.ts";
import { hex } from "../../support/wire/hex.ts";

/** The hash after `feed` has been at it. */
function hashOf(feed: (hash: Fingerprint) => void): string {
  const hash = createFingerprint();
  feed(hash);
  return fingerprintHex(hash);
}

function hashBytes(bytes: Uint8Array): string {
  return hashOf((hash) => fingerprintBytes(hash, bytes, 0, bytes.length));
}

function hashNumbers(...values: readonly number[]): string {
  return hashOf((hash) => {
    for (const value of values) fingerprintNumber(hash, value);
  });
}

describe("the fingerprint of bytes", () => {
  it("is sixteen hexadecimal digits", () => {
    expect(fingerprintHex(createFingerprint())).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprintHex({ high: 1, low: 2 })).toBe("0000000100000002");
  });

  it("changes with every bit", () => {
    const bytes = new Uint8Array(64).map((_, i) => i * 37);
    const hashes = new Set([hashBytes(bytes)]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const other = bytes.slice();
      other[bit >> 3]! ^= 1 << (bit & 7);
      hashes.add(hashBytes(other));
    }
    expect(hashes.size).toBe(1 + bytes.length * 8);
  });

  it("changes in both lanes", () => {
    const a = hashBytes(hex("00"));
    const b = hashBytes(hex("01"));
    expect(a.slice(0, 8)).not.toBe(b.slice(0, 8));
    expect(a.slice(8)).not.toBe(b.slice(8));
  });

  it("depends on order", () => {
    expect(hashBytes(hex("01 02"))).not.toBe(hashBytes(hex("02 01")));
  });

  it("counts zeroes", () => {
    expect(hashBytes(hex("00"))).not.toBe(hashBytes(hex("00 00")));
  });

  it("does not depend on how they are cut up", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), (bytes, cut) => {
        const middle = Math.min(cut, bytes.length);
        const inTwo = hashOf((hash) => {
          fingerprintBytes(hash, bytes, 0, middle);
          fingerprintBytes(hash, bytes, middle, bytes.length - middle);
        });
        expect(inTwo).toBe(hashBytes(bytes));
      }),
    );
  });
});

describe("the fingerprint of numbers", () => {
  it("tells apart what differs in any part of 53 bits", () => {
    const values = [0, 1, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 52, Number.MAX_SAFE_INTEGER, 0xffff_ffff];
    expect(new Set(values.map((value) => hashNumbers(value))).size).toBe(values.length);
  });

  it("depends on order", () => {
    expect(hashNumbers(1, 2)).not.toBe(hashNumbers(2, 1));
  });

  it("meets no other among many", () => {
    const hashes = new Set<string>();
    for (let i = 0; i < 20_000; i++) hashes.add(hashNumbers(i % 100, Math.floor(i / 100), i * 4_294_967));
    expect(hashes.size).toBe(20_000);
  });
});

describe("the fingerprint of texts", () => {
  it("depends on where one ends and the next begins", () => {
    const together = hashOf((hash) => {
      fingerprintText(hash, "ab");
      fingerprintText(hash, "c");
    });
    const apart = hashOf((hash) => {
      fingerprintText(hash, "a");
      fingerprintText(hash, "bc");
    });
    expect(together).not.toBe(apart);
  });
});
