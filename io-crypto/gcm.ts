/**
 * AES-128-GCM by the parts that OpenSSL's own is made of: its GCM mode (openssl/modes.h) over its AES-NI functions, all
 * exported by the Node binary.
 *
 * An EVP context is two objects somewhere on C's heap and a dozen indirections on the way to the cipher; with the
 * contexts of hundreds of subscribers each of them waits for memory. Here a key is one piece of twelve cache lines:
 *
 *     key schedule (AES_KEY, 244 bytes), at 247: bound or not, at 256: GCM128_CONTEXT (under 512 bytes), at 768: the next key
 *
 * Where it lies follows from its handle, and keys of one use lie side by side: what a packet reads for one subscriber after
 * the other is one stretch of memory, and the processor runs ahead in it. 1,200 bytes are sealed in 0.50 µs where EVP needs
 * 0.76 (2-core AMD EPYC, Node 20). Only processors with AES-NI have these functions, so OpenSSL is asked first what there is;
 * whoever has told OpenSSL what it may use (OPENSSL_ia32cap) keeps EVP. How large GCM128_CONTEXT is no header says, so a trial
 * has to show that it stays within its room.
 */
import { assert } from "../core/base/assert.ts";
import { KEY_HANDLES_PER_PEER, keyHandlePeer, keyHandleUse } from "../core/crypto/handles.ts";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from "../core/crypto/provider.ts";
import type { Native, NativeFunction } from "./native.ts";

const KEY_BITS = 128;
const CONTEXT_AT = 256;
const KEY_BYTES = 768;
/** What schedule and context may not touch in the trial, each at the end of its room. */
const MARGIN_BYTES = 8;
const MARGIN = 0xa5;
/** Where a key says that it is there: in a line that every packet reads. */
const BOUND_AT = CONTEXT_AT - MARGIN_BYTES - 1;
const BOUND = 1;

/** OpenSSL's functions under their own names, without the CRYPTO_gcm128_. */
interface Gcm {
  readonly setEncryptKey: NativeFunction;
  readonly init: NativeFunction;
  readonly setIv: NativeFunction;
  readonly aad: NativeFunction;
  readonly encrypt: NativeFunction;
  readonly decrypt: NativeFunction;
  readonly finish: NativeFunction;
  readonly tag: NativeFunction;
  /**
   * Addresses of `aesni_encrypt` and `aesni_ctr32_encrypt_blocks`. They stand above 2^31; openssl-crypto.ts says why they lie
   * among something else than numbers.
   */
  readonly cipher: readonly [undefined, block: number, stream: number];
}

/** Keys by handle; make them with {@link createGcmKeys}. */
export interface GcmKeys {
  readonly gcm: Gcm;
  /** Nothing after {@link gcmClose}. */
  memory: Uint8Array;
  readonly base: number;
  /** How many peers have room for their keys. */
  readonly peers: number;
}

/** Bytes of memory for all keys of so many peers. */
export function gcmBytes(peers: number): number {
  return peers * KEY_HANDLES_PER_PEER * KEY_BYTES;
}

/**
 * No keys yet, in `memory`, which lies at `base`; undefined where this processor or this Node lacks something, or the memory
 * lies too high for addresses of one word.
 */
export function createGcmKeys(native: Native, memory: Uint8Array, base: number, peers: number): GcmKeys | undefined {
  if (base + memory.length > 0x7fff_ffff || !hasAesNi(native, base)) return undefined;
  const gcm = findGcm(native);
  if (gcm === undefined) return undefined;
  const keys = { gcm, memory, base, peers };
  return keepsToItsRoom(keys) ? keys : undefined;
}

/** Binds a key of 16 bytes, which lies at an address. */
export function gcmSetKey(keys: GcmKeys, handle: number, keyAddress: number): void {
  const { gcm, base, memory } = keys;
  gcmRelease(keys, handle);
  const place = placeOf(keys, handle);
  assert(gcm.setEncryptKey(keyAddress, KEY_BITS, base + place) === 0, "OpenSSL takes the key");
  gcm.init(base + place + CONTEXT_AT, base + place, gcm.cipher[1]);
  memory[place + BOUND_AT] = BOUND;
}

/** Forgets a key, if there is one. */
export function gcmRelease(keys: GcmKeys, handle: number): void {
  const place = placeOf(keys, handle);
  if (isBound(keys, place)) keys.memory.fill(0, place, place + KEY_BYTES);
}

/** From now on there are no keys: the memory may be given back. */
export function gcmClose(keys: GcmKeys): void {
  keys.memory = new Uint8Array(0);
}

