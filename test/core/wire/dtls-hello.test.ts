import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { must } from "../../../core/base/assert.ts";
import { concatBytes } from "../../../core/base/bytes.ts";
import {
  type ClientHello,
  encodeClientHello,
  encodeHelloVerifyRequest,
  encodeServerHello,
  noExtensions,
  parseClientHello,
  parseHelloVerifyRequest,
  parseServerHello,
} from "../../../core/wire/dtls-hello.ts";
import { hex } from "../../support/wire/hex.ts";
import { hostileBytes } from "../../support/wire/hostile.ts";

function capture(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(`../../fixtures/captures/${name}`, import.meta.url)));
}

// version, random, no session, no cookie, one suite, no compression
const BARE = hex(`fefd ${"ab".repeat(32)} 00 00 0002c02b 0100`);

function withExtensions(extensions: string): Uint8Array {
  const block = hex(extensions);
  return concatBytes(BARE, Uint8Array.of(block.length >> 8, block.length), block);
}

const numbers = (max: number) => fc.option(fc.array(fc.nat(max), { maxLength: 8 }), { nil: null });
const bytesUpTo = (maxLength: number) => fc.uint8Array({ maxLength });
const extensions = fc.record({
  groups: numbers(0xffff),
  pointFormats: numbers(0xff),
  signatureSchemes: numbers(0xffff),
  srtpProfiles: numbers(0xffff),
  srtpMki: fc.constant(new Uint8Array(0)),
  extendedMasterSecret: fc.boolean(),
  renegotiationInfo: fc.option(bytesUpTo(24), { nil: null }),
  others: fc.constant<number[]>([]),
});
const random = fc.uint8Array({ minLength: 32, maxLength: 32 });
const clientHello: fc.Arbitrary<ClientHello> = fc.record({
  version: fc.nat(0xffff),
  random,
  sessionId: bytesUpTo(32),
  cookie: bytesUpTo(255),
  cipherSuites: fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 8 }),
  compressionMethods: fc.array(fc.nat(0xff), { minLength: 1, maxLength: 3 }),
  extensions,
});

describe("a ClientHello", () => {
  it("of Chromium 156 is read, its TLS 1.3 parts skipped", () => {
    const first = capture("chromium-156-clienthello-1.bin");
    const second = capture("chromium-156-clienthello-2.bin");
    // 13 bytes of record and 12 of handshake header stand before each fragment
    const hello = must(parseClientHello(concatBytes(first.slice(25), second.slice(25))), "it can be read");
    expect(hello.version).toBe(0xfefd);
    expect(hello.cipherSuites).toContain(0xc02b);
    expect(hello.extensions.groups).toEqual([4588, 29, 23, 24]);
    expect(hello.extensions.signatureSchemes).toContain(0x0403);
    expect(hello.extensions.srtpProfiles).toEqual([1, 8, 7]);
    expect(hello.extensions.extendedMasterSecret).toBe(true);
    expect(hello.extensions.renegotiationInfo).toEqual(new Uint8Array(0));
    expect(hello.extensions.others).toEqual(expect.arrayContaining([43, 51]));
  });

  it("may lack the extensions altogether", () => {
    expect(parseClientHello(BARE)?.extensions).toEqual(noExtensions());
  });

  it("is refused when an extension comes twice", () => {
    expect(parseClientHello(withExtensions("0017 0000"))).toBeDefined();
    expect(parseClientHello(withExtensions("0017 0000 0017 0000"))).toBeUndefined();
  });

  it("is refused when an extension has a byte too many or too few", () => {
    expect(parseClientHello(withExtensions("000a 0004 0002001d"))?.extensions.groups).toEqual([29]);
    expect(parseClientHello(withExtensions("000a 0005 0002001d00"))).toBeUndefined();
    expect(parseClientHello(withExtensions("000a 0003 0001001d".slice(0, -2)))).toBeUndefined();
  });

  it("is refused when bytes follow it", () => {
    expect(parseClientHello(concatBytes(BARE, hex("0000 00")))).toBeUndefined();
  });

  it("is refused when it is cut anywhere, but where its extensions begin", () => {
    const whole = withExtensions("000a 0004 0002001d 0017 0000");
    for (let length = 0; length < whole.length; length++) {
      if (length !== BARE.length) expect(parseClientHello(whole.slice(0, length))).toBeUndefined();
    }
  });

  it("round-trips", () => {
    fc.assert(
      fc.property(clientHello, (hello) => {
        expect(parseClientHello(encodeClientHello(hello))).toEqual(hello);
      }),
    );
  });

  it("never throws when it is mutated", () => {
    fc.assert(
      fc.property(clientHello, fc.nat(), fc.nat(255), (hello, where, value) => {
        const bytes = encodeClientHello(hello);
        bytes[where % bytes.length] = value;
        parseClientHello(bytes);
        parseServerHello(bytes);
      }),
    );
  });

  it("never throws for arbitrary bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseClientHello(bytes);
        parseServerHello(bytes);
        parseHelloVerifyRequest(bytes);
      }),
    );
  });
});

describe("a ServerHello", () => {
  it("round-trips", () => {
    const serverHello = fc.record({
      version: fc.nat(0xffff),
      random,
      sessionId: bytesUpTo(32),
      cipherSuite: fc.nat(0xffff),
      compressionMethod: fc.nat(255),
      extensions,
    });
    fc.assert(
      fc.property(serverHello, (hello) => {
        expect(parseServerHello(encodeServerHello(hello))).toEqual(hello);
      }),
    );
  });
});

describe("hostile hellos", () => {
  it("never throw in any of the three readers, and what is read was there", () => {
    const seeds = [
      Uint8Array.from([
        ...capture("chromium-156-clienthello-1.bin").slice(25),
        ...capture("chromium-156-clienthello-2.bin").slice(25),
      ]),
      encodeServerHello({
        version: 0xfefd,
        random: new Uint8Array(32).fill(1),
        sessionId: new Uint8Array(0),
        cipherSuite: 0xc02b,
        compressionMethod: 0,
        extensions: { ...noExtensions(), extendedMasterSecret: true, srtpProfiles: [7], groups: [29, 23] },
      }),
      encodeHelloVerifyRequest(new Uint8Array(20).fill(2)),
    ];
    fc.assert(
      fc.property(hostileBytes(...seeds), (bytes) => {
        const client = parseClientHello(bytes);
        const server = parseServerHello(bytes);
        const cookie = parseHelloVerifyRequest(bytes);
        if (client) expect(client.cipherSuites.length * 2 + client.sessionId.length).toBeLessThan(bytes.length);
        if (server) expect(server.sessionId.length).toBeLessThan(bytes.length);
        if (cookie) expect(cookie.length + 3).toBe(bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a HelloVerifyRequest", () => {
  it("round-trips its cookie", () => {
    fc.assert(
      fc.property(bytesUpTo(255), (cookie) => {
        expect(parseHelloVerifyRequest(encodeHelloVerifyRequest(cookie))).toEqual(cookie);
      }),
    );
  });
});
