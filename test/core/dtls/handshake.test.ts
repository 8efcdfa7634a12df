import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { must } from "../../../core/base/assert.ts";
import { concatBytes } from "../../../core/base/bytes.ts";
import { millis, seconds } from "../../../core/base/micros.ts";
import { hexEncode } from "../../../core/base/text.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import { encodeMessage, HANDSHAKE_TYPE, messageBody } from "../../../core/wire/dtls-handshake.ts";
import {
  type ClientHello,
  encodeClientHello,
  parseClientHello,
  parseServerHello,
  type ServerHello,
} from "../../../core/wire/dtls-hello.ts";
import {
  encodeCertificates,
  encodeServerKeyParameters,
  parseCertificateRequest,
  parseCertificates,
  parseServerKeyExchange,
} from "../../../core/wire/dtls-messages.ts";
import { ALERT, CONTENT_TYPE } from "../../../core/wire/dtls-record.ts";
import {
  connectedRig,
  createRig,
  crypto,
  DELAY,
  deliver,
  handshakeRecord,
  type Network,
  plainMessages,
  type Rig,
  run,
  SERVER_CERTIFICATE,
  start,
} from "./rig.ts";

const lost: Network = () => [];

/** What our client says, changed. */
function clientHello(change: (hello: ClientHello) => void): Uint8Array {
  const rig = createRig(lost);
  start(rig);
  const hello = must(parseClientHello(messageBody(plainMessages(rig, "client")[0]!)), "our own hello can be read");
  change(hello);
  return handshakeRecord(encodeMessage(HANDSHAKE_TYPE.CLIENT_HELLO, 0, encodeClientHello(hello)));
}

/** A server that has heard one changed hello, and what it said until it gave up or was content. */
function greeted(change: (hello: ClientHello) => void): Rig {
  const rig = createRig(lost);
  deliver(rig, "server", clientHello(change));
  return rig;
}

function serverHello(rig: Rig): ServerHello {
  return must(parseServerHello(messageBody(plainMessages(rig, "server")[0]!)), "there is a ServerHello");
}

/** The last datagram of the server, if it is an alert in plaintext: level and description. */
function lastAlert(rig: Rig): number[] {
  const sent = rig.log.filter((transit) => transit.from === "server");
  const bytes = must(sent.at(-1), "something was sent").bytes;
  return bytes[0] === CONTENT_TYPE.ALERT && bytes.length === 15 ? [bytes[13]!, bytes[14]!] : [];
}

describe("a DTLS handshake", () => {
  it("connects both sides over a lossless network in four datagrams", () => {
    const rig = createRig();
    start(rig);
    run(rig);
    expect([rig.client.failure, rig.server.failure]).toEqual(["", ""]);
    expect([rig.client.status, rig.server.status]).toEqual(["connected", "connected"]);
    expect(rig.log).toHaveLength(4);
  });

  it("gives both sides the same SRTP keys, for AEAD_AES_128_GCM", () => {
    const rig = connectedRig();
    expect(rig.server.srtp).not.toBeNull();
    expect(rig.server.srtp).toEqual(rig.client.srtp);
    expect(rig.server.srtp?.profile).toBe(7);
  });

  it("gives the same bytes for the same inputs", () => {
    expect(connectedRig().log).toEqual(connectedRig().log);
  });

  it("gives other keys for another secret", () => {
    const other = createRig(undefined, {}, { secret: new Uint8Array(32).fill(0x45) });
    start(other);
    run(other);
    expect(other.server.srtp?.clientKey).not.toEqual(connectedRig().server.srtp?.clientKey);
  });

  it("leaves neither private key, secret nor master secret behind", () => {
    for (const dtls of Object.values({ client: connectedRig().client, server: connectedRig().server })) {
      expect([dtls.privateKey.length, dtls.secret.length, dtls.exchange, dtls.inbound]).toEqual([0, 0, null, []]);
    }
  });

  it("leaves no timer behind", () => {
    const rig = connectedRig();
    const sent = rig.log.length;
    run(rig, seconds(100));
    expect(rig.log).toHaveLength(sent);
  });
});

