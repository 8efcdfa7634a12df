/**
 * The two SRTP protection profiles that Lockstep speaks, by their DTLS-SRTP code point (RFC 5764 §4.1.2, RFC 7714 §14.2).
 *
 * AEAD_AES_128_GCM is what we choose when the peer offers it: one pass over the packet instead of two. AES-CM with a
 * HMAC-SHA-1 tag of 80 bits is the one that every WebRTC endpoint must have (RFC 8827 §6.5). The profiles with 256-bit
 * keys, with the short tag of 32 bits and without encryption are left out: no browser needs them.
 */

/** Code points of the `use_srtp` extension. */
export const SRTP_PROFILE = { AES128_CM_SHA1_80: 1, AEAD_AES_128_GCM: 7 } as const;

/** A code point of {@link SRTP_PROFILE}. */
export type SrtpProfile = (typeof SRTP_PROFILE)[keyof typeof SRTP_PROFILE];

/** Bytes of a master key, and of a session key, in both profiles. */
export const SRTP_KEY_BYTES = 16;

/** Bytes of the HMAC-SHA-1 session key of AES-CM (RFC 3711 §8.2). */
export const SRTP_AUTH_KEY_BYTES = 20;

/** Bytes of an AES-CM salt: the longest of both profiles. */
export const SRTP_SALT_BYTES_MAX = 14;

/** Bytes of the E bit and index behind an SRTCP packet (RFC 3711 §3.4). */
export const SRTCP_INDEX_BYTES = 4;

/** Whether Lockstep speaks the profile with this code point. */
export function isSrtpProfile(codePoint: number): codePoint is SrtpProfile {
  return codePoint === SRTP_PROFILE.AEAD_AES_128_GCM || codePoint === SRTP_PROFILE.AES128_CM_SHA1_80;
}

/** Bytes of the master salt: 12 (RFC 7714 §12) or 14 (RFC 3711 §8.2). */
export function srtpSaltBytes(profile: SrtpProfile): number {
  return profile === SRTP_PROFILE.AEAD_AES_128_GCM ? 12 : SRTP_SALT_BYTES_MAX;
}

/** Bytes of the tag behind each packet: 16 (RFC 7714 §12) or 10 (RFC 3711 §8.2). */
export function srtpTagBytes(profile: SrtpProfile): number {
  return profile === SRTP_PROFILE.AEAD_AES_128_GCM ? 16 : 10;
}
