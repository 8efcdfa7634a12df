/**
 * A 64-bit rolling hash, so that two runs can be compared by one short word.
 *
 * Two 32-bit FNV-1a lanes with different offsets and primes run side by side; no BigInt. It is for telling runs apart, not
 * for security: whoever wants a collision finds one.
 */

/** A running hash: two 32-bit lanes. */
export interface Fingerprint {
  high: number;
  low: number;
}

/** The hash of nothing. */
export function createFingerprint(): Fingerprint {
  return { high: 0x811c_9dc5, low: 0x1234_5679 };
}

/** Takes `length` bytes into the hash. */
export function fingerprintBytes(hash: Fingerprint, bytes: Uint8Array, offset: number, length: number): void {
  let { high, low } = hash;
  const end = offset + length;
  for (let i = offset; i < end; i++) {
    high = Math.imul(high ^ bytes[i]!, 0x0100_0193);
    low = Math.imul(low ^ bytes[i]!, 0x5bd1_e995) ^ (low >>> 15);
  }
  hash.high = high >>> 0;
  hash.low = low >>> 0;
}

/** Takes a whole number in 0 to 2^53-1, or a negative one in the 32-bit range, into the hash. */
export function fingerprintNumber(hash: Fingerprint, value: number): void {
  const upper = Math.floor(value / 0x1_0000_0000) | 0;
  hash.high = Math.imul(Math.imul(hash.high ^ (value | 0), 0x0100_0193) ^ upper, 0x0100_0193) >>> 0;
  hash.low = (Math.imul(Math.imul(hash.low ^ (value | 0), 0x5bd1_e995) ^ upper, 0x5bd1_e995) ^ (hash.low >>> 15)) >>> 0;
}

/** Takes the UTF-16 code units of a text, and its length, into the hash. */
export function fingerprintText(hash: Fingerprint, text: string): void {
  fingerprintNumber(hash, text.length);
  for (let i = 0; i < text.length; i++) fingerprintNumber(hash, text.charCodeAt(i));
}

/** The hash so far as 16 hexadecimal digits. */
export function fingerprintHex(hash: Fingerprint): string {
  return hash.high.toString(16).padStart(8, "0") + hash.low.toString(16).padStart(8, "0");
}