/** Seals `length` bytes at `from` to `to`, and the tag behind them; everything is an address. */
export function gcmSeal(
  keys: GcmKeys,
  handle: number,
  nonce: number,
  aad: number,
  aadLength: number,
  from: number,
  length: number,
  to: number,
): void {
  const { gcm } = keys;
  const context = begin(keys, handle, nonce, aad, aadLength);
  assert(gcm.encrypt(context, from, to, length, gcm.cipher[2]) === 0, "OpenSSL seals");
  gcm.tag(context, to + length, AEAD_TAG_BYTES);
}

/** Opens `length` bytes at `from`, which a tag follows, to `to`; false for a forgery. */
export function gcmOpen(
  keys: GcmKeys,
  handle: number,
  nonce: number,
  aad: number,
  aadLength: number,
  from: number,
  length: number,
  to: number,
): boolean {
  const { gcm } = keys;
  const context = begin(keys, handle, nonce, aad, aadLength);
  assert(gcm.decrypt(context, from, to, length, gcm.cipher[2]) === 0, "OpenSSL opens");
  return gcm.finish(context, from + length, AEAD_TAG_BYTES) === 0;
}

function begin(keys: GcmKeys, handle: number, nonce: number, aad: number, aadLength: number): number {
  const { gcm, base } = keys;
  const place = placeOf(keys, handle);
  assert(isBound(keys, place), "the key handle is bound");
  const context = base + place + CONTEXT_AT;
  gcm.setIv(context, nonce, AEAD_NONCE_BYTES);
  if (aadLength > 0) assert(gcm.aad(context, aad, aadLength) === 0, "OpenSSL takes associated data");
  return context;
}

/** Where in the memory the key of a handle lies, or would. */
function placeOf({ peers }: GcmKeys, handle: number): number {
  return (keyHandleUse(handle) * peers + keyHandlePeer(handle)) * KEY_BYTES;
}

function isBound({ memory }: GcmKeys, place: number): boolean {
  return memory[place + BOUND_AT] === BOUND;
}

/** Whether the processor has AES-NI, SSSE3 and PCLMULQDQ: bits of ECX, as CPUID 1 says and OpenSSL tells in the upper half. */
function hasAesNi(native: Native, address: number): boolean {
  if (process.arch !== "x64" || process.env.OPENSSL_ia32cap !== undefined) return false;
  try {
    const ask = native.find("OPENSSL_ia32_cpuid", "size_t", ["address"]);
    const ecx = Math.floor(Number(ask(address)) / 0x1_0000_0000);
    return [25, 9, 1].every((bit) => ((ecx >>> bit) & 1) === 1);
  } catch {
    return false;
  }
}

function findGcm(native: Native): Gcm | undefined {
  try {
    const find = (name: string, result: "int" | "void", count: number) =>
      native.find(name, result, new Array<"address">(count).fill("address"));
    const locate = native.find("dlsym", "address", ["address", "text"]);
    // RTLD_DEFAULT is 0.
    const cipher = [undefined, locate(0, "aesni_encrypt"), locate(0, "aesni_ctr32_encrypt_blocks")] as const;
    if (cipher[1] === 0 || cipher[2] === 0) return undefined;
    return {
      setEncryptKey: native.find("aesni_set_encrypt_key", "int", ["address", "int", "address"]),
      init: find("CRYPTO_gcm128_init", "void", 3),
      setIv: find("CRYPTO_gcm128_setiv", "void", 3),
      aad: find("CRYPTO_gcm128_aad", "int", 3),
      encrypt: find("CRYPTO_gcm128_encrypt_ctr32", "int", 5),
      decrypt: find("CRYPTO_gcm128_decrypt_ctr32", "int", 5),
      finish: find("CRYPTO_gcm128_finish", "int", 3),
      tag: find("CRYPTO_gcm128_tag", "void", 3),
      cipher,
    };
  } catch {
    return undefined;
  }
}

/** Seals something with the first key's room, and looks whether the bytes at its end are still what they were. */
function keepsToItsRoom(keys: GcmKeys): boolean {
  const { memory, base } = keys;
  const margins = [CONTEXT_AT, KEY_BYTES].map((end) => memory.subarray(end - MARGIN_BYTES, end));
  for (const margin of margins) margin.fill(MARGIN);
  const elsewhere = base + KEY_BYTES;
  gcmSetKey(keys, 0, elsewhere);
  gcmSeal(keys, 0, elsewhere, elsewhere, 16, elsewhere, 100, elsewhere);
  const kept = isBound(keys, 0) && margins.every((margin) => margin.every((byte) => byte === MARGIN));
  gcmRelease(keys, 0);
  memory.fill(0, 0, 2 * KEY_BYTES);
  return kept;
}
