/**
 * Keys for load that meets no server: both sides know them beforehand. They protect nothing.
 */
import type { CryptoProvider } from "../../core/index.ts";
import { deriveSessionKeys, SRTP_STREAM_KIND, type SrtpSessionKeys } from "../../core/srtp/key-derivation.ts";
import { SRTP_KEY_BYTES, SRTP_PROFILE, type SrtpProfile, srtpSaltBytes } from "../../core/srtp/profile.ts";

/** A master key and its salt, and what they are for. */
export interface GivenKeys {
  readonly profile: SrtpProfile;
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}

/** The master key and salt of the peer with this index. */
export function givenKeys(index: number, profile: SrtpProfile = SRTP_PROFILE.AEAD_AES_128_GCM): GivenKeys {
  const key = Uint8Array.from({ length: SRTP_KEY_BYTES }, (_, i) => (index >> (8 * (i & 3))) ^ (i * 37));
  const salt = Uint8Array.from({ length: srtpSaltBytes(profile) }, (_, i) => i * 11);
  return { profile, key, salt };
}

/** What SRTP derives from them for RTP (RFC 3711 §4.3). */
export function givenSessionKeys(crypto: CryptoProvider, index: number): SrtpSessionKeys {
  const { key, salt } = givenKeys(index);
  return deriveSessionKeys(crypto, key, salt, SRTP_STREAM_KIND.RTP);
}
