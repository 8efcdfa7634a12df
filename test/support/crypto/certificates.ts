/** Certificates of the kinds that a peer may show, made with keys of Node's: RSA, other curves, other algorithms. */
import { type KeyObject, sign } from "node:crypto";

/** ecdsa-with-SHA256 (RFC 5758 §3.2) and sha256WithRSAEncryption (RFC 8017 appendix C). */
const ECDSA_WITH_SHA256 = "06082a8648ce3d040302";
const SHA256_WITH_RSA = "06092a864886f70d01010b0500";

/** A self-signed certificate (DER) of a key pair; its signature is SHA-256 with ECDSA or RSA, or empty for other keys. */
export function certificateOf(keys: { publicKey: KeyObject; privateKey: KeyObject }): Uint8Array {
  const kind = keys.publicKey.asymmetricKeyType;
  const algorithm = der(0x30, Buffer.from(kind === "rsa" ? SHA256_WITH_RSA : ECDSA_WITH_SHA256, "hex"));
  const commonName = Buffer.concat([Buffer.from("0603550403", "hex"), der(0x0c, Buffer.from("peer"))]);
  const name = der(0x30, der(0x31, der(0x30, commonName)));
  const validity = der(0x30, der(0x17, Buffer.from("200101000000Z")), der(0x17, Buffer.from("490101000000Z")));
  const info = keys.publicKey.export({ format: "der", type: "spki" });
  const body = der(0x30, der(0xa0, der(2, Buffer.of(2))), der(2, Buffer.of(1)), algorithm, name, validity, name, info);
  const signature = kind === "rsa" || kind === "ec" ? sign("sha256", body, keys.privateKey) : Buffer.alloc(64);
  return Uint8Array.from(der(0x30, body, algorithm, der(3, Buffer.of(0), signature)));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const contents = Buffer.concat(parts);
  const head = Buffer.of(tag, 0x82, contents.length >> 8, contents.length & 255);
  return Buffer.concat([contents.length < 128 ? Buffer.of(tag, contents.length) : shortest(head), contents]);
}

/** DER wants the shortest length. */
function shortest(head: Buffer): Buffer {
  return head[2] === 0 ? Buffer.of(head[0]!, 0x81, head[3]!) : head;
}
