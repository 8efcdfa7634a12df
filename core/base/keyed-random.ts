/**
 * Randomness that is looked up, not drawn.
 *
 * An answer depends on (seed, site, entity, ordinal) and on nothing else: there is no stream to share, so a new use in one
 * place moves no other, and a restored shard goes on with the same answers. This is for spreading values (SSRCs, first
 * sequence numbers, timer jitter); keys and nonces come from core/crypto/entropy.ts instead.
 *
 * Each word goes through the 32-bit finaliser of MurmurHash3, whose constants are public domain; integers only.
 */

/** A 32-bit answer for this use. `site` names the place in the code, `entity` who asks, `ordinal` which time it is. */
export function keyedUint32(seed: number, site: string, entity: number, ordinal: number): number {
  let hash = mix((seed ^ 0x9e37_79b9) >>> 0);
  for (let i = 0; i < site.length; i++) hash = mix((Math.imul(hash, 31) + site.charCodeAt(i)) >>> 0);
  hash = mix((hash ^ entity) >>> 0);
  hash = mix((Math.imul(hash, 0x01000193) ^ ordinal) >>> 0);
  return hash;
}

/** A whole number in 0 to `bound` - 1; `bound` is at most 2^32. The bias is under `bound` / 2^32. */
export function keyedBelow(seed: number, site: string, entity: number, ordinal: number, bound: number): number {
  return Math.floor((keyedUint32(seed, site, entity, ordinal) / 0x1_0000_0000) * bound);
}

function mix(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
