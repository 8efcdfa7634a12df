/**
 * From a shared secret to keys: TLS 1.2's pseudo-random function and what is drawn from it (RFC 5246 §5, §6.3, §8.1).
 *
 *     ECDH secret --session hash--> master secret --randoms--> record keys
 *                                          |------transcript--> verify_data of Finished
 *                                          '------randoms-----> SRTP keys
 *
 * The master secret is always the extended one (RFC 7627 §4): it is bound to the whole handshake up to the client's key, so
 * that keys agree only when both sides have seen the same messages. The rest of this folder leans on that.
 */
import { concatBytes } from "../base/bytes.ts";
import { utf8Encode } from "../base/text.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { SRTP_PROTECTION_PROFILE } from "../wire/dtls-hello.ts";
import { VERIFY_DATA_BYTES } from "../wire/dtls-messages.ts";
import type { DtlsRole, RecordKeys, SrtpKeys } from "./state.ts";

const MASTER_SECRET_BYTES = 48;
const KEY_BYTES = 16;
const IV_BYTES = 4;
const SRTP_KEY_BYTES = 16;
const SRTP_SALT_BYTES_GCM = 12;
const SRTP_SALT_BYTES_CM = 14;

/** `length` bytes of P_SHA256 over `secret`, `label` and `seed` (RFC 5246 §5). */
export function pseudoRandom(
  crypto: CryptoProvider,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  length: number,
): Uint8Array {
  const labelledSeed = concatBytes(utf8Encode(label), seed);
  const output = new Uint8Array(length);
  let chain = labelledSeed;
  for (let at = 0; at < length; ) {
    chain = crypto.hmacSha256(secret, chain);
    const block = crypto.hmacSha256(secret, concatBytes(chain, labelledSeed));
    const taken = Math.min(block.length, length - at);
    output.set(block.subarray(0, taken), at);
    at += taken;
  }
  return output;
}

/** The extended master secret; `transcript` runs up to and with the ClientKeyExchange (RFC 7627 §4). */
export function masterSecret(crypto: CryptoProvider, sharedSecret: Uint8Array, transcript: Uint8Array): Uint8Array {
  return pseudoRandom(crypto, sharedSecret, "extended master secret", crypto.sha256(transcript), MASTER_SECRET_BYTES);
}

/** The keys of the records, seen from `role` (RFC 5246 §6.3; AES-128-GCM has no MAC keys and 4-byte salts, RFC 5288 §3). */
export function recordKeys(
  crypto: CryptoProvider,
  role: DtlsRole,
  master: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
): RecordKeys {
  const length = 2 * (KEY_BYTES + IV_BYTES);
  const block = pseudoRandom(crypto, master, "key expansion", concatBytes(serverRandom, clientRandom), length);
  const clientKey = block.slice(0, KEY_BYTES);
  const serverKey = block.slice(KEY_BYTES, 2 * KEY_BYTES);
  const clientIv = block.slice(2 * KEY_BYTES, 2 * KEY_BYTES + IV_BYTES);
  const serverIv = block.slice(2 * KEY_BYTES + IV_BYTES);
  return role === "server"
    ? { readKey: clientKey, readIv: clientIv, writeKey: serverKey, writeIv: serverIv }
    : { readKey: serverKey, readIv: serverIv, writeKey: clientKey, writeIv: clientIv };
}

/** The `verify_data` of the Finished message that `sender` sends after `transcript` (RFC 5246 §7.4.9). */
export function verifyData(
  crypto: CryptoProvider,
  sender: DtlsRole,
  master: Uint8Array,
  transcript: Uint8Array,
): Uint8Array {
  return pseudoRandom(crypto, master, `${sender} finished`, crypto.sha256(transcript), VERIFY_DATA_BYTES);
}

/** The SRTP keys of a finished handshake (RFC 5764 §4.2; the lengths: RFC 5764 §4.1.2 and RFC 7714 §12). */
export function srtpKeys(
  crypto: CryptoProvider,
  profile: number,
  master: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
): SrtpKeys {
  const saltBytes = profile === SRTP_PROTECTION_PROFILE.AEAD_AES_128_GCM ? SRTP_SALT_BYTES_GCM : SRTP_SALT_BYTES_CM;
  const length = 2 * (SRTP_KEY_BYTES + saltBytes);
  const randoms = concatBytes(clientRandom, serverRandom);
  const material = pseudoRandom(crypto, master, "EXTRACTOR-dtls_srtp", randoms, length);
  const saltsAt = 2 * SRTP_KEY_BYTES;
  return {
    profile,
    clientKey: material.slice(0, SRTP_KEY_BYTES),
    serverKey: material.slice(SRTP_KEY_BYTES, saltsAt),
    clientSalt: material.slice(saltsAt, saltsAt + saltBytes),
    serverSalt: material.slice(saltsAt + saltBytes),
  };
}