describe("a server that hears Chromium 156", () => {
  const parts = ["1", "2"].map((part) => {
    const path = new URL(`../../fixtures/captures/chromium-156-clienthello-${part}.bin`, import.meta.url);
    return Uint8Array.from(readFileSync(path));
  });

  it.each([
    { order: "in order", which: [0, 1] },
    { order: "the wrong way round", which: [1, 0] },
    { order: "the first part three times", which: [0, 0, 0, 1] },
  ])("puts its ClientHello together, $order, and answers with one flight", ({ which }) => {
    const rig = createRig(lost);
    for (const part of which) deliver(rig, "server", parts[part]!);
    expect(plainMessages(rig, "server").map((message) => message[0])).toEqual([2, 11, 12, 13, 14]);
    expect(rig.log).toHaveLength(1);
  });

  it("chooses DTLS 1.2, X25519 and AEAD_AES_128_GCM, and marks no downgrade", () => {
    const rig = createRig(lost);
    for (const part of parts) deliver(rig, "server", part);
    const hello = serverHello(rig);
    expect(hello).toMatchObject({ version: 0xfefd, cipherSuite: 0xc02b, compressionMethod: 0 });
    expect(hello.extensions).toEqual({
      groups: null,
      pointFormats: [0],
      signatureSchemes: null,
      srtpProfiles: [7],
      srtpMki: new Uint8Array(0),
      extendedMasterSecret: true,
      renegotiationInfo: new Uint8Array(0),
      others: [],
    });
    expect(hexEncode(hello.random)).not.toContain(hexEncode(new TextEncoder().encode("DOWNGRD")));
  });

  it("signs its key share over both randoms with the key of its certificate, and asks for one", () => {
    const rig = createRig(lost);
    for (const part of parts) deliver(rig, "server", part);
    const [, certificate, exchange, request] = plainMessages(rig, "server").map(messageBody);
    expect(parseCertificates(certificate!)).toEqual([SERVER_CERTIFICATE]);
    const { group, publicKey, scheme, signature } = must(parseServerKeyExchange(exchange!), "it can be read");
    expect(group).toBe(29);
    // the random of Chromium's hello stands behind 25 bytes of headers and 2 of version
    const randoms = concatBytes(parts[0]!.slice(27, 59), serverHello(rig).random);
    const signed = concatBytes(randoms, encodeServerKeyParameters(group, publicKey));
    expect(crypto.verifySignature(SERVER_CERTIFICATE, scheme, signed, signature)).toBe(true);
    expect(parseCertificateRequest(request!)?.signatureSchemes).toContain(0x0403);
  });

  it("repeats its flight once for a whole repeated hello, however that is cut", () => {
    const rig = createRig(lost);
    for (const part of parts) deliver(rig, "server", part);
    run(rig, USUAL_TUNABLES.dtlsRepeatMicros);
    deliver(rig, "server", parts[0]!);
    expect(rig.log).toHaveLength(1);
    deliver(rig, "server", parts[1]!);
    expect(rig.log).toHaveLength(1);
    rig.now = millis(rig.now / 1_000 + 50);
    for (const part of parts) deliver(rig, "server", part);
    expect(rig.log).toHaveLength(2);
  });
});

