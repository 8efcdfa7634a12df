/**
 * The core's per-packet ciphers over OpenSSL contexts that are kept per key: the fast provider on Linux.
 *
 * Node's own API makes a cipher context for each packet, and that costs more than the ciphering. Here each handle keeps its
 * context with the expanded key inside, and a packet gives it a new nonce alone. The functions are those of the OpenSSL
 * that the Node binary carries and exports; where its GCM can be had without EVP (gcm.ts), it is. Ciphertext is written
 * where it is wanted: nothing is copied.
 * Even nonces lie where OpenSSL sees them when the core writes them into the provider's workspace. Everything that does not
 * run per packet passes through to `createNodeCrypto`.
 *
 * C checks no bounds, so every range is checked here; a range outside its array is a mistake of ours and throws. When the
 * provider is made, a sealed packet must come out as `node:crypto` makes it, or there is no provider.
 *
 * CPU time for a packet of 1,200 bytes on a busy 2-core AMD EPYC, Node 20, against `node:crypto`: AES-128-GCM 1.3 to 1.7 µs
 * and 7 to 10 µs, AES-CM 0.7 and 8 µs, HMAC-SHA-1 1.5 and 5 µs. Handing a `subarray` to C would cost 0.2 µs each.
 */
import { assert, must } from "../core/base/assert.ts";
import { equalBytes } from "../core/base/bytes.ts";
import { KEY_HANDLES_PER_PEER } from "../core/crypto/handles.ts";
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type CryptoProvider,
  type CryptoWorkspace,
} from "../core/crypto/provider.ts";
import { createGcmKeys, type GcmKeys, gcmBytes, gcmClose, gcmOpen, gcmRelease, gcmSeal, gcmSetKey } from "./gcm.ts";
import { loadNative, type Native, type NativeFunction } from "./native.ts";
import { createRanges, type Ranges, rangeAddress } from "./native-ranges.ts";
import { createNodeCrypto } from "./node-crypto.ts";

const AES_KEY_BYTES = 16;

/** Peers whose keys can be bound at a time; a shard that is full has fewer. */
const PEERS_MAX = 2_048;
const HANDLES_MAX = PEERS_MAX * KEY_HANDLES_PER_PEER;

const AES_BLOCK_BYTES = 16;
const SHA1_BYTES = 20;

/** Commands of EVP_CIPHER_CTX_ctrl (openssl/evp.h). */
const CTRL_AEAD_GET_TAG = 0x10;
const CTRL_AEAD_SET_TAG = 0x11;

/** Directions of EVP_CipherInit_ex. */
const DIRECTION = { OPEN: 0, SEAL: 1 } as const;

/** What lies where in the memory that both sides see; each piece is a multiple of 8 away. */
const NONCE_AT = 0;
const TAG_AT = 16;
const SUFFIX_AT = 48;
const LENGTH_AT = 56;
const KEY_AT = 64;
const PARAMETERS_AT = 128;
const TEXT_AT = 256;
const COUNTER_AT = 320;
const AAD_AT = 336;
/** Keys of AES-128-GCM lie behind that; pages are the kernel's until there are any. */
const GCM_AT = 512;
const MEMORY_BYTES = GCM_AT + gcmBytes(PEERS_MAX);

/** OSSL_PARAM (openssl/core.h): key, data type, data, size, returned size; 40 bytes. */
const PARAMETER_BYTES = 40;
const PARAMETER_UTF8 = 4;

/**
 * The addresses of all that a provider holds of native memory: its scratch, then for each handle a cipher's context and a
 * MAC's; 0 where there is none. A thread that is ended gives nothing back, so whoever ended it reads here what was left.
 */
export type ContextLedger = Float64Array;

/** A provider with native contexts to give back. */
export interface OpensslCrypto extends CryptoProvider {
  /** Frees every context; nothing may be sealed or opened after that. */
  close(): void;
}

