/** Our SRTP and that of werift-rtp open what the other has sealed: RTP and RTCP, both directions, both profiles. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RtpHeader, SrtcpSession, SrtpSession } from "werift-rtp";
import { concatBytes } from "../../../core/base/bytes.ts";
import { createSrtpSendStream } from "../../../core/srtp/context.ts";
import type { SrtpProfile } from "../../../core/srtp/profile.ts";
import { rtpHeaderLength } from "../../../core/wire/rtp.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { masterKeys, openRtcp, openRtp, PROFILES, sealRtcp, sealRtp, sessionPair } from "../../support/crypto/srtp.ts";

const crypto = createNodeCrypto();

/** Werift's end: it plays Bob. */
function weriftBob(profile: SrtpProfile) {
  const { aliceKey, aliceSalt, bobKey, bobSalt } = masterKeys(profile);
  const config = {
    keys: {
      localMasterKey: Buffer.from(bobKey),
      localMasterSalt: Buffer.from(bobSalt),
      remoteMasterKey: Buffer.from(aliceKey),
      remoteMasterSalt: Buffer.from(aliceSalt),
    },
    profile,
  };
  return { rtp: new SrtpSession(config), rtcp: new SrtcpSession(config) };
}

/** A stream of packets with every kind of header; steps are short, because werift takes long gaps for no wrap. */
const stream = fc.record({
  ssrc: fc.nat(0xffff_ffff),
  start: fc.constantFrom(0, 1, 32_760, 65_500, 65_534, 65_535),
  packets: fc.array(
    fc.record({
      step: fc.integer({ min: 1, max: 40 }),
      marker: fc.boolean(),
      payloadType: fc.nat(63).map((type) => type + 64),
      timestamp: fc.nat(0xffff_ffff),
      csrcs: fc.array(fc.nat(0xffff_ffff), { maxLength: 15 }),
      extensions: fc.array(
        fc.record({
          id: fc.integer({ min: 1, max: 14 }),
          payload: fc.uint8Array({ minLength: 1, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
        }),
        { maxLength: 4 },
      ),
      twoByte: fc.boolean(),
      payload: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

type Stream = typeof stream extends fc.Arbitrary<infer T> ? T : never;

function headersOf({ ssrc, start, packets }: Stream): RtpHeader[] {
  let sequence: number = start;
  return packets.map((packet) => {
    sequence = (sequence + packet.step) & 0xffff;
    return new RtpHeader({
      version: 2,
      marker: packet.marker,
      payloadType: packet.payloadType,
      sequenceNumber: sequence,
      timestamp: packet.timestamp,
      ssrc,
      csrc: packet.csrcs,
      extension: packet.extensions.length > 0,
      extensionProfile: packet.twoByte ? 0x1000 : 0xbede,
      extensions: packet.extensions,
    });
  });
}

/** A compound packet: a sender report and whatever follows, whose first header is true to its length. */
const report = fc.record({ ssrc: fc.nat(0xffff_ffff), words: fc.array(fc.nat(0xffff_ffff), { maxLength: 60 }) });

function reportBytes({ ssrc, words }: { ssrc: number; words: number[] }): Uint8Array {
  const bytes = Buffer.alloc(8 + 4 * words.length);
  bytes.writeUInt16BE(0x80c8, 0);
  bytes.writeUInt16BE(1 + words.length, 2);
  bytes.writeUInt32BE(ssrc, 4);
  for (const [i, word] of words.entries()) bytes.writeUInt32BE(word, 8 + 4 * i);
  return Uint8Array.from(bytes);
}

describe.each(PROFILES)("beside werift-rtp, %s", (_, profile) => {
  it("RTP that we seal opens there", () => {
    fc.assert(
      fc.property(stream, (sent) => {
        const { alice } = sessionPair(profile, crypto);
        const bob = weriftBob(profile).rtp;
        const sending = createSrtpSendStream(sent.ssrc);
        for (const [i, header] of headersOf(sent).entries()) {
          const bytes = Uint8Array.from(header.serialize(header.serializeSize));
          const { payload } = sent.packets[i]!;
          const sealed = sealRtp(alice, crypto, sending, bytes, payload) as Uint8Array;
          expect(Uint8Array.from(bob.decrypt(Buffer.from(sealed)))).toEqual(concatBytes(bytes, payload));
        }
      }),
    );
  });

  it("RTP sealed there opens here", () => {
    fc.assert(
      fc.property(stream, (sent) => {
        const { alice } = sessionPair(profile, crypto);
        const bob = weriftBob(profile).rtp;
        for (const [i, header] of headersOf(sent).entries()) {
          const bytes = Uint8Array.from(header.serialize(header.serializeSize));
          const { payload } = sent.packets[i]!;
          const sealed = Uint8Array.from(bob.encrypt(Buffer.from(payload), header));
          expect(openRtp(alice, crypto, sealed, rtpHeaderLength(sealed, 0))).toEqual(concatBytes(bytes, payload));
        }
      }),
    );
  });

  it("RTCP that we seal opens there", () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 8 }), (reports) => {
        const { alice } = sessionPair(profile, crypto);
        const bob = weriftBob(profile).rtcp;
        for (const bytes of reports.map(reportBytes)) {
          const sealed = sealRtcp(alice, crypto, bytes) as Uint8Array;
          expect(Uint8Array.from(bob.decrypt(Buffer.from(sealed)))).toEqual(bytes);
        }
      }),
    );
  });

  it("RTCP sealed there opens here", () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 8 }), (reports) => {
        const { alice } = sessionPair(profile, crypto);
        const bob = weriftBob(profile).rtcp;
        for (const bytes of reports.map(reportBytes)) {
          const sealed = Uint8Array.from(bob.encrypt(Buffer.from(bytes)));
          expect(openRtcp(alice, crypto, sealed)).toEqual(bytes);
        }
      }),
    );
  });
});
