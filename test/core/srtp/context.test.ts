/** What an SRTP session does with honest, lost, reordered, repeated, damaged and forged packets, in both profiles. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes } from "../../../core/base/bytes.ts";
import type { CryptoProvider } from "../../../core/crypto/provider.ts";
import { LIMITS } from "../../../core/limits.ts";
import {
  createSrtpSendStream,
  createSrtpSession,
  SRTP,
  srtpBindKeys,
  srtpOpenRtcp,
  srtpOpenRtp,
  srtpRelease,
  srtpRetire,
  srtpSealRtcp,
  srtpSealRtp,
} from "../../../core/srtp/context.ts";
import { SRTP_PROFILE, type SrtpProfile, srtpTagBytes } from "../../../core/srtp/profile.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import { createChecksumCrypto, createNodeCrypto } from "../../../io-crypto/index.ts";
import {
  masterKeys,
  memoryOf,
  openRtcp,
  openRtp,
  PROFILES,
  rtpHeader,
  sealRtcp,
  sealRtp,
  sessionPair,
} from "../../support/crypto/srtp.ts";
import { hex } from "../../support/wire/hex.ts";

const SSRC = 0x89ab_cdef;
const PAYLOAD = Uint8Array.from({ length: 50 }, (_, i) => i);
/** A receiver report without blocks. */
const REPORT = hex("80 c9 00 01", "89 ab cd ef", "81 ca 00 02", "89 ab cd ef 01 01 61 00");
/** Where streams begin in tests: around the wraps. */
const STARTS = [0, 1, 32_767, 32_768, 65_534, 65_535];

