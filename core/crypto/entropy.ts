/**
 * Key material, derived from the secret seed of the boot record by HMAC-SHA-256.
 *
 * Like core/base/keyed-random.ts it is looked up, not drawn: the answer depends on (seed, purpose, entity, ordinal). The
 * host makes the 32-byte seed from the system's generator (the simulator from its own seed); the boot record of a journal
 * therefore is as secret as the keys of the calls in it.
 */
import { assert } from "../base/assert.ts";
import { writeU32 } from "../base/bytes.ts";
import { utf8Encode } from "../base/text.ts";
import type { CryptoProvider } from "./provider.ts";

/** Bytes of the secret seed in the boot record. */
export const ENTROPY_SEED_BYTES = 32;

/**
 * `length` secret bytes (at most 32) for one use: `purpose` names the place in the code, `entity` whom they are for,
 * `ordinal` which time it is. The caller never asks twice with the same three for two different uses.
 */
export function deriveEntropy(
  crypto: CryptoProvider,
  seed: Uint8Array,
  purpose: string,
  entity: number,
  ordinal: number,
  length: number,
): Uint8Array {
  assert(length <= 32, "one derivation gives at most 32 bytes");
  const name = utf8Encode(purpose);
  const message = new Uint8Array(name.length + 12);
  message.set(name, 0);
  writeU32(message, name.length, Math.floor(entity / 0x1_0000_0000));
  writeU32(message, name.length + 4, entity >>> 0);
  writeU32(message, name.length + 8, ordinal);
  return crypto.hmacSha256(seed, message).slice(0, length);
}
