/**
 * Whole packets against known answers. Those of RFC 7714 §16 and §17 give session keys, not master keys, so the tests bind
 * them over the derived ones.
 */
import { describe, expect, it } from "vitest";
import { concatBytes } from "../../../core/base/bytes.ts";
import { createSrtpSendStream, createSrtpSession, SRTP, srtpBindKeys } from "../../../core/srtp/context.ts";
import { SRTP_PROFILE } from "../../../core/srtp/profile.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { openRtcp, openRtp, sealRtcp, sealRtp } from "../../support/crypto/srtp.ts";
import { hex } from "../../support/wire/hex.ts";

const SESSION_KEY = hex("00010203 04050607 08090a0b 0c0d0e0f");
/** "Quid pro quo" */
const SESSION_SALT = hex("51756964 2070726f 2071756f");

/** RFC 7714 §16: sequence number f17b, SSRC 5501a0b2. */
const RTP_HEADER = hex("8040f17b", "8041f8d3", "5501a0b2");
/** "Gallia est omnis divisa in partes tres" */
const RTP_PAYLOAD = hex("47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573");
/** RFC 7714 §16.1.1 */
const SRTP_PACKET = hex(
  "8040f17b 8041f8d3 5501a0b2", // header
  "f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833", // ciphertext
  "899d7f27 beb16a91 52cf765e e4390cce", // tag
);

/** RFC 7714 §17: a sender report of SSRC "Mars". */
const RTCP_PACKET = hex(
  "81c8000d 4d617273", // header and SSRC
  "4e545031 4e545032 52545020 0000042a 0000e930 4c756e61", // NTP and RTP time, counts, a block about "Luna"
  "deadbeef deadbeef deadbeef deadbeef deadbeef",
);
const SRTCP_INDEX = 0x5d4;
/** RFC 7714 §17.1 */
const SRTCP_PACKET = hex(
  "81c8000d 4d617273", // header and SSRC
  "63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b", // ciphertext
  "c84aa458 96cf4d2f c5abf872 45d9eade", // tag
  "800005d4", // E, index
);
/** RFC 7714 §17.3: the same packet, authenticated but not encrypted. */
const SRTCP_TAGGED_PACKET = hex(
  "81c8000d 4d617273", // header and SSRC
  "4e545031 4e545032 52545020 0000042a 0000e930 4c756e61",
  "deadbeef deadbeef deadbeef deadbeef deadbeef",
  "841dd968 3dd78ec9 2ae58790 125f62b3", // tag
  "000005d4", // index
);

const crypto = createNodeCrypto();

/** What key derivation gives in the vectors, by its length: the key, no HMAC key, and the salt as padded to 14 bytes. */
const VECTOR_KEYS = new Map([
  [16, SESSION_KEY],
  [20, new Uint8Array(20)],
  [14, Uint8Array.of(...SESSION_SALT, 0, 0)],
]);

function vectorSession() {
  const session = createSrtpSession({
    profile: SRTP_PROFILE.AEAD_AES_128_GCM,
    readKey: new Uint8Array(16),
    readSalt: new Uint8Array(12),
    writeKey: new Uint8Array(16),
    writeSalt: new Uint8Array(12),
    keyHandleBase: 0,
  });
  srtpBindKeys(session, { ...crypto, aesCmKeystream: (_key, _iv, length) => VECTOR_KEYS.get(length)! });
  session.rtcpSendIndex = SRTCP_INDEX;
  return session;
}

describe("AEAD_AES_128_GCM", () => {
  it("seals RTP as RFC 7714 §16.1.1 does", () => {
    const stream = createSrtpSendStream(0x5501_a0b2);
    expect(sealRtp(vectorSession(), crypto, stream, RTP_HEADER, RTP_PAYLOAD)).toEqual(SRTP_PACKET);
  });

  it("opens RTP as RFC 7714 §16.1.2 does", () => {
    expect(openRtp(vectorSession(), crypto, SRTP_PACKET)).toEqual(concatBytes(RTP_HEADER, RTP_PAYLOAD));
  });

  it("seals RTCP as RFC 7714 §17.1 does", () => {
    expect(sealRtcp(vectorSession(), crypto, RTCP_PACKET)).toEqual(SRTCP_PACKET);
  });

  it("opens RTCP as RFC 7714 §17.2 does", () => {
    expect(openRtcp(vectorSession(), crypto, SRTCP_PACKET)).toEqual(RTCP_PACKET);
  });

  it("refuses the authentic but unencrypted RTCP of RFC 7714 §17.3", () => {
    expect(openRtcp(vectorSession(), crypto, SRTCP_TAGGED_PACKET)).toBe(SRTP.UNENCRYPTED);
  });
});

describe("AES_CM_128_HMAC_SHA1_80", () => {
  /** RFC 3711 §B.3's master key and salt; the packets are those that the authors of libsrtp test themselves with. */
  const masterKey = hex("e1f97a0d 3e018be0 d64fa32c 06de4139");
  const masterSalt = hex("0ec675ad 498afeeb b6960b3a abe6");
  const header = hex("800f1234 decafbad cafebabe");
  const payload = new Uint8Array(16).fill(0xab);
  const srtpPacket = hex(
    "800f1234 decafbad cafebabe", // header
    "4e55dc4c e79978d8 8ca4d215 949d2402", // ciphertext
    "b78d6acc 99ea179b 8dbb", // tag
  );
  const rtcpPacket = concatBytes(hex("81c8000b cafebabe"), payload);
  const srtcpPacket = hex(
    "81c8000b cafebabe", // header and SSRC
    "7128035b e487b9bd bef89041 f977a5a8", // ciphertext
    "80000001", // E, index
    "993e08cd 54d6c123 0798", // tag
  );

  function session() {
    const made = createSrtpSession({
      profile: SRTP_PROFILE.AES128_CM_SHA1_80,
      readKey: masterKey,
      readSalt: masterSalt,
      writeKey: masterKey,
      writeSalt: masterSalt,
      keyHandleBase: 8,
    });
    srtpBindKeys(made, crypto);
    made.rtcpSendIndex = 1;
    return made;
  }

  it("seals and opens RTP as the vector says", () => {
    const sealed = sealRtp(session(), crypto, createSrtpSendStream(0xcafe_babe), header, payload);
    expect(sealed).toEqual(srtpPacket);
    expect(openRtp(session(), crypto, srtpPacket)).toEqual(concatBytes(header, payload));
  });

  it("seals and opens RTCP as the vector says", () => {
    expect(sealRtcp(session(), crypto, rtcpPacket)).toEqual(srtcpPacket);
    expect(openRtcp(session(), crypto, srtcpPacket)).toEqual(rtcpPacket);
  });
});
