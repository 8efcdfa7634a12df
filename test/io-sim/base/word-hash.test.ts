/** Whether the hash of a datagram is the same with a copy as without one, and the copy its own. */
import { describe, expect, it } from "vitest";
import { createFingerprint } from "../../../core/index.ts";
import { createSlab } from "../../../io-sim/base/slab.ts";
import { hashAndCopy, hashDatagram } from "../../../io-sim/base/word-hash.ts";

describe("hashing a datagram and copying it in one go", () => {
  it("gives the hash and the bytes, wherever in its array the datagram lies and however long it is", () => {
    const source = Uint8Array.from({ length: 1_600 }, (_, i) => (i * 31) ^ (i >> 3));
    const words = new Int32Array(source.buffer);
    const slab = createSlab();
    const [alone, copying] = [createFingerprint(), createFingerprint()];
    const copies: [Uint8Array, Uint8Array][] = [];
    for (let length = 0; length < 1_500; length += length < 40 ? 1 : 97) {
      const offset = length % 5;
      hashDatagram(alone, source, offset, length);
      copies.push([hashAndCopy(copying, slab, source, words, offset, length), source.slice(offset, offset + length)]);
      expect(copying).toEqual(alone);
    }
    for (const [copy, original] of copies) expect(copy).toEqual(original);
  });
});