describe.each(PROFILES)("an RTP stream with %s", (_, profile) => {
  const crypto = createNodeCrypto();

  it("opens to what was sealed, extension block and CSRCs included", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC);
    const header = concatBytes(
      hex("91 60 ff fe 00 00 00 01 89 ab cd ef"), // one CSRC, an extension block
      hex("01 02 03 04"), // CSRC
      hex("be de 00 01 10 aa 00 00"), // one-byte extension 1
    );
    const sealed = sealRtp(alice, crypto, stream, header, PAYLOAD);
    expect(openRtp(bob, crypto, sealed, header.length)).toEqual(concatBytes(header, PAYLOAD));
  });

  it("keeps the header readable and adds a tag", () => {
    const { alice } = sessionPair(profile, crypto);
    const header = rtpHeader(SSRC, 7);
    const sealed = sealRtp(alice, crypto, createSrtpSendStream(SSRC), header, PAYLOAD) as Uint8Array;
    expect(sealed.slice(0, 12)).toEqual(header);
    expect(sealed.slice(12, 12 + 50)).not.toEqual(PAYLOAD);
    expect(sealed.length).toBe(12 + 50 + srtpTagBytes(profile));
  });

  it("opens a packet without payload", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const header = rtpHeader(SSRC, 7);
    const sealed = sealRtp(alice, crypto, createSrtpSendStream(SSRC), header, new Uint8Array(0));
    expect(openRtp(bob, crypto, sealed)).toEqual(header);
  });

  it("seals the same bytes whether the payload comes from elsewhere or lies behind the header already", () => {
    const { alice } = sessionPair(profile, crypto);
    const header = rtpHeader(SSRC, 7);
    const elsewhere = sealRtp(alice, crypto, createSrtpSendStream(SSRC), header, PAYLOAD);
    const target = concatBytes(new Uint8Array(3), header, PAYLOAD, new Uint8Array(20));
    const stream = createSrtpSendStream(SSRC);
    const length = srtpSealRtp(alice, crypto, stream, 7, target, 3, 12, target, 15, PAYLOAD.length);
    expect(target.slice(3, 3 + length)).toEqual(elsewhere);
  });

  it("reads and writes nothing outside its packet", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(255), (payload, poison) => {
        const around = new Uint8Array(30).fill(poison);
        const header = rtpHeader(SSRC, (stream.highest + 1) & 0xffff);
        const target = concatBytes(around, header, new Uint8Array(payload.length + 16), around);
        const length = srtpSealRtp(
          alice,
          crypto,
          stream,
          (stream.highest + 1) & 0xffff,
          target,
          30,
          12,
          payload,
          0,
          payload.length,
        );
        expect(target.slice(0, 30)).toEqual(around);
        expect(target.slice(-30)).toEqual(around);
        const opened = srtpOpenRtp(bob, crypto, target, 30, length, 12);
        expect(target.slice(0, 30 + opened)).toEqual(concatBytes(around, header, payload));
        expect(target.slice(-30)).toEqual(around);
      }),
    );
  });

  it("refuses a packet that it has opened before, and is none the wiser for it", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const sealed = sealRtp(alice, crypto, createSrtpSendStream(SSRC), rtpHeader(SSRC, 7), PAYLOAD);
    openRtp(bob, crypto, sealed);
    const before = memoryOf(bob);
    expect(openRtp(bob, crypto, sealed)).toBe(SRTP.REPLAYED);
    expect(memoryOf(bob)).toEqual(before);
  });

  it("refuses a packet with any one byte changed, and remembers nothing of it", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC);
    openRtp(bob, crypto, sealRtp(alice, crypto, stream, rtpHeader(SSRC, 7), PAYLOAD));
    const sealed = sealRtp(alice, crypto, stream, rtpHeader(SSRC, 8), PAYLOAD) as Uint8Array;
    const before = memoryOf(bob);
    for (let at = 0; at < sealed.length; at++) {
      for (const mask of [0x01, 0x80]) {
        const damaged = sealed.slice();
        damaged[at]! ^= mask;
        expect(openRtp(bob, crypto, damaged)).toBeLessThan(0);
        expect(memoryOf(bob)).toEqual(before);
      }
    }
    expect(openRtp(bob, crypto, sealed)).toBeInstanceOf(Uint8Array);
  });

  it("refuses a packet that was cut short anywhere, or whose header seems longer or shorter", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const sealed = sealRtp(alice, crypto, createSrtpSendStream(SSRC), rtpHeader(SSRC, 7), PAYLOAD) as Uint8Array;
    const before = memoryOf(bob);
    for (let length = 0; length < sealed.length; length++) {
      expect(openRtp(bob, crypto, sealed.slice(0, length))).toBeLessThan(0);
    }
    expect(openRtp(bob, crypto, sealed, 8)).toBe(SRTP.SHORT);
    expect(openRtp(bob, crypto, sealed, sealed.length)).toBe(SRTP.SHORT);
    if (profile === SRTP_PROFILE.AEAD_AES_128_GCM) expect(openRtp(bob, crypto, sealed, 16)).toBe(SRTP.FORGED);
    expect(memoryOf(bob)).toEqual(before);
  });

  it("does not open with the keys of the other direction", () => {
    const { alice } = sessionPair(profile, crypto);
    const sealed = sealRtp(alice, crypto, createSrtpSendStream(SSRC), rtpHeader(SSRC, 7), PAYLOAD);
    expect(openRtp(alice, crypto, sealed)).toBe(SRTP.FORGED);
  });

  it("never seals two streams or two packets with the same keystream", () => {
    const { alice } = sessionPair(profile, crypto);
    const zeros = new Uint8Array(32);
    const seen = new Set<string>();
    for (const ssrc of [SSRC, SSRC + 1]) {
      const stream = createSrtpSendStream(ssrc);
      for (const sequence of [30_000, 60_000, 20_000, 30_000]) {
        const sealed = sealRtp(alice, crypto, stream, rtpHeader(ssrc, sequence), zeros) as Uint8Array;
        seen.add(Buffer.from(sealed.slice(12, 44)).toString("hex"));
      }
    }
    expect(seen.size).toBe(8);
  });
});

