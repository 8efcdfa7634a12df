/**
 * A provider for simulated worlds only: it makes packets cheap, and keeps no secret whatsoever.
 *
 * Most of what a simulated call costs is AES, and most stories are not about AES. This provider keeps the shape of both SRTP
 * ciphers and of DTLS records (same lengths, nonces, tags, handles) and still notices everything that goes wrong: changed
 * bytes, another key, another nonce, swapped packets. A keyed hash in two 32-bit lanes runs over nonce, associated data
 * and ciphertext, word by word, and makes the tag. The payload is XORed with a weak keystream, so that a packet which
 * nobody has opened is as useless as a sealed one; whoever wants to read it can.
 *
 * Long contents go through views of whole words (./word-views.ts), two at each step of two more lanes, which end in those
 * two: one of them is multiplied, and the other added. With a multiplication for each a large packet takes twice as long.
 *
 * Handshake, key derivation, certificates and STUN's HMAC are real and pass through to the inner provider. Nothing is
 * allocated per packet.
 */
import { assert, must } from "../core/base/assert.ts";
import { readI32, writeU32 } from "../core/base/bytes.ts";
import { AEAD_TAG_BYTES, type CryptoProvider } from "../core/crypto/provider.ts";
import { createWordViews, lookAt, type WordViews } from "./word-views.ts";

/** Odd constants: multiplying by them is a permutation of the 32-bit words. */
const HIGH_FACTOR = 0x9e37_79b1;
const LOW_FACTOR = 0x85eb_ca77;
const THIRD_FACTOR = 0xc2b2_ae3d;
const FOURTH_FACTOR = 0x27d4_eb2f;
/** From one word of the keystream to the next, and to those behind: odd, so that none comes twice. */
const STREAM_STEP = 0x3c6e_f35f;

/** Contents from this length on are long: for fewer bytes a view would cost more than it saves. */
const LONG_BYTES = 64;
/** Two words for each of the two lanes. */
const ROUND_WORDS = 4;
const ROUND_BYTES = 4 * ROUND_WORDS;

/** Whether what is written is taken into the hash, or what is read. */
const SEAL = -1;
const OPEN = 0;

/** What a handle is bound to: what packets' contents begin with, and the first values of the lanes that make their tags. */
interface ChecksumKey {
  readonly isAead: boolean;
  readonly stream: number;
  readonly high: number;
  readonly low: number;
}

/** A running hash. Each step is a permutation for a given word, and of the word for a given state. */
interface Lanes {
  high: number;
  low: number;
}

/**
 * A provider with `inner`'s handshake and a checksum in the place of AES. For simulated worlds only. Providers whose packets
 * lie in the same buffers may share `words`.
 */
export function createChecksumCrypto(inner: CryptoProvider, words: WordViews = createWordViews()): CryptoProvider {
  /** By handle, without holes: a list with holes is slow. */
  const keys: (ChecksumKey | undefined)[] = [];
  const lanes: Lanes = { high: 0, low: 0 };

  function bind(handle: number, key: ChecksumKey | undefined): void {
    while (keys.length <= handle) keys.push(undefined);
    keys[handle] = key;
  }

  function bound(handle: number, isAead: boolean): ChecksumKey {
    const key = must(keys[handle], "the key handle is bound");
    assert(key.isAead === isAead, "the key handle is bound to a key of the cipher's kind");
    return key;
  }

  /** The hash of an AEAD packet: lengths, nonce, associated data, ciphertext. */
  function begin(key: ChecksumKey, nonce: Uint8Array, aad: Uint8Array, aadOffset: number, aadLength: number): void {
    lanes.high = key.high;
    lanes.low = key.low;
    absorb(lanes, nonce, 0, nonce.length);
    absorb(lanes, aad, aadOffset, aadLength);
  }

  return {
    ...inner,
    setAeadKey(handle, key) {
      const { high, low } = keyLanes(key);
      bind(handle, { isAead: true, stream: high ^ low, high, low });
    },
    setCmKey(handle, cipherKey, authKey) {
      const stream = keyLanes(cipherKey);
      bind(handle, { isAead: false, stream: stream.high ^ stream.low, ...keyLanes(authKey) });
    },
    releaseKey(handle) {
      bind(handle, undefined);
    },
    sealAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      const key = bound(handle, true);
      begin(key, nonce, aad, aadOffset, aadLength);
      const start = streamStart(key.stream, nonce);
      pass(words, lanes, SEAL, start, source, sourceOffset, sourceLength, target, targetOffset);
      writeTag(lanes, target, targetOffset + sourceLength);
    },
    openAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      const key = bound(handle, true);
      const length = sourceLength - AEAD_TAG_BYTES;
      assert(length >= 0, "what is opened is as long as a tag at least");
      begin(key, nonce, aad, aadOffset, aadLength);
      const start = streamStart(key.stream, nonce);
      pass(words, lanes, OPEN, start, source, sourceOffset, length, target, targetOffset);
      return hasTag(lanes, source, sourceOffset + length);
    },
    cipherCm(handle, iv, source, sourceOffset, sourceLength, target, targetOffset) {
      mask(streamStart(bound(handle, false).stream, iv), source, sourceOffset, sourceLength, target, targetOffset);
    },
    authCm(handle, bytes, offset, length, suffix, target) {
      const key = bound(handle, false);
      lanes.high = key.high;
      lanes.low = key.low;
      absorb(lanes, bytes, offset, length);
      step(lanes, suffix);
      writeTag(lanes, target, 0);
      writeU32(target, AEAD_TAG_BYTES, lanes.high ^ lanes.low);
    },
  };
}

