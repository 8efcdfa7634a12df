import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hexEncode } from "../../../core/base/text.ts";
import {
  encodeCertificateRequest,
  encodeCertificates,
  encodeCertificateVerify,
  encodeClientKeyExchange,
  encodeServerKeyExchange,
  parseCertificateRequest,
  parseCertificates,
  parseCertificateVerify,
  parseClientKeyExchange,
  parseServerKeyExchange,
} from "../../../core/wire/dtls-messages.ts";
import { hex } from "../../support/wire/hex.ts";

const u16 = fc.nat(0xffff);
const bytesUpTo = (maxLength: number) => fc.uint8Array({ maxLength });
const parsers = [
  parseCertificates,
  parseServerKeyExchange,
  parseCertificateRequest,
  parseClientKeyExchange,
  parseCertificateVerify,
];

describe("the messages behind the hellos", () => {
  it("say an empty certificate list in three bytes", () => {
    expect(hexEncode(encodeCertificates([]))).toBe("000000");
    expect(parseCertificates(hex("000000"))).toEqual([]);
  });

  it("refuse a certificate of no bytes", () => {
    expect(parseCertificates(hex("000003 000000"))).toBeUndefined();
  });

  it("refuse a key exchange on an explicit curve", () => {
    // named curve (3) X25519, key of 1 byte, scheme 0x0403, signature of 1 byte
    expect(parseServerKeyExchange(hex("03 001d 01 aa 0403 0001 bb"))).toBeDefined();
    expect(parseServerKeyExchange(hex("01 001d 01 aa 0403 0001 bb"))).toBeUndefined();
  });

  it("skip the names of authorities in a certificate request", () => {
    // types ecdsa_sign; schemes 0x0403; authorities of 4 bytes
    expect(parseCertificateRequest(hex("01 40 0002 0403 0004 0002aabb"))).toEqual({
      certificateTypes: [64],
      signatureSchemes: [0x0403],
    });
  });

  it("round-trip", () => {
    const certificates = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 4 });
    fc.assert(
      fc.property(
        certificates,
        u16,
        bytesUpTo(255),
        u16,
        bytesUpTo(300),
        (chain, group, publicKey, scheme, signature) => {
          const exchange = { group, publicKey, scheme, signature };
          const request = { certificateTypes: [group & 255], signatureSchemes: [scheme, group] };
          expect(parseCertificates(encodeCertificates(chain))).toEqual(chain);
          expect(parseServerKeyExchange(encodeServerKeyExchange(exchange))).toEqual(exchange);
          expect(parseCertificateRequest(encodeCertificateRequest(request))).toEqual(request);
          expect(parseClientKeyExchange(encodeClientKeyExchange(publicKey))).toEqual(publicKey);
          expect(parseCertificateVerify(encodeCertificateVerify({ scheme, signature }))).toEqual({ scheme, signature });
        },
      ),
    );
  });

  it("never throw, for arbitrary bytes or a valid message cut short or changed", () => {
    const exchange = encodeServerKeyExchange({
      group: 29,
      publicKey: new Uint8Array(32).fill(1),
      scheme: 0x0403,
      signature: new Uint8Array(70).fill(2),
    });
    const certificates = encodeCertificates([new Uint8Array(20).fill(3), new Uint8Array(30).fill(4)]);
    const valid = fc.constantFrom(exchange, certificates, encodeClientKeyExchange(new Uint8Array(65)));
    fc.assert(
      fc.property(fc.oneof(valid, fc.uint8Array({ maxLength: 100 })), fc.nat(), fc.nat(255), (whole, where, value) => {
        const cut = whole.slice(0, where % (whole.length + 1));
        const changed = Uint8Array.from(whole);
        if (changed.length > 0) changed[where % changed.length] = value;
        for (const parse of parsers) {
          parse(cut);
          parse(changed);
        }
      }),
    );
  });
});
