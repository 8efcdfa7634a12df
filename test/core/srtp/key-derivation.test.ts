/** The key derivation of SRTP against RFC 3711's vectors and against a plain AES of its own. */
import { ecb } from "@noble/ciphers/aes.js";
import { describe, expect, it } from "vitest";
import { concatBytes } from "../../../core/base/bytes.ts";
import { deriveSessionKeys, deriveSrtpKey, SRTP_STREAM_KIND } from "../../../core/srtp/key-derivation.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { hex } from "../../support/wire/hex.ts";

const crypto = createNodeCrypto();
const MASTER_KEY = hex("E1F97A0D 3E018BE0 D64FA32C 06DE4139");
const MASTER_SALT = hex("0EC675AD 498AFEEB B6960B3A ABE6");

describe("the key derivation of RFC 3711 §B.3", () => {
  it("gives the cipher key, the salt and the first 20 bytes of the authentication key", () => {
    expect(deriveSessionKeys(crypto, MASTER_KEY, MASTER_SALT, SRTP_STREAM_KIND.RTP)).toEqual({
      cipherKey: hex("C61E7A93 744F39EE 10734AFE 3FF7A087"),
      salt: hex("30CBBC08 863D8C85 D49DB34A 9AE1"),
      authKey: hex("CEBE321F 6FF7716B 6FD4AB49 AF256A15 6D38BAA4"),
    });
  });

  it("gives all 94 bytes of the authentication key, so that the counter goes on from block to block", () => {
    expect(deriveSrtpKey(crypto, MASTER_KEY, MASTER_SALT, 1, 94)).toEqual(
      hex(
        "CEBE321F 6FF7716B 6FD4AB49 AF256A15",
        "6D38BAA4 8F0A0ACF 3C34E235 9E6CDBCE",
        "E049646C 43D9327A D175578E F7227098",
        "6371C10C 9A369AC2 F94A8C5F BCDDDC25",
        "6D6E919A 48B610EF 17C2041E 47403576",
        "6B68642C 59BBFC2F 34DB60DB DFB2",
      ),
    );
  });
});

describe("the session keys", () => {
  /** The first block of keystream, by a cipher that shares no code with the provider. */
  function firstBlock(label: number, salt: Uint8Array): Uint8Array {
    const block = concatBytes(salt, new Uint8Array(16 - salt.length));
    block[7]! ^= label;
    return ecb(MASTER_KEY, { disablePadding: true }).encrypt(block);
  }

  it("of SRTCP use the labels 3 to 5 (RFC 3711 §4.3.2)", () => {
    const keys = deriveSessionKeys(crypto, MASTER_KEY, MASTER_SALT, SRTP_STREAM_KIND.RTCP);
    expect(keys.cipherKey).toEqual(firstBlock(3, MASTER_SALT));
    expect(keys.authKey.slice(0, 16)).toEqual(firstBlock(4, MASTER_SALT));
    expect(keys.salt).toEqual(firstBlock(5, MASTER_SALT).slice(0, 14));
  });

  it("of AES-GCM come from a salt of 12 bytes with two zeros behind it (RFC 7714 §11)", () => {
    const salt = MASTER_SALT.slice(0, 12);
    const keys = deriveSessionKeys(crypto, MASTER_KEY, salt, SRTP_STREAM_KIND.RTP);
    expect(keys.cipherKey).toEqual(firstBlock(0, salt));
    expect(keys.salt).toEqual(firstBlock(2, salt).slice(0, 14));
  });
});