/** OpenSSL's functions under their own names. */
interface Openssl {
  readonly gcm: number;
  readonly counter: number;
  readonly hmac: number;
  readonly cipherNew: NativeFunction;
  readonly cipherFree: NativeFunction;
  readonly cipherInit: NativeFunction;
  readonly cipherUpdate: NativeFunction;
  readonly cipherFinal: NativeFunction;
  readonly cipherControl: NativeFunction;
  readonly macNew: NativeFunction;
  readonly macFree: NativeFunction;
  readonly macInit: NativeFunction;
  readonly macUpdate: NativeFunction;
  readonly macFinal: NativeFunction;
  readonly clearErrors: NativeFunction;
  /** Gives back what was fetched. */
  release(): void;
}

/**
 * Addresses, or undefined. They stand above 2^31, and are handed to C as the objects that they are in here; an array of
 * numbers alone, or a field, would have V8 make another object for each call.
 */
type Addresses = (number | undefined)[];

/** The provider's own state. */
interface Provider {
  readonly native: Native;
  readonly openssl: Openssl;
  /** Addresses of contexts by handle; only AES-CM has a MAC. */
  readonly ciphers: Addresses;
  readonly macs: Addresses;
  readonly ledger: ContextLedger;
  /** Memory that OpenSSL sees too, and where it lies. */
  readonly scratch: Uint8Array;
  readonly base: number;
  readonly workspace: CryptoWorkspace;
  readonly ranges: Ranges;
  /** AES-128-GCM without EVP; undefined where that can't be had. */
  readonly gcm: GcmKeys | undefined;
  closed: boolean;
}

/** A ledger for {@link createOpensslCrypto}, in memory that threads can share. */
export function createContextLedger(): ContextLedger {
  return new Float64Array(new SharedArrayBuffer((1 + 2 * HANDLES_MAX) * 8));
}

/** Frees what a provider has left in its ledger: its thread is gone, and had no time to do it. */
export function freeContexts(ledger: ContextLedger): void {
  const native = loadNative();
  const openssl = typeof native === "string" ? native : findOpenssl(native);
  if (typeof native === "string" || typeof openssl === "string") return;
  freeAll(native, openssl, ledger);
  openssl.release();
}

/**
 * A provider over OpenSSL's contexts, or a sentence that says why there is none on this machine. It notes in `ledger` what
 * it holds of native memory. `direct` is for tests: whether AES-128-GCM may do without EVP.
 */
export function createOpensslCrypto(
  ledger: ContextLedger = createContextLedger(),
  direct = true,
): OpensslCrypto | string {
  const native = loadNative();
  if (typeof native === "string") return native;
  const openssl = findOpenssl(native);
  if (typeof openssl === "string") return openssl;
  const base = native.allocate(MEMORY_BYTES);
  const scratch = native.view(base, MEMORY_BYTES);
  ledger[0] = base;
  const provider: Provider = {
    native,
    openssl,
    // The first element keeps V8 from taking them for arrays of numbers.
    ciphers: [undefined],
    macs: [undefined],
    ledger,
    scratch,
    base,
    ranges: createRanges(native),
    gcm: direct ? createGcmKeys(native, scratch.subarray(GCM_AT), base + GCM_AT, PEERS_MAX) : undefined,
    workspace: {
      nonce: scratch.subarray(NONCE_AT, NONCE_AT + AEAD_NONCE_BYTES),
      counter: scratch.subarray(COUNTER_AT, COUNTER_AT + AES_BLOCK_BYTES),
      tag: scratch.subarray(TAG_AT, TAG_AT + SHA1_BYTES),
      aad: scratch.subarray(AAD_AT, AAD_AT + 12),
    },
    closed: false,
  };
  writeDigestParameter(provider);
  const { workspace } = provider;
  const crypto = { ...createNodeCrypto(), workspace, ...keyedCiphers(provider), close: () => close(provider) };
  if (sealsAlike(crypto)) return crypto;
  crypto.close();
  if (provider.gcm !== undefined) return createOpensslCrypto(ledger, false);
  return "The OpenSSL of this Node does not seal packets as node:crypto does.";
}

