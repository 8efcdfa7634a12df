/** What the checksum in the place of a cipher still promises: it notices everything, wherever a packet lies. */
import { describe, expect, it } from "vitest";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from "../../core/index.ts";
import { createChecksumCrypto, createNodeCrypto } from "../../io-crypto/index.ts";

const KEY = 1;
const OTHER_KEY = 2;
const AAD_BYTES = 20;
const nonce = Uint8Array.from({ length: AEAD_NONCE_BYTES }, (_, i) => i * 19);
const crypto = createChecksumCrypto(createNodeCrypto());
crypto.setAeadKey(KEY, new Uint8Array(16).fill(7));
crypto.setAeadKey(OTHER_KEY, new Uint8Array(16).fill(7).fill(8, 15));

/** A packet of `length` bytes of contents behind its associated data, sealed. */
function sealedPacket(length: number, fill: (index: number) => number = (index) => index * 31): Uint8Array {
  const packet = new Uint8Array(AAD_BYTES + length + AEAD_TAG_BYTES);
  for (let i = 0; i < AAD_BYTES + length; i++) packet[i] = fill(i);
  crypto.sealAead(KEY, nonce, packet, 0, AAD_BYTES, packet, AAD_BYTES, length, packet, AAD_BYTES);
  return packet;
}

function opens(packet: Uint8Array, handle = KEY, withNonce = nonce): boolean {
  const target = new Uint8Array(packet.length);
  const length = packet.length - AAD_BYTES;
  return crypto.openAead(handle, withNonce, packet, 0, AAD_BYTES, packet, AAD_BYTES, length, target, 0);
}

describe("a packet under the checksum", () => {
  it.each([5, 64, 203])("of %d bytes of contents opens, and does not when any bit of it was changed", (length) => {
    const packet = sealedPacket(length);
    expect(opens(packet)).toBe(true);
    for (let bit = 0; bit < 8 * packet.length; bit++) {
      packet[bit >> 3]! ^= 1 << (bit & 7);
      expect([bit, opens(packet)]).toEqual([bit, false]);
      packet[bit >> 3]! ^= 1 << (bit & 7);
    }
  });

  it("opens with no other key and no other nonce, and not when it was cut or words of it changed places", () => {
    const packet = sealedPacket(300);
    expect(opens(packet, OTHER_KEY)).toBe(false);
    for (let i = 0; i < nonce.length; i++) expect(opens(packet, KEY, nonce.with(i, nonce[i]! ^ 1))).toBe(false);
    for (const cut of [1, 4, 16, 64]) expect(opens(packet.slice(0, -cut))).toBe(false);
    for (const [from, to] of [
      [0, 1],
      [0, 4],
      [3, 60],
    ] as const) {
      const changed = packet.slice();
      const at = (word: number) => AAD_BYTES + 4 * word;
      changed.set(packet.subarray(at(to), at(to) + 4), at(from));
      changed.set(packet.subarray(at(from), at(from) + 4), at(to));
      expect(opens(changed)).toBe(false);
    }
  });

  it("is the same wherever it lies, however long it is", () => {
    const around = 3;
    for (let length = 0; length < 200; length += length < 70 ? 1 : 13) {
      const packet = sealedPacket(length);
      for (let offset = 0; offset < 4; offset++) {
        const [from, to] = [new Uint8Array(packet.length + 8), new Uint8Array(length + 8)];
        from.set(packet, offset);
        const contents = length + AEAD_TAG_BYTES;
        const at = offset + AAD_BYTES;
        const isOpen = crypto.openAead(KEY, nonce, from, offset, AAD_BYTES, from, at, contents, to, around);
        expect([length, offset, isOpen]).toEqual([length, offset, true]);
        for (let i = 0; i < length; i++) expect(to[around + i]).toBe(((AAD_BYTES + i) * 31) & 0xff);
      }
    }
  });

  it("shows nothing of what is in it", () => {
    const words = new Set<number>();
    const packet = sealedPacket(1_200, () => 0);
    const view = new DataView(packet.buffer);
    for (let i = 0; i < 300; i++) words.add(view.getUint32(AAD_BYTES + 4 * i));
    expect(words.size).toBe(300);
    expect(words.has(0)).toBe(false);
  });
});