describe("a server that must choose", () => {
  it("takes AES128_CM_SHA1_80 when that is all there is", () => {
    const rig = greeted((hello) => {
      hello.extensions.srtpProfiles = [8, 1];
    });
    expect(serverHello(rig).extensions.srtpProfiles).toEqual([1]);
  });

  it("takes P-256 from a client without X25519", () => {
    const rig = greeted((hello) => {
      hello.extensions.groups = [24, 23];
    });
    expect(parseServerKeyExchange(messageBody(plainMessages(rig, "server")[2]!))?.group).toBe(23);
  });

  it("answers renegotiation_info to the signalling suite too", () => {
    const rig = greeted((hello) => {
      hello.cipherSuites.push(0x00ff);
      hello.extensions.renegotiationInfo = null;
    });
    expect(serverHello(rig).extensions.renegotiationInfo).toEqual(new Uint8Array(0));
  });

  it("answers no extension that was not offered", () => {
    const rig = greeted((hello) => {
      hello.extensions.renegotiationInfo = null;
      hello.extensions.pointFormats = null;
    });
    expect(serverHello(rig).extensions).toMatchObject({ renegotiationInfo: null, pointFormats: null });
  });

  const refusals: { what: string; alert: number; change: (hello: ClientHello) => void }[] = [
    {
      what: "no extended master secret",
      alert: ALERT.HANDSHAKE_FAILURE,
      change: (hello) => {
        hello.extensions.extendedMasterSecret = false;
      },
    },
    {
      what: "no common suite",
      alert: ALERT.HANDSHAKE_FAILURE,
      change: (hello) => {
        hello.cipherSuites = [0xc02f, 0x1301];
      },
    },
    {
      what: "no use_srtp",
      alert: ALERT.HANDSHAKE_FAILURE,
      change: (hello) => {
        hello.extensions.srtpProfiles = null;
      },
    },
    {
      what: "no SRTP profile of ours",
      alert: ALERT.HANDSHAKE_FAILURE,
      change: (hello) => {
        hello.extensions.srtpProfiles = [8];
      },
    },
    {
      what: "no group of ours",
      alert: ALERT.HANDSHAKE_FAILURE,
      change: (hello) => {
        hello.extensions.groups = [24, 4588];
      },
    },
    {
      what: "no ECDSA signatures with P-256",
      alert: ALERT.HANDSHAKE_FAILURE,
      change: (hello) => {
        hello.extensions.signatureSchemes = [0x0804];
      },
    },
    {
      what: "a renegotiation",
      alert: ALERT.HANDSHAKE_FAILURE,
      change: (hello) => {
        hello.extensions.renegotiationInfo = new Uint8Array(12);
      },
    },
    {
      what: "compressed points alone",
      alert: ALERT.ILLEGAL_PARAMETER,
      change: (hello) => {
        hello.extensions.pointFormats = [1];
      },
    },
    {
      what: "compression alone",
      alert: ALERT.ILLEGAL_PARAMETER,
      change: (hello) => {
        hello.compressionMethods = [1];
      },
    },
    {
      what: "DTLS 1.0",
      alert: ALERT.PROTOCOL_VERSION,
      change: (hello) => {
        hello.version = 0xfeff;
      },
    },
  ];
  it.each(refusals)("refuses a client that offers $what, with the alert for it", ({ alert, change }) => {
    const rig = greeted(change);
    expect(rig.log).toEqual([]);
    run(rig);
    expect(rig.server.status).toBe("failed");
    expect(rig.server.failure).toMatch(/^The client .*\.$/);
    expect(lastAlert(rig)).toEqual([2, alert]);
  });

  it("forgives a refused hello that is followed by a good one", () => {
    const rig = greeted((hello) => {
      hello.extensions.extendedMasterSecret = false;
    });
    rig.network = ({ bytes }) => [{ bytes, delay: DELAY }];
    start(rig);
    run(rig);
    expect([rig.client.status, rig.server.status]).toEqual(["connected", "connected"]);
  });
});

describe("who the other side is", () => {
  it("matters to the server: another certificate than the promised one fails with bad_certificate", () => {
    const rig = createRig(undefined, {}, { remoteFingerprint: new Uint8Array(32).fill(1) });
    start(rig);
    run(rig);
    expect(rig.server.status).toBe("failed");
    expect(rig.server.failure).toContain("certificate");
    expect(rig.server.srtp).toBeNull();
    expect(lastAlert(rig)).toEqual([2, ALERT.BAD_CERTIFICATE]);
    expect(rig.client.status).toBe("failed");
  });

  it("matters to the client: another certificate than the promised one fails with bad_certificate", () => {
    const rig = createRig(undefined, { remoteFingerprint: new Uint8Array(32).fill(1) });
    start(rig);
    run(rig);
    expect([rig.client.status, rig.server.status]).toEqual(["failed", "failed"]);
    expect(rig.client.failure).toContain("certificate");
    expect(rig.server.failure).toContain(`alert ${ALERT.BAD_CERTIFICATE}`);
  });

  it("is proved to the server by a signature, not by showing a certificate", () => {
    const rig = createRig(undefined, { privateKey: new Uint8Array(32).fill(9) });
    start(rig);
    run(rig);
    expect(rig.server.status).toBe("failed");
    expect(rig.server.failure).toContain("signature");
    expect(lastAlert(rig)).toEqual([2, ALERT.DECRYPT_ERROR]);
  });

  it("is proved to the client by a signature, not by showing a certificate", () => {
    const rig = createRig(undefined, {}, { privateKey: new Uint8Array(32).fill(9) });
    start(rig);
    run(rig);
    expect(rig.client.status).toBe("failed");
    expect(rig.client.failure).toContain("signature");
  });

  it("can't be left open: a client without a certificate fails with handshake_failure", () => {
    const rig = greeted(() => {});
    const empty = encodeMessage(HANDSHAKE_TYPE.CERTIFICATE, 1, encodeCertificates([]));
    deliver(rig, "server", handshakeRecord(empty));
    run(rig);
    expect(rig.server.status).toBe("failed");
    expect(rig.server.failure).toContain("no certificate");
    expect(lastAlert(rig)).toEqual([2, ALERT.HANDSHAKE_FAILURE]);
  });
});