function findOpenssl(native: Native): Openssl | string {
  try {
    const fetchCipher = native.find("EVP_CIPHER_fetch", "address", ["address", "text", "address"]);
    const releaseCipher = native.find("EVP_CIPHER_free", "void", ["address"]);
    const fetchMac = native.find("EVP_MAC_fetch", "address", ["address", "text", "address"]);
    const releaseMac = native.find("EVP_MAC_free", "void", ["address"]);
    const found = {
      cipherNew: native.find("EVP_CIPHER_CTX_new", "address", []),
      cipherFree: native.find("EVP_CIPHER_CTX_free", "void", ["address"]),
      cipherInit: native.find("EVP_CipherInit_ex", "int", [...addresses(5), "int"]),
      cipherUpdate: native.find("EVP_CipherUpdate", "int", [...addresses(4), "int"]),
      cipherFinal: native.find("EVP_CipherFinal_ex", "int", addresses(3)),
      cipherControl: native.find("EVP_CIPHER_CTX_ctrl", "int", ["address", "int", "int", "address"]),
      macNew: native.find("EVP_MAC_CTX_new", "address", ["address"]),
      macFree: native.find("EVP_MAC_CTX_free", "void", ["address"]),
      macInit: native.find("EVP_MAC_init", "int", ["address", "address", "size_t", "address"]),
      macUpdate: native.find("EVP_MAC_update", "int", ["address", "address", "size_t"]),
      macFinal: native.find("EVP_MAC_final", "int", ["address", "address", "address", "size_t"]),
      clearErrors: native.find("ERR_clear_error", "void", []),
    };
    const gcm = fetchCipher(0, "AES-128-GCM", 0);
    const counter = fetchCipher(0, "AES-128-CTR", 0);
    const hmac = fetchMac(0, "HMAC", 0);
    const release = () => {
      releaseCipher(gcm);
      releaseCipher(counter);
      releaseMac(hmac);
    };
    if (gcm !== 0 && counter !== 0 && hmac !== 0) return { ...found, gcm, counter, hmac, release };
    release();
    return "The OpenSSL of this Node lacks AES-128-GCM, AES-128-CTR or HMAC.";
  } catch {
    return "This Node does not export the functions of OpenSSL.";
  }
}

function addresses(count: number): "address"[] {
  return new Array<"address">(count).fill("address");
}

/** The parameters that make EVP_MAC_init take SHA-1: one OSSL_PARAM, and one of zeros that ends the list. */
function writeDigestParameter({ scratch, base }: Provider): void {
  const name = TEXT_AT;
  const value = TEXT_AT + 16;
  scratch.set(new TextEncoder().encode("digest\0"), name);
  scratch.set(new TextEncoder().encode("SHA1\0"), value);
  const view = new DataView(scratch.buffer, PARAMETERS_AT, 2 * PARAMETER_BYTES);
  view.setBigUint64(0, BigInt(base + name), true);
  view.setUint32(8, PARAMETER_UTF8, true);
  view.setBigUint64(16, BigInt(base + value), true);
  view.setBigUint64(24, BigInt("SHA1".length), true);
}

function keyedCiphers(provider: Provider) {
  return {
    setAeadKey: (handle, key) => setAeadKey(provider, handle, key),
    setCmKey: (handle, cipherKey, authKey) => setCmKey(provider, handle, cipherKey, authKey),
    releaseKey: (handle) => releaseKey(provider, handle),
    ...(provider.gcm === undefined ? aeadOfContexts(provider) : aeadOfKeys(provider, provider.gcm)),
    cipherCm(handle, iv, source, sourceOffset, sourceLength, target, targetOffset) {
      assert(iv.length === AES_BLOCK_BYTES, "the counter block of AES has 16 bytes");
      const cipher = cipherOf(provider, handle);
      const { ranges } = provider;
      const from = rangeAddress(ranges, source, sourceOffset, sourceLength);
      const to = rangeAddress(ranges, target, targetOffset, sourceLength);
      begin(provider, cipher, iv);
      update(provider, cipher, from, sourceLength, to);
    },
    authCm: (handle, bytes, offset, length, suffix, tag) =>
      authenticate(provider, handle, bytes, offset, length, suffix, tag),
  } satisfies Partial<CryptoProvider>;
}

