/** The certificate that Lockstep shows, as OpenSSL reads it. */
import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { NAMED_GROUP } from "../../core/crypto/provider.ts";
import { createNodeCrypto } from "../../io-crypto/index.ts";

const crypto = createNodeCrypto();
const privateKey = new Uint8Array(32).fill(0x42);
const certificate = crypto.createCertificate(privateKey);
const read = new X509Certificate(certificate);

describe("the certificate", () => {
  it("is signed by its own key", () => {
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.checkIssued(read)).toBe(true);
  });

  it("holds the P-256 public key of the private key", () => {
    const spki = read.publicKey.export({ format: "der", type: "spki" });
    expect(read.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
    expect(Uint8Array.from(spki.subarray(-65))).toEqual(crypto.ecdhPublicKey(NAMED_GROUP.P256, privateKey));
  });

  it("names nobody", () => {
    expect(read.subject).toBe("CN=lockstep");
    expect(read.issuer).toBe("CN=lockstep");
    expect(read.subjectAltName).toBeUndefined();
  });

  it("is valid for thirty years, whatever day it is made on", () => {
    expect(read.validFrom).toBe("Jan  1 00:00:00 2020 GMT");
    expect(read.validTo).toBe("Jan  1 00:00:00 2050 GMT");
  });

  it("is in the form that OpenSSL would write: reading gives back the same bytes", () => {
    expect(Uint8Array.from(read.raw)).toEqual(certificate);
    expect(read.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(
      Buffer.from(crypto.sha256(certificate)).toString("hex"),
    );
  });

  it("has a positive serial number of 16 bytes that differs from key to key", () => {
    const serials = new Set<string>();
    for (let key = 0; key < 20; key++) {
      const { serialNumber } = new X509Certificate(crypto.createCertificate(new Uint8Array(32).fill(key + 1)));
      expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
      serials.add(serialNumber);
    }
    expect(serials.size).toBe(20);
  });

  it("can be made for any key, whatever the lengths of the numbers in its signature", () => {
    for (let key = 0; key < 100; key++) {
      const bytes = crypto.createCertificate(crypto.sha256(Uint8Array.of(key)));
      const { publicKey } = new X509Certificate(bytes);
      expect(new X509Certificate(bytes).verify(publicKey)).toBe(true);
    }
  });
});
