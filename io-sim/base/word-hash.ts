/**
 * The fingerprint's bytes, four at a time.
 *
 * A run hashes every datagram that goes in or out, which is most of its fingerprint's cost; taking words instead of bytes
 * makes it a quarter. Unlike `fingerprintBytes` it tells one array of eight bytes from two of four, which is no harm here:
 * datagrams are hashed whole. High bits are folded down after each word, so that every bit reaches every other.
 */
import type { Fingerprint } from "../../core/index.ts";
import { carveAt, type Slab } from "./slab.ts";

/** Takes `length` and that many bytes into the hash. */
export function hashDatagram(hash: Fingerprint, bytes: Uint8Array, offset: number, length: number): void {
  let high = hash.high ^ length;
  let low = hash.low ^ length;
  const end = offset + length;
  let at = offset;
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    high = Math.imul(high ^ word, 0x0100_0193);
    high ^= high >>> 15;
    low = Math.imul(low ^ word, 0x5bd1_e995);
    low ^= low >>> 13;
  }
  for (; at < end; at++) {
    high = Math.imul(high ^ bytes[at]!, 0x0100_0193);
    low = Math.imul(low ^ bytes[at]!, 0x5bd1_e995) ^ (low >>> 15);
  }
  hash.high = high >>> 0;
  hash.low = low >>> 0;
}

/**
 * {@link hashDatagram} and a copy of the datagram, in one go: each step of the hash waits for the one before, and the copy is
 * made meanwhile. The machine is little-endian, as the state's encoding wants it too. `source` is the array in words of the
 * machine, for datagrams that begin at one.
 */
export function hashAndCopy(
  hash: Fingerprint,
  slab: Slab,
  bytes: Uint8Array,
  source: Int32Array,
  offset: number,
  length: number,
): Uint8Array {
  let high = hash.high ^ length;
  let low = hash.low ^ length;
  const end = offset + length;
  const start = carveAt(slab, length);
  const { words } = slab;
  let at = offset;
  let to = start >> 2;
  if ((offset & 3) === 0) {
    for (; at + 4 <= end; at += 4) {
      const word = source[at >> 2]!;
      words[to++] = word;
      high = Math.imul(high ^ word, 0x0100_0193);
      high ^= high >>> 15;
      low = Math.imul(low ^ word, 0x5bd1_e995);
      low ^= low >>> 13;
    }
  }
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    words[to++] = word;
    high = Math.imul(high ^ word, 0x0100_0193);
    high ^= high >>> 15;
    low = Math.imul(low ^ word, 0x5bd1_e995);
    low ^= low >>> 13;
  }
  const copy = new Uint8Array(slab.buffer, start, length);
  for (; at < end; at++) {
    copy[at - offset] = bytes[at]!;
    high = Math.imul(high ^ bytes[at]!, 0x0100_0193);
    low = Math.imul(low ^ bytes[at]!, 0x5bd1_e995) ^ (low >>> 15);
  }
  hash.high = high >>> 0;
  hash.low = low >>> 0;
  return copy;
}