/** The lanes that a key starts with. */
function keyLanes(key: Uint8Array): Lanes {
  const lanes = { high: 0x811c_9dc5, low: 0x1234_5679 };
  absorb(lanes, key, 0, key.length);
  return { high: mix(lanes.high), low: mix(lanes.low) };
}

/** The first word of the keystream for one nonce. */
function streamStart(key: number, nonce: Uint8Array): number {
  let word = key;
  for (let i = 0; i < nonce.length; i += 4) word = Math.imul(word ^ readI32(nonce, i), HIGH_FACTOR);
  return mix(word);
}

/** Copies a range, XORed with a keystream. Source and target are the same range, or don't overlap. */
function mask(
  start: number,
  source: Uint8Array,
  sourceOffset: number,
  length: number,
  target: Uint8Array,
  targetOffset: number,
): void {
  let word = start;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    writeU32(target, targetOffset + i, readI32(source, sourceOffset + i) ^ word);
    word = (word + STREAM_STEP) | 0;
  }
  for (; i < length; i++) {
    target[targetOffset + i] = source[sourceOffset + i]! ^ (word >>> 24);
    word = (word + STREAM_STEP) | 0;
  }
}

/** {@link mask} and {@link absorb} in one go. What is opened is taken into the hash before it is written over. */
function pass(
  words: WordViews,
  lanes: Lanes,
  way: typeof SEAL | typeof OPEN,
  start: number,
  source: Uint8Array,
  sourceOffset: number,
  length: number,
  target: Uint8Array,
  targetOffset: number,
): void {
  const long = length < LONG_BYTES ? 0 : length - (length % ROUND_BYTES);
  if (long > 0) passLong(words, lanes, way, start, source, sourceOffset, long, target, targetOffset);
  const stream = (start + Math.imul(long >> 2, STREAM_STEP)) | 0;
  const [from, to, rest] = [sourceOffset + long, targetOffset + long, length - long];
  if (way === OPEN) absorb(lanes, source, from, rest);
  mask(stream, source, from, rest, target, to);
  if (way === SEAL) absorb(lanes, target, to, rest);
}

/** Whole rounds, of what begins at words of the machine; nearly all packets do. What does not is passed elsewhere. */
function passLong(
  words: WordViews,
  lanes: Lanes,
  way: typeof SEAL | typeof OPEN,
  start: number,
  source: Uint8Array,
  sourceOffset: number,
  length: number,
  target: Uint8Array,
  targetOffset: number,
): void {
  lookAt(words, words.source, source);
  lookAt(words, words.target, target);
  const from = words.source.begins + sourceOffset;
  const to = words.target.begins + targetOffset;
  if (((from | to) & 3) === 0) {
    passRounds(lanes, way, start, words.source.words, from >> 2, length >> 2, words.target.words, to >> 2);
  } else {
    const aside = new Int32Array(length >> 2);
    const bytes = new Uint8Array(aside.buffer);
    bytes.set(source.subarray(sourceOffset, sourceOffset + length));
    passRounds(lanes, way, start, aside, 0, aside.length, aside, 0);
    target.set(bytes, targetOffset);
  }
  step(lanes, length);
}