/** AES-128-GCM over an EVP context for each key. */
function aeadOfContexts(provider: Provider) {
  return {
    sealAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      const { openssl, base, ranges } = provider;
      const cipher = cipherOf(provider, handle);
      const from = rangeAddress(ranges, source, sourceOffset, sourceLength);
      const to = rangeAddress(ranges, target, targetOffset, sourceLength + AEAD_TAG_BYTES);
      beginAead(provider, cipher, nonce, DIRECTION.SEAL, rangeAddress(ranges, aad, aadOffset, aadLength), aadLength);
      update(provider, cipher, from, sourceLength, to);
      const done = openssl.cipherFinal(cipher, to + sourceLength, base + LENGTH_AT);
      assert(
        done === 1 && openssl.cipherControl(cipher, CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, to + sourceLength) === 1,
        "OpenSSL seals",
      );
    },
    openAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      const { openssl, base, ranges } = provider;
      const length = sourceLength - AEAD_TAG_BYTES;
      assert(length >= 0, "what is opened is as long as a tag at least");
      const cipher = cipherOf(provider, handle);
      const from = rangeAddress(ranges, source, sourceOffset, sourceLength);
      const to = rangeAddress(ranges, target, targetOffset, length);
      beginAead(provider, cipher, nonce, DIRECTION.OPEN, rangeAddress(ranges, aad, aadOffset, aadLength), aadLength);
      const set = openssl.cipherControl(cipher, CTRL_AEAD_SET_TAG, AEAD_TAG_BYTES, from + length);
      assert(set === 1, "OpenSSL takes the tag");
      update(provider, cipher, from, length, to);
      if (openssl.cipherFinal(cipher, base + TAG_AT, base + LENGTH_AT) === 1) return true;
      // What OpenSSL noted about a forgery must not meet whoever uses node:crypto on this thread next.
      openssl.clearErrors();
      return false;
    },
  } satisfies Partial<CryptoProvider>;
}

/** AES-128-GCM over the keys of gcm.ts. */
function aeadOfKeys(provider: Provider, gcm: GcmKeys) {
  const { ranges } = provider;
  return {
    sealAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      const from = rangeAddress(ranges, source, sourceOffset, sourceLength);
      const to = rangeAddress(ranges, target, targetOffset, sourceLength + AEAD_TAG_BYTES);
      const head = rangeAddress(ranges, aad, aadOffset, aadLength);
      gcmSeal(gcm, handle, aeadNonceAddress(provider, nonce), head, aadLength, from, sourceLength, to);
    },
    openAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      const length = sourceLength - AEAD_TAG_BYTES;
      assert(length >= 0, "what is opened is as long as a tag at least");
      const from = rangeAddress(ranges, source, sourceOffset, sourceLength);
      const to = rangeAddress(ranges, target, targetOffset, length);
      const head = rangeAddress(ranges, aad, aadOffset, aadLength);
      return gcmOpen(gcm, handle, aeadNonceAddress(provider, nonce), head, aadLength, from, length, to);
    },
  } satisfies Partial<CryptoProvider>;
}

function setAeadKey(provider: Provider, handle: number, key: Uint8Array): void {
  assert(key.length === AES_KEY_BYTES, "an AES-128-GCM key has 16 bytes");
  releaseKey(provider, handle);
  const { gcm, openssl, scratch, base } = provider;
  if (gcm === undefined) {
    bindKey(provider, handle, newCipher(provider, openssl.gcm, key), 0);
    return;
  }
  assertHandle(handle);
  scratch.set(key, KEY_AT);
  gcmSetKey(gcm, handle, base + KEY_AT);
  scratch.fill(0, KEY_AT, KEY_AT + AES_KEY_BYTES);
}