describe.each(PROFILES)("the rollover counter with %s", (_, profile) => {
  const crypto = createNodeCrypto();

  it.each(STARTS)("counts on when a stream that starts at %i wraps twice", (start) => {
    const { alice, bob } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC);
    // Strides under half a round: what lies between was lost.
    for (let index = start; index < start + 3 * 65_536; index += 9_999) {
      const sealed = sealRtp(alice, crypto, stream, rtpHeader(SSRC, index & 0xffff), PAYLOAD);
      expect(openRtp(bob, crypto, sealed)).toEqual(concatBytes(rtpHeader(SSRC, index & 0xffff), PAYLOAD));
    }
    expect(Math.floor(stream.highest / 65_536)).toBeGreaterThanOrEqual(2);
    expect(bob.rtpStreams.windows[0]!.highest).toBe(stream.highest);
  });

  it("goes back for late packets from before the wrap, and on again for those behind it", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC);
    const sealed = [65_533, 65_534, 65_535, 0, 1, 2].map((sequence) =>
      sealRtp(alice, crypto, stream, rtpHeader(SSRC, sequence), PAYLOAD),
    );
    for (const at of [0, 4, 2, 3, 1, 5]) expect(openRtp(bob, crypto, sealed[at]!)).toBeInstanceOf(Uint8Array);
    for (const packet of sealed) expect(openRtp(bob, crypto, packet)).toBe(SRTP.REPLAYED);
  });

  it("has no round before the first: a packet from there is too old", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC);
    openRtp(bob, crypto, sealRtp(alice, crypto, stream, rtpHeader(SSRC, 5), PAYLOAD));
    expect(openRtp(bob, crypto, concatBytes(rtpHeader(SSRC, 65_535), PAYLOAD))).toBe(SRTP.TOO_OLD);
    expect(sealRtp(alice, crypto, stream, rtpHeader(SSRC, 65_535), PAYLOAD)).toBe(SRTP.TOO_OLD);
    expect(stream.highest).toBe(5);
  });

  it("opens each packet once and no more, whatever the network loses, repeats and delays within the window", () => {
    const network = fc.record({
      start: fc.constantFrom(...STARTS),
      packets: fc.array(
        fc.record({ skip: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(1_500)), delay: fc.nat(20), copies: fc.nat(2) }),
        { minLength: 1, maxLength: 60 },
      ),
    });
    // At most 21 packets overtake one, so no two that meet are half a round apart.
    fc.assert(
      fc.property(network, ({ start, packets }) => {
        const { alice, bob } = sessionPair(profile, crypto);
        const stream = createSrtpSendStream(SSRC);
        let index = start;
        const sent = packets.map(({ skip, delay, copies }, ordinal) => {
          index += ordinal === 0 ? 0 : 1 + skip;
          const packet = sealRtp(alice, crypto, stream, rtpHeader(SSRC, index & 0xffff), PAYLOAD);
          // The first one is never overtaken: what comes before a stream's first round can't be told.
          return { packet, index, copies, at: ordinal === 0 ? -1 : ordinal + delay };
        });
        let highest = -1;
        for (const { packet, index: sentIndex, copies } of sent.sort((a, b) => a.at - b.at)) {
          const tooOld = highest >= 0 && sentIndex <= highest - LIMITS.srtpReplayWindowPackets;
          const first = openRtp(bob, crypto, packet);
          if (tooOld) expect(first).toBe(SRTP.TOO_OLD);
          else expect(first).toBeInstanceOf(Uint8Array);
          for (let copy = 0; copy < copies; copy++) expect(openRtp(bob, crypto, packet)).toBeLessThan(0);
          highest = Math.max(highest, sentIndex);
        }
      }),
    );
  });

  it("stops at the last packet index instead of starting over", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC);
    openRtp(bob, crypto, sealRtp(alice, crypto, stream, rtpHeader(SSRC, 65_534), PAYLOAD));
    stream.highest = 2 ** 48 - 2;
    bob.rtpStreams.windows[0]!.highest = 2 ** 48 - 2;
    const last = sealRtp(alice, crypto, stream, rtpHeader(SSRC, 65_535), PAYLOAD);
    expect(openRtp(bob, crypto, last)).toBeInstanceOf(Uint8Array);
    expect(sealRtp(alice, crypto, stream, rtpHeader(SSRC, 0), PAYLOAD)).toBe(SRTP.EXHAUSTED);
    expect(openRtp(bob, crypto, concatBytes(rtpHeader(SSRC, 0), PAYLOAD))).toBe(SRTP.EXHAUSTED);
  });

  it("seals nothing more after the last packet index, whatever the sequence numbers that follow look like", () => {
    const { alice } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC, 2 ** 48 - 2);
    expect(sealRtp(alice, crypto, stream, rtpHeader(SSRC, 65_535), PAYLOAD)).toBeInstanceOf(Uint8Array);
    const answers = new Set<unknown>();
    for (let sequence = 0; sequence <= 65_535; sequence++) {
      answers.add(sealRtp(alice, crypto, stream, rtpHeader(SSRC, sequence), PAYLOAD));
    }
    expect([...answers]).toEqual([SRTP.EXHAUSTED]);
  });

  it("begins where both ends were told to, also when all is lost before the first wrap", () => {
    const indexBefore = 2 ** 48 - 2 ** 16 - 5;
    const { alice, bob } = sessionPair(profile, crypto, indexBefore);
    const stream = createSrtpSendStream(SSRC, indexBefore);
    const sealed = [65_532, 65_533, 65_534, 65_535, 0, 1].map((sequence) =>
      sealRtp(alice, crypto, stream, rtpHeader(SSRC, sequence), PAYLOAD),
    );
    expect(openRtp(bob, crypto, sealed[5]!)).toBeInstanceOf(Uint8Array);
    expect(openRtp(bob, crypto, sealed[1]!)).toBeInstanceOf(Uint8Array);
    expect(stream.highest).toBe(2 ** 48 - 2 ** 16 + 1);
    const { bob: uninformed } = sessionPair(profile, crypto);
    expect(openRtp(uninformed, crypto, sealed[4]!)).toBe(SRTP.FORGED);
  });
});