function passRounds(
  lanes: Lanes,
  way: typeof SEAL | typeof OPEN,
  start: number,
  source: Int32Array,
  first: number,
  count: number,
  target: Int32Array,
  targetFirst: number,
): void {
  let [a, b] = [THIRD_FACTOR, FOURTH_FACTOR];
  let stream = start | 0;
  let to = targetFirst;
  for (let from = first; from < first + count; from = (from + ROUND_WORDS) | 0) {
    const one = source[from]!;
    const two = source[(from + 1) | 0]!;
    let next = (stream + STREAM_STEP) | 0;
    target[to] = one ^ stream;
    target[(to + 1) | 0] = two ^ next;
    a = (Math.imul(a ^ one ^ (stream & way), HIGH_FACTOR) + (two ^ (next & way))) | 0;
    a = (a << 13) | (a >>> 19);
    const three = source[(from + 2) | 0]!;
    const four = source[(from + 3) | 0]!;
    stream = (next + STREAM_STEP) | 0;
    next = (stream + STREAM_STEP) | 0;
    target[(to + 2) | 0] = three ^ stream;
    target[(to + 3) | 0] = four ^ next;
    b = (Math.imul(b ^ three ^ (stream & way), LOW_FACTOR) + (four ^ (next & way))) | 0;
    b = (b << 13) | (b >>> 19);
    stream = (next + STREAM_STEP) | 0;
    to = (to + ROUND_WORDS) | 0;
  }
  step(lanes, a);
  step(lanes, b);
}

/** Takes the last bytes of a range, fewer than four, and the length of the whole into the hash. */
function finish(lanes: Lanes, bytes: Uint8Array, offset: number, count: number, length: number): void {
  if (count > 0) {
    let rest = 0;
    for (let i = 0; i < count; i++) rest = (rest << 8) | bytes[offset + i]!;
    step(lanes, rest);
  }
  step(lanes, length);
}

/** Takes a range and its length into the hash. */
function absorb(lanes: Lanes, bytes: Uint8Array, offset: number, length: number): void {
  let { high, low } = lanes;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const word = readI32(bytes, offset + i);
    high = Math.imul(high ^ word, HIGH_FACTOR);
    high ^= high >>> 15;
    low = Math.imul((low + word) | 0, LOW_FACTOR);
    low ^= low >>> 13;
  }
  lanes.high = high;
  lanes.low = low;
  finish(lanes, bytes, offset + i, length - i, length);
}

/** Takes one word into the hash. */
function step(lanes: Lanes, word: number): void {
  const high = Math.imul(lanes.high ^ word, HIGH_FACTOR);
  const low = Math.imul((lanes.low + word) | 0, LOW_FACTOR);
  lanes.high = high ^ (high >>> 15);
  lanes.low = low ^ (low >>> 13);
}

/** Writes the hash as a tag of 16 bytes. */
function writeTag(lanes: Lanes, target: Uint8Array, offset: number): void {
  const high = mix(lanes.high);
  const low = mix(lanes.low);
  writeU32(target, offset, high);
  writeU32(target, offset + 4, low);
  writeU32(target, offset + 8, mix(high ^ Math.imul(low, HIGH_FACTOR)));
  writeU32(target, offset + 12, mix(low ^ Math.imul(high, LOW_FACTOR)));
}

/** Whether the tag that {@link writeTag} would write is there. */
function hasTag(lanes: Lanes, bytes: Uint8Array, offset: number): boolean {
  const high = mix(lanes.high);
  const low = mix(lanes.low);
  return (
    readI32(bytes, offset) === high &&
    readI32(bytes, offset + 4) === low &&
    readI32(bytes, offset + 8) === mix(high ^ Math.imul(low, HIGH_FACTOR)) &&
    readI32(bytes, offset + 12) === mix(low ^ Math.imul(high, LOW_FACTOR))
  );
}

/** The 32-bit finaliser of MurmurHash3, whose constants are public domain. */
function mix(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