function setCmKey(provider: Provider, handle: number, cipherKey: Uint8Array, authKey: Uint8Array): void {
  const { openssl, scratch, base } = provider;
  assert(cipherKey.length === AES_KEY_BYTES, "an AES-128-CM key has 16 bytes");
  assert(authKey.length === SHA1_BYTES, "an HMAC-SHA-1 key of SRTP has 20 bytes");
  releaseKey(provider, handle);
  const cipher = newCipher(provider, openssl.counter, cipherKey);
  const mac = openssl.macNew(openssl.hmac);
  assert(mac !== 0, "OpenSSL makes a context");
  scratch.set(authKey, KEY_AT);
  const ready = openssl.macInit(mac, base + KEY_AT, SHA1_BYTES, base + PARAMETERS_AT);
  scratch.fill(0, KEY_AT, KEY_AT + SHA1_BYTES);
  assert(ready === 1, "OpenSSL takes the key");
  bindKey(provider, handle, cipher, mac);
}

function bindKey({ ciphers, macs, ledger }: Provider, handle: number, cipher: number, mac: number): void {
  assertHandle(handle);
  ciphers[handle] = cipher;
  macs[handle] = mac === 0 ? undefined : mac;
  ledger[1 + 2 * handle] = cipher;
  ledger[2 + 2 * handle] = mac;
}

function assertHandle(handle: number): void {
  assert(handle < HANDLES_MAX, "a handle belongs to one of the shard's participants");
}

/** A context with the key in it. */
function newCipher({ openssl, scratch, base }: Provider, kind: number, key: Uint8Array): number {
  const cipher = openssl.cipherNew();
  assert(cipher !== 0, "OpenSSL makes a context");
  scratch.set(key, KEY_AT);
  const ready = openssl.cipherInit(cipher, kind, 0, base + KEY_AT, 0, DIRECTION.SEAL);
  scratch.fill(0, KEY_AT, KEY_AT + AES_KEY_BYTES);
  assert(ready === 1, "OpenSSL takes the key");
  return cipher;
}

function releaseKey({ openssl, gcm, ciphers, macs, ledger }: Provider, handle: number): void {
  if (gcm !== undefined) gcmRelease(gcm, handle);
  if (ciphers[handle] === undefined) return;
  ciphers[handle] = undefined;
  macs[handle] = undefined;
  freeKey(openssl, ledger, handle);
}

function freeKey(openssl: Openssl, ledger: ContextLedger, handle: number): void {
  const [cipher, mac] = [ledger[1 + 2 * handle]!, ledger[2 + 2 * handle]!];
  ledger[1 + 2 * handle] = 0;
  ledger[2 + 2 * handle] = 0;
  if (cipher !== 0) openssl.cipherFree(cipher);
  if (mac !== 0) openssl.macFree(mac);
}

function freeAll(native: Native, openssl: Openssl, ledger: ContextLedger): void {
  for (let handle = 0; handle < HANDLES_MAX; handle++) freeKey(openssl, ledger, handle);
  if (ledger[0] !== 0) native.free(ledger[0]!, MEMORY_BYTES);
  ledger[0] = 0;
}

function cipherOf(provider: Provider, handle: number): number {
  return must(provider.ciphers[handle], "the key handle is bound");
}

/** Gives a context of AES-CM its counter block. */
function begin(provider: Provider, cipher: number, block: Uint8Array): void {
  const at = nonceAddress(provider, block);
  assert(provider.openssl.cipherInit(cipher, 0, 0, 0, at, DIRECTION.SEAL) === 1, "OpenSSL takes the counter block");
}

/** Where a nonce or a counter block lies: in the workspace, or now in a copy. */
function nonceAddress({ scratch, base, workspace }: Provider, nonce: Uint8Array): number {
  if (nonce === workspace.nonce) return base + NONCE_AT;
  if (nonce === workspace.counter) return base + COUNTER_AT;
  for (let i = 0; i < nonce.length; i++) scratch[NONCE_AT + i] = nonce[i]!;
  return base + NONCE_AT;
}

function aeadNonceAddress(provider: Provider, nonce: Uint8Array): number {
  assert(nonce.length === AEAD_NONCE_BYTES, "the nonce of AES-128-GCM has 12 bytes");
  return nonceAddress(provider, nonce);
}