describe("sealing again", () => {
  const crypto = createNodeCrypto();

  it.each(PROFILES)("gives the same bytes for the same packet with %s", (_, profile) => {
    const { alice } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC);
    const first = sealRtp(alice, crypto, stream, rtpHeader(SSRC, 65_500), PAYLOAD);
    for (let index = 65_501; index < 65_500 + USUAL_TUNABLES.packetCachePackets; index++) {
      sealRtp(alice, crypto, stream, rtpHeader(SSRC, index & 0xffff), PAYLOAD);
    }
    expect(sealRtp(alice, crypto, stream, rtpHeader(SSRC, 65_500), PAYLOAD)).toEqual(first);
    expect(stream.highest).toBe(65_500 + USUAL_TUNABLES.packetCachePackets - 1);
  });

  it("is refused below the window, where a leap forwards would look like it and repeat a nonce", () => {
    const { alice } = sessionPair(SRTP_PROFILE.AEAD_AES_128_GCM, crypto);
    const stream = createSrtpSendStream(SSRC);
    sealRtp(alice, crypto, stream, rtpHeader(SSRC, 10_000), PAYLOAD);
    expect(sealRtp(alice, crypto, stream, rtpHeader(SSRC, 50_000), PAYLOAD)).toBe(SRTP.TOO_OLD);
    const justBelow = 10_000 - LIMITS.srtpReplayWindowPackets;
    expect(sealRtp(alice, crypto, stream, rtpHeader(SSRC, justBelow), PAYLOAD)).toBe(SRTP.TOO_OLD);
    expect(sealRtp(alice, crypto, stream, rtpHeader(SSRC, justBelow + 1), PAYLOAD)).toBeInstanceOf(Uint8Array);
    expect(stream.highest).toBe(10_000);
  });

  it("is our own mistake when the header has another sequence number or SSRC", () => {
    const { alice } = sessionPair(SRTP_PROFILE.AEAD_AES_128_GCM, crypto);
    const target = concatBytes(rtpHeader(SSRC, 7), new Uint8Array(40));
    const seal = (ssrc: number, sequence: number) =>
      srtpSealRtp(alice, crypto, createSrtpSendStream(ssrc), sequence, target, 0, 12, target, 12, 10);
    expect(() => seal(SSRC, 8)).toThrow("sequence number");
    expect(() => seal(SSRC + 1, 7)).toThrow("SSRC");
  });
});

