/**
 * Cryptography for hosts: the providers that io-node and io-sim hand to a shard. Both sides use the same one, so that a
 * simulated call and a real one go through the same bytes; the checksum provider is for simulated worlds that would rather
 * be fast than secret.
 */
export { createChecksumCrypto } from "./checksum-crypto.ts";
export { createNodeCrypto } from "./node-crypto.ts";
export { createWordViews, type WordViews } from "./word-views.ts";
