/**
 * From a master key to the session keys (RFC 3711 §4.3, RFC 7714 §11).
 *
 *     label (1 byte) || index / rate (6 bytes)      key_id
 *     key_id XOR master salt (14 bytes)             x
 *     AES-CM(master key, IV = x || 00 00)           the session key: as much keystream as it needs
 *
 * The key derivation rate is always zero (DTLS-SRTP can't say anything else), so each key is derived once, and index / rate
 * is zero. A salt of 12 bytes is padded with zeros to 14, as RFC 7714 §11 says.
 */
import { assert } from "../base/assert.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { SRTP_AUTH_KEY_BYTES, SRTP_KEY_BYTES, SRTP_SALT_BYTES_MAX } from "./profile.ts";

/** The labels of RFC 3711 §4.3.1 and §4.3.2; those of SRTCP are three higher. */
const LABEL = { ENCRYPTION: 0, AUTHENTICATION: 1, SALT: 2 } as const;
const SRTCP_LABELS = 3;

/** Where the label stands in x. */
const LABEL_OFFSET = 7;

/** Which packets keys are for. */
export const SRTP_STREAM_KIND = { RTP: 0, RTCP: 1 } as const;

/** The session keys of one direction and kind of packets. */
export interface SrtpSessionKeys {
  /** 16 bytes. */
  readonly cipherKey: Uint8Array;
  /** 20 bytes; only AES-CM needs it. */
  readonly authKey: Uint8Array;
  /** 14 bytes; AES-GCM uses the first 12. */
  readonly salt: Uint8Array;
}

/** Derives the session keys of `kind` (of {@link SRTP_STREAM_KIND}) from a master key of 16 and a salt of 12 or 14 bytes. */
export function deriveSessionKeys(
  crypto: CryptoProvider,
  masterKey: Uint8Array,
  masterSalt: Uint8Array,
  kind: number,
): SrtpSessionKeys {
  const first = kind === SRTP_STREAM_KIND.RTCP ? SRTCP_LABELS : 0;
  return {
    cipherKey: deriveSrtpKey(crypto, masterKey, masterSalt, first + LABEL.ENCRYPTION, SRTP_KEY_BYTES),
    authKey: deriveSrtpKey(crypto, masterKey, masterSalt, first + LABEL.AUTHENTICATION, SRTP_AUTH_KEY_BYTES),
    salt: deriveSrtpKey(crypto, masterKey, masterSalt, first + LABEL.SALT, SRTP_SALT_BYTES_MAX),
  };
}

/** `length` bytes of the key with this label (RFC 3711 §4.3.3). */
export function deriveSrtpKey(
  crypto: CryptoProvider,
  masterKey: Uint8Array,
  masterSalt: Uint8Array,
  label: number,
  length: number,
): Uint8Array {
  assert(masterKey.length === SRTP_KEY_BYTES, "an SRTP master key has 16 bytes");
  assert(masterSalt.length <= SRTP_SALT_BYTES_MAX, "an SRTP master salt has at most 14 bytes");
  const iv = new Uint8Array(16);
  iv.set(masterSalt, 0);
  iv[LABEL_OFFSET]! ^= label;
  return crypto.aesCmKeystream(masterKey, iv, length);
}