describe.each(PROFILES)("RTCP with %s", (_, profile) => {
  const crypto = createNodeCrypto();

  it("opens to what was sealed, and only its first eight bytes stay readable", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const sealed = sealRtcp(alice, crypto, REPORT) as Uint8Array;
    expect(sealed.slice(0, 8)).toEqual(REPORT.slice(0, 8));
    expect(sealed.slice(8, REPORT.length)).not.toEqual(REPORT.slice(8));
    expect(sealed.length).toBe(REPORT.length + srtpTagBytes(profile) + 4);
    expect(openRtcp(bob, crypto, sealed)).toEqual(REPORT);
  });

  it("opens a packet of eight bytes, which has nothing to encrypt", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const bye = hex("81 cb 00 01", "89 ab cd ef");
    expect(openRtcp(bob, crypto, sealRtcp(alice, crypto, bye))).toEqual(bye);
  });

  it("counts its packets from 0, whatever their SSRC, and never seals two alike", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const other = REPORT.slice();
    other[7] = 0;
    const sealed = [REPORT, other, REPORT, REPORT].map((packet) => sealRtcp(alice, crypto, packet) as Uint8Array);
    expect(new Set(sealed.map((bytes) => Buffer.from(bytes).toString("hex"))).size).toBe(4);
    expect(alice.rtcpSendIndex).toBe(4);
    expect(sealed.map((packet) => openRtcp(bob, crypto, packet))).toEqual([REPORT, other, REPORT, REPORT]);
  });

  it("opens packets that overtake each other, each once", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const sealed = Array.from({ length: 5 }, () => sealRtcp(alice, crypto, REPORT));
    for (const at of [3, 0, 4, 2, 1]) expect(openRtcp(bob, crypto, sealed[at]!)).toEqual(REPORT);
    for (const packet of sealed) expect(openRtcp(bob, crypto, packet)).toBe(SRTP.REPLAYED);
  });

  it("refuses a packet with any one byte changed, or cut short, and remembers nothing of it", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    openRtcp(bob, crypto, sealRtcp(alice, crypto, REPORT));
    const sealed = sealRtcp(alice, crypto, REPORT) as Uint8Array;
    const before = memoryOf(bob);
    for (let at = 0; at < sealed.length; at++) {
      const damaged = sealed.slice();
      damaged[at]! ^= 0x80;
      expect(openRtcp(bob, crypto, damaged)).toBeLessThan(0);
      expect(openRtcp(bob, crypto, sealed.slice(0, at))).toBeLessThan(0);
      expect(memoryOf(bob)).toEqual(before);
    }
    expect(openRtcp(bob, crypto, sealed)).toEqual(REPORT);
  });

  it("refuses a packet whose E bit is clear, before it looks at anything else", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const sealed = sealRtcp(alice, crypto, REPORT) as Uint8Array;
    const wordOffset = profile === SRTP_PROFILE.AEAD_AES_128_GCM ? sealed.length - 4 : REPORT.length;
    sealed[wordOffset]! ^= 0x80;
    expect(openRtcp(bob, crypto, sealed)).toBe(SRTP.UNENCRYPTED);
  });

  it("reads and writes nothing outside its packet", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const around = new Uint8Array(9).fill(0x5a);
    const bytes = concatBytes(around, REPORT, new Uint8Array(srtpTagBytes(profile) + 4), around);
    const length = srtpSealRtcp(alice, crypto, bytes, 9, REPORT.length);
    expect(length).toBe(bytes.length - 18);
    expect(srtpOpenRtcp(bob, crypto, bytes, 9, length)).toBe(REPORT.length);
    expect(bytes.slice(0, 9 + REPORT.length)).toEqual(concatBytes(around, REPORT));
    expect(bytes.slice(-9)).toEqual(around);
  });

  it("stops at the last index of 31 bits", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    alice.rtcpSendIndex = 2 ** 31 - 1;
    expect(openRtcp(bob, crypto, sealRtcp(alice, crypto, REPORT))).toEqual(REPORT);
    expect(sealRtcp(alice, crypto, REPORT)).toBe(SRTP.EXHAUSTED);
    expect(sealRtcp(alice, crypto, REPORT)).toBe(SRTP.EXHAUSTED);
  });
});