function beginAead(
  provider: Provider,
  cipher: number,
  nonce: Uint8Array,
  direction: number,
  aad: number,
  aadLength: number,
): void {
  const at = aeadNonceAddress(provider, nonce);
  assert(provider.openssl.cipherInit(cipher, 0, 0, 0, at, direction) === 1, "OpenSSL takes the nonce");
  if (aadLength > 0) update(provider, cipher, aad, aadLength, 0);
}

/** Ciphers a range; to address 0, the range is associated data. */
function update({ openssl, base }: Provider, cipher: number, from: number, length: number, to: number): void {
  if (length === 0) return;
  assert(openssl.cipherUpdate(cipher, to, base + LENGTH_AT, from, length) === 1, "OpenSSL ciphers");
}

function authenticate(
  provider: Provider,
  handle: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  suffix: number,
  tag: Uint8Array,
): void {
  const { openssl, scratch, base, ranges } = provider;
  const mac = must(provider.macs[handle], "the key handle has an HMAC-SHA-1 key");
  const from = rangeAddress(ranges, bytes, offset, length);
  scratch[SUFFIX_AT] = suffix >>> 24;
  scratch[SUFFIX_AT + 1] = suffix >>> 16;
  scratch[SUFFIX_AT + 2] = suffix >>> 8;
  scratch[SUFFIX_AT + 3] = suffix;
  const done =
    openssl.macInit(mac, 0, 0, 0) === 1 &&
    (length === 0 || openssl.macUpdate(mac, from, length) === 1) &&
    openssl.macUpdate(mac, base + SUFFIX_AT, 4) === 1 &&
    openssl.macFinal(mac, base + TAG_AT, base + LENGTH_AT, SHA1_BYTES) === 1;
  assert(done, "OpenSSL authenticates");
  for (let i = 0; i < SHA1_BYTES; i++) tag[i] = scratch[TAG_AT + i]!;
}

function close(provider: Provider): void {
  if (provider.closed) return;
  provider.closed = true;
  provider.ciphers.fill(undefined);
  provider.macs.fill(undefined);
  if (provider.gcm !== undefined) gcmClose(provider.gcm);
  freeAll(provider.native, provider.openssl, provider.ledger);
  provider.openssl.release();
}

/** Whether packets of each cipher come out as `node:crypto` makes them, and a forgery is told from what it was. */
function sealsAlike(crypto: CryptoProvider): boolean {
  try {
    const [own, other] = [crypto, createNodeCrypto()].map(sealSamples);
    return equalBytes(own!, other!);
  } catch {
    return false;
  }
}

function sealSamples(crypto: CryptoProvider): Uint8Array {
  const bytes = Uint8Array.from({ length: 1_500 }, (_, index) => index);
  crypto.setAeadKey(0, bytes.slice(0, AES_KEY_BYTES));
  const nonce = bytes.slice(0, AEAD_NONCE_BYTES);
  crypto.sealAead(0, nonce, bytes, 0, 12, bytes, 12, 40, bytes, 12);
  crypto.sealAead(0, nonce, bytes, 0, 12, bytes, 200, 1_200, bytes, 200);
  const sealed = bytes.slice(200, 200 + 1_200 + AEAD_TAG_BYTES);
  bytes[1_450] = Number(crypto.openAead(0, nonce, bytes, 0, 12, sealed, 0, sealed.length, bytes.slice(), 0));
  bytes[1_451] = Number(crypto.openAead(0, nonce, bytes, 0, 11, sealed, 0, sealed.length, bytes.slice(), 0));
  crypto.setCmKey(0, bytes.slice(0, AES_KEY_BYTES), bytes.slice(0, SHA1_BYTES));
  crypto.cipherCm(0, bytes.slice(0, AES_BLOCK_BYTES), bytes, 80, 40, bytes, 80);
  const tag = new Uint8Array(SHA1_BYTES);
  crypto.authCm(0, bytes, 80, 40, 0x0102_0304, tag);
  bytes.set(tag, 120);
  crypto.releaseKey(0);
  return bytes;
}
