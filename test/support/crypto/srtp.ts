/** Two ends of an SRTP association and packets for them, for tests. */
import { concatBytes } from "../../../core/base/bytes.ts";
import type { CryptoProvider } from "../../../core/crypto/provider.ts";
import {
  createSrtpSession,
  type SrtpSendStream,
  type SrtpSession,
  srtpBindKeys,
  srtpOpenRtcp,
  srtpOpenRtp,
  srtpSealRtcp,
  srtpSealRtp,
} from "../../../core/srtp/context.ts";
import { SRTP_PROFILE, type SrtpProfile, srtpSaltBytes } from "../../../core/srtp/profile.ts";
import { RTP_HEADER_BYTES, rtpWriteHeader } from "../../../core/wire/rtp.ts";

/** Both profiles, with their names for titles. */
export const PROFILES = [
  ["AEAD_AES_128_GCM", SRTP_PROFILE.AEAD_AES_128_GCM],
  ["AES128_CM_SHA1_80", SRTP_PROFILE.AES128_CM_SHA1_80],
] as const;

/** Master keys and salts of two ends. */
export function masterKeys(profile: SrtpProfile) {
  const saltBytes = srtpSaltBytes(profile);
  return {
    aliceKey: Uint8Array.from({ length: 16 }, (_, i) => i * 7 + 1),
    aliceSalt: Uint8Array.from({ length: saltBytes }, (_, i) => i * 5 + 2),
    bobKey: Uint8Array.from({ length: 16 }, (_, i) => i * 3 + 100),
    bobSalt: Uint8Array.from({ length: saltBytes }, (_, i) => 200 - i),
  };
}

/** Two sessions that talk to each other, with their keys bound to handles 0 to 7 and 8 to 15. */
export function sessionPair(
  profile: SrtpProfile,
  crypto: CryptoProvider,
  indexBefore = -1,
): { alice: SrtpSession; bob: SrtpSession } {
  const { aliceKey, aliceSalt, bobKey, bobSalt } = masterKeys(profile);
  const alice = createSrtpSession({
    profile,
    readKey: bobKey,
    readSalt: bobSalt,
    writeKey: aliceKey,
    writeSalt: aliceSalt,
    keyHandleBase: 0,
    indexBefore,
  });
  const bob = createSrtpSession({
    profile,
    readKey: aliceKey,
    readSalt: aliceSalt,
    writeKey: bobKey,
    writeSalt: bobSalt,
    keyHandleBase: 8,
    indexBefore,
  });
  srtpBindKeys(alice, crypto);
  srtpBindKeys(bob, crypto);
  return { alice, bob };
}

/** An RTP header of 12 bytes. */
export function rtpHeader(ssrc: number, sequence: number): Uint8Array {
  const header = new Uint8Array(RTP_HEADER_BYTES);
  rtpWriteHeader(header, 0, 96, false, sequence, 90_000, ssrc);
  return header;
}

/** Seals `payload` behind `header`; answers the sealed packet, or the code. */
export function sealRtp(
  session: SrtpSession,
  crypto: CryptoProvider,
  stream: SrtpSendStream,
  header: Uint8Array,
  payload: Uint8Array,
): Uint8Array | number {
  const target = concatBytes(header, new Uint8Array(payload.length + 20));
  const sequence = (header[2]! << 8) | header[3]!;
  const length = srtpSealRtp(session, crypto, stream, sequence, target, 0, header.length, payload, 0, payload.length);
  return length < 0 ? length : target.slice(0, length);
}

/** Opens a copy of `sealed`; answers the plain packet, or the code. */
export function openRtp(
  session: SrtpSession,
  crypto: CryptoProvider,
  sealed: Uint8Array | number,
  headerLength = RTP_HEADER_BYTES,
): Uint8Array | number {
  if (typeof sealed === "number") return sealed;
  const bytes = sealed.slice();
  const length = srtpOpenRtp(session, crypto, bytes, 0, bytes.length, headerLength);
  return length < 0 ? length : bytes.slice(0, length);
}

/** Seals a copy of an RTCP packet; answers the sealed packet, or the code. */
export function sealRtcp(session: SrtpSession, crypto: CryptoProvider, packet: Uint8Array): Uint8Array | number {
  const bytes = concatBytes(packet, new Uint8Array(20));
  const length = srtpSealRtcp(session, crypto, bytes, 0, packet.length);
  return length < 0 ? length : bytes.slice(0, length);
}

/** Opens a copy of a sealed RTCP packet; answers the plain packet, or the code. */
export function openRtcp(
  session: SrtpSession,
  crypto: CryptoProvider,
  sealed: Uint8Array | number,
): Uint8Array | number {
  if (typeof sealed === "number") return sealed;
  const bytes = sealed.slice();
  const length = srtpOpenRtcp(session, crypto, bytes, 0, bytes.length);
  return length < 0 ? length : bytes.slice(0, length);
}

/** What a session remembers: a copy of it. */
export function memoryOf(session: SrtpSession): unknown {
  return structuredClone(session);
}