describe.each(PROFILES)("a session's memory with %s", (_, profile) => {
  const crypto = createNodeCrypto();

  it("has room for its limit of SSRCs; one more is refused by name, and the others go on", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const max = LIMITS.srtpStreamsPerPeerMax;
    const send = (ssrc: number, sequence: number) =>
      openRtp(bob, crypto, sealRtp(alice, crypto, createSrtpSendStream(ssrc), rtpHeader(ssrc, sequence), PAYLOAD));
    const report = (ssrc: number) => {
      const packet = REPORT.slice();
      packet[7] = ssrc;
      return openRtcp(bob, crypto, sealRtcp(alice, crypto, packet));
    };
    for (let ssrc = 0; ssrc < max; ssrc++) {
      expect(send(ssrc, 1)).toBeInstanceOf(Uint8Array);
      expect(report(ssrc)).toBeInstanceOf(Uint8Array);
    }
    const before = memoryOf(bob);
    expect(send(max, 1)).toBe(SRTP.STREAMS_FULL);
    expect(report(max)).toBe(SRTP.STREAMS_FULL);
    expect(memoryOf(bob)).toEqual(before);
    expect(send(0, 2)).toBeInstanceOf(Uint8Array);
    expect(send(max - 1, 2)).toBeInstanceOf(Uint8Array);
  });

  it("has room again for each SSRC that was retired, and opens nothing of that any more", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const seal = (ssrc: number, sequence: number) =>
      sealRtp(alice, crypto, createSrtpSendStream(ssrc), rtpHeader(ssrc, sequence), PAYLOAD);
    const copies: (Uint8Array | number)[] = [];
    for (let ssrc = 0; ssrc < 3 * LIMITS.srtpStreamsPerPeerMax; ssrc++) {
      const sealed = seal(ssrc, 1);
      copies.push(typeof sealed === "number" ? sealed : sealed.slice());
      expect(openRtp(bob, crypto, sealed)).toBeInstanceOf(Uint8Array);
      if (ssrc > 0) srtpRetire(bob, ssrc - 1);
    }
    const last = copies.pop()!;
    for (const copy of [...copies, last]) expect(openRtp(bob, crypto, copy)).toBe(SRTP.REPLAYED);
    expect(openRtp(bob, crypto, seal(3, 2))).toBe(SRTP.REPLAYED);
    expect(bob.rtpStreams.count).toBe(1);
  });

  it("remembers a bounded number of retired SSRCs, and keeps the state of the others", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    for (let ssrc = 0; ssrc < LIMITS.srtpRetiredSsrcsMax; ssrc++) srtpRetire(bob, 1_000 + ssrc);
    const sealed = sealRtp(alice, crypto, createSrtpSendStream(7), rtpHeader(7, 1), PAYLOAD) as Uint8Array;
    expect(openRtp(bob, crypto, sealed.slice())).toBeInstanceOf(Uint8Array);
    srtpRetire(bob, 7);
    expect(bob.retired.size).toBe(LIMITS.srtpRetiredSsrcsMax);
    expect(bob.rtpStreams.count).toBe(1);
    expect(openRtp(bob, crypto, sealed)).toBe(SRTP.REPLAYED);
  });

  it("keeps nothing of forged packets, however many SSRCs they name", () => {
    const { bob } = sessionPair(profile, crypto);
    const before = memoryOf(bob);
    for (let ssrc = 0; ssrc < 200; ssrc++) {
      expect(openRtp(bob, crypto, concatBytes(rtpHeader(ssrc, 1), PAYLOAD))).toBe(SRTP.FORGED);
    }
    expect(memoryOf(bob)).toEqual(before);
  });

  it("survives a snapshot: a restored session goes on in the same way with another provider", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC);
    const seal = (sequence: number) => sealRtp(alice, crypto, stream, rtpHeader(SSRC, sequence), PAYLOAD);
    const early = [seal(65_535), seal(0)];
    const late = [seal(1), seal(2)];
    for (const packet of early) openRtp(bob, crypto, packet);
    openRtcp(bob, crypto, sealRtcp(alice, crypto, REPORT));
    const elsewhere = createNodeCrypto();
    const restored = structuredClone(bob);
    srtpBindKeys(restored, elsewhere);
    for (const packet of [...early, ...late]) {
      expect(openRtp(restored, elsewhere, packet)).toEqual(openRtp(bob, crypto, packet));
    }
    expect(sealRtcp(restored, elsewhere, REPORT)).toEqual(sealRtcp(bob, crypto, REPORT));
    expect(memoryOf(restored)).toEqual(memoryOf(bob));
  });

  it("is of no use once its keys are released", () => {
    const { alice, bob } = sessionPair(profile, crypto);
    const sealed = sealRtp(alice, crypto, createSrtpSendStream(SSRC), rtpHeader(SSRC, 7), PAYLOAD);
    srtpRelease(bob, crypto);
    expect(() => openRtp(bob, crypto, sealed)).toThrow();
    expect(() => sealRtcp(bob, crypto, REPORT)).toThrow();
    srtpRelease(bob, crypto);
    srtpBindKeys(bob, crypto);
    expect(openRtp(bob, crypto, sealed)).toBeInstanceOf(Uint8Array);
  });

  it("is not disturbed by arbitrary bytes, which never throw", () => {
    const { bob } = sessionPair(profile, crypto);
    const before = memoryOf(bob);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(80), (bytes, headerLength) => {
        expect(srtpOpenRtp(bob, crypto, bytes.slice(), 0, bytes.length, headerLength)).toBeLessThan(0);
        expect(srtpOpenRtcp(bob, crypto, bytes.slice(), 0, bytes.length)).toBeLessThan(0);
      }),
      { numRuns: 300 },
    );
    expect(memoryOf(bob)).toEqual(before);
  });
});

