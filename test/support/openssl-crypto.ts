/** The fast provider, on machines that must have it. */
import { createOpensslCrypto, type OpensslCrypto } from "../../io-crypto/openssl-crypto.ts";

/** A provider over kept OpenSSL contexts; throws the sentence that says why there is none. */
export function requireOpensslCrypto(): OpensslCrypto {
  const crypto = createOpensslCrypto();
  if (typeof crypto === "string") throw new Error(crypto);
  return crypto;
}
