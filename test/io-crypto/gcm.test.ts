/** AES-128-GCM by the parts of OpenSSL's own: where its keys lie. What it seals the contract of providers holds to account. */
import { createCipheriv } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { KEY_HANDLE, KEY_HANDLES_PER_PEER, keyHandleBase } from "../../core/crypto/handles.ts";
import { createGcmKeys, gcmBytes, gcmClose, gcmOpen, gcmRelease, gcmSeal, gcmSetKey } from "../../io-crypto/gcm.ts";
import { loadNative } from "../../io-crypto/native.ts";

const PEERS = 3;
const HANDLES = PEERS * KEY_HANDLES_PER_PEER;
const native = loadNative();

const given: number[] = [];
afterEach(() => {
  if (typeof native !== "string") for (const address of given.splice(0)) native.free(address, bytesOfSubject());
});

function bytesOfSubject(): number {
  return gcmBytes(PEERS) + 4_096;
}

/** Keys, and a page behind them for what is sealed. */
function createSubject() {
  if (typeof native === "string") throw new Error(native);
  const base = native.allocate(bytesOfSubject());
  given.push(base);
  const bytes = native.view(base, bytesOfSubject());
  const keys = createGcmKeys(native, bytes.subarray(0, gcmBytes(PEERS)), base, PEERS);
  const at = gcmBytes(PEERS);
  return { native, keys, base, bytes, page: bytes.subarray(at), pageAddress: base + at };
}

const hasKeys = process.platform === "linux" && process.arch === "x64" && createSubject().keys !== undefined;

describe.runIf(hasKeys)("keys of AES-128-GCM without EVP", () => {
  it("seal as node:crypto does, and know a forgery", () => {
    const { keys, page, pageAddress } = createSubject();
    page.forEach((_, index) => {
      page[index] = index;
    });
    const [key, nonce, text] = [page.slice(0, 16), page.slice(100, 112), page.slice(200, 1_400)];
    gcmSetKey(keys!, 3, pageAddress);
    gcmSeal(keys!, 3, pageAddress + 100, pageAddress, 12, pageAddress + 200, 1_200, pageAddress + 2_000);
    const cipher = createCipheriv("aes-128-gcm", key, nonce).setAAD(page.slice(0, 12));
    const sealed = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
    expect(Buffer.from(page.slice(2_000, 3_216))).toEqual(sealed);
    const open = () =>
      gcmOpen(keys!, 3, pageAddress + 100, pageAddress, 12, pageAddress + 2_000, 1_200, pageAddress + 200);
    expect(open()).toBe(true);
    page[2_700]! ^= 1;
    expect(open()).toBe(false);
  });

  it("leave nothing of themselves behind, and their place to the next", () => {
    const { keys, bytes, page, pageAddress } = createSubject();
    const isEmpty = () => bytes.subarray(0, gcmBytes(PEERS)).every((byte) => byte === 0);
    expect(isEmpty()).toBe(true);
    page.fill(7, 0, 16);
    for (let round = 0; round < 100; round++) {
      for (let handle = 0; handle < HANDLES; handle++) {
        gcmSetKey(keys!, handle, pageAddress);
        gcmSetKey(keys!, handle, pageAddress);
      }
      expect(isEmpty()).toBe(false);
      for (let handle = 0; handle < HANDLES; handle++) gcmRelease(keys!, handle);
      expect(isEmpty()).toBe(true);
    }
  });

  it("lie side by side for each use, in the order of the peers", () => {
    const { keys, bytes, page, pageAddress } = createSubject();
    const placesOf = (use: number) => {
      const places = Array.from({ length: PEERS }, (_, peer) => {
        gcmSetKey(keys!, keyHandleBase(peer) + use, pageAddress);
        const place = bytes.subarray(0, gcmBytes(PEERS)).findIndex((byte) => byte !== 0);
        gcmRelease(keys!, keyHandleBase(peer) + use);
        return place;
      });
      return places.map((place) => place - places[0]!);
    };
    page.fill(7, 0, 16);
    expect(placesOf(KEY_HANDLE.SRTP_WRITE)).toEqual([0, 768, 1_536]);
    expect(placesOf(KEY_HANDLE.SRTP_READ)).toEqual([0, 768, 1_536]);
  });

  it("keep out of each other's way", () => {
    const { keys, page, pageAddress } = createSubject();
    const seal = (handle: number) => {
      gcmSeal(keys!, handle, pageAddress + 100, pageAddress, 0, pageAddress + 200, 16, pageAddress + 300);
      return [...page.slice(300, 332)].join();
    };
    for (let handle = 0; handle < HANDLES; handle++) {
      page.fill(handle, 0, 16);
      gcmSetKey(keys!, handle, pageAddress);
    }
    const sealed = Array.from({ length: HANDLES }, (_, handle) => seal(handle));
    expect(new Set(sealed).size).toBe(HANDLES);
    for (let handle = 1; handle < HANDLES; handle++) gcmRelease(keys!, handle);
    expect(seal(0)).toBe(sealed[0]);
  });

  it("are gone once the memory is given back", () => {
    const { keys, pageAddress } = createSubject();
    gcmSetKey(keys!, 2, pageAddress);
    gcmClose(keys!);
    const seal = () => gcmSeal(keys!, 2, pageAddress, pageAddress, 12, pageAddress, 10, pageAddress);
    expect(seal).toThrow("the key handle is bound");
    expect(() => gcmRelease(keys!, 2)).not.toThrow();
  });

  it("must be bound before anything is sealed", () => {
    const { keys, pageAddress } = createSubject();
    const seal = () => gcmSeal(keys!, 2, pageAddress, pageAddress, 12, pageAddress, 10, pageAddress);
    expect(seal).toThrow("the key handle is bound");
    gcmSetKey(keys!, 2, pageAddress);
    gcmRelease(keys!, 2);
    expect(seal).toThrow("the key handle is bound");
  });

  it("are not there where a context needs more room than it has, where C lies too high, or OpenSSL was told otherwise", () => {
    const { native, base, bytes } = createSubject();
    const memory = bytes.subarray(0, gcmBytes(PEERS));
    const find: typeof native.find = (name, result, parameters) => {
      const found = native.find(name, result, parameters);
      if (name !== "CRYPTO_gcm128_init") return found;
      return (context, ...rest) => {
        memory[Number(context) - base + 508] = 0;
        return found(context, ...rest);
      };
    };
    expect(createGcmKeys({ ...native, find }, memory, base, PEERS)).toBeUndefined();
    expect(createGcmKeys(native, memory, 0x7fff_ff00, PEERS)).toBeUndefined();
    process.env.OPENSSL_ia32cap = "~0x200000200000000";
    expect(createGcmKeys(native, memory, base, PEERS)).toBeUndefined();
    delete process.env.OPENSSL_ia32cap;
    expect(createGcmKeys(native, memory, base, PEERS)).toBeDefined();
  });
});
