/**
 * What both roles bring along: the lists they offer or take, and the secrets they derive.
 *
 * Random and key shares are looked up in the association's secret, not drawn (core/crypto/entropy.ts). So they need no
 * place in the state, and a handshake that begins anew, because its first hello was damaged, keeps them.
 */
import { deriveEntropy } from "../crypto/entropy.ts";
import { type CryptoProvider, NAMED_GROUP, type NamedGroup } from "../crypto/provider.ts";
import { SIGNATURE_SCHEME, SRTP_PROTECTION_PROFILE } from "../wire/dtls-hello.ts";
import type { Dtls } from "./state.ts";

/** Signature schemes that we check, best first. Firefox and Chromium sign with the first, old RSA certificates with others. */
export const SCHEMES: readonly number[] = [
  SIGNATURE_SCHEME.ECDSA_P256_SHA256,
  SIGNATURE_SCHEME.RSA_PSS_SHA256,
  SIGNATURE_SCHEME.RSA_PKCS1_SHA256,
];

/** SRTP protection profiles, best first. */
export const SRTP_PROFILES: readonly number[] = [
  SRTP_PROTECTION_PROFILE.AEAD_AES_128_GCM,
  SRTP_PROTECTION_PROFILE.AES128_CM_SHA1_80,
];

/** Groups, best first. */
export const GROUPS: readonly NamedGroup[] = [NAMED_GROUP.X25519, NAMED_GROUP.P256];

const RANDOM_BYTES = 32;
const PRIVATE_KEY_BYTES = 32;

/** The random of our hello. */
export function helloRandom(dtls: Dtls, crypto: CryptoProvider): Uint8Array {
  return deriveEntropy(crypto, dtls.secret, "dtls-hello-random", 0, 0, RANDOM_BYTES);
}

/** Our ephemeral private key on a group. */
export function ecdhPrivateKey(dtls: Dtls, crypto: CryptoProvider, group: NamedGroup): Uint8Array {
  return deriveEntropy(crypto, dtls.secret, "dtls-ecdh", group, 0, PRIVATE_KEY_BYTES);
}

/** Takes a group that the peer names for one of ours, or answers `undefined`. */
export function ourGroup(group: number): NamedGroup | undefined {
  return GROUPS.find((ours) => ours === group);
}