describe("a session", () => {
  it("is refused as our own mistake when keys do not fit the profile", () => {
    const { aliceKey, bobKey, aliceSalt, bobSalt } = masterKeys(SRTP_PROFILE.AES128_CM_SHA1_80);
    const options = { readKey: aliceKey, readSalt: aliceSalt, writeKey: bobKey, writeSalt: bobSalt, keyHandleBase: 0 };
    expect(() => createSrtpSession({ ...options, profile: SRTP_PROFILE.AEAD_AES_128_GCM })).toThrow("salts");
    expect(() => createSrtpSession({ ...options, profile: 2 })).toThrow("profile");
  });

  it.each(PROFILES)("works the same way over the checksum provider with %s", (_, profile: SrtpProfile) => {
    const crypto: CryptoProvider = createChecksumCrypto(createNodeCrypto());
    const { alice, bob } = sessionPair(profile, crypto);
    const stream = createSrtpSendStream(SSRC);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (payload, at, mask) => {
        const header = rtpHeader(SSRC, (stream.highest + 1) & 0xffff);
        const sealed = sealRtp(alice, crypto, stream, header, payload) as Uint8Array;
        const damaged = sealed.slice();
        damaged[at % damaged.length]! ^= mask;
        expect(openRtp(bob, crypto, damaged)).toBeLessThan(0);
        expect(openRtp(bob, crypto, sealed)).toEqual(concatBytes(header, payload));
        expect(openRtp(bob, crypto, sealed)).toBe(SRTP.REPLAYED);
        expect(openRtcp(bob, crypto, sealRtcp(alice, crypto, REPORT))).toEqual(REPORT);
      }),
    );
  });
});
