/** The fast provider, on machines that must have it. */
import { createContextLedger, createOpensslCrypto, type OpensslCrypto } from "../../../io-crypto/openssl-crypto.ts";

/** A provider over kept OpenSSL contexts, with EVP for all of them or not; throws the sentence that says why there is none. */
export function requireOpensslCrypto(direct = true): OpensslCrypto {
  const crypto = createOpensslCrypto(createContextLedger(), direct);
  if (typeof crypto === "string") throw new Error(crypto);
  return crypto;
}
