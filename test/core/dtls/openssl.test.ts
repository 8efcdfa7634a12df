/**
 * Our association against the openssl program, over real UDP sockets on loopback: another implementation must come to the
 * same keys. The program is looked for on the PATH; without it these tests fail, for then nothing here has been proved.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createECDH, createPrivateKey } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { must } from "../../../core/base/assert.ts";
import { concatBytes } from "../../../core/base/bytes.ts";
import { after, MICROS_ORIGIN, type Micros, micros } from "../../../core/base/micros.ts";
import { hexEncode, utf8Decode, utf8Encode } from "../../../core/base/text.ts";
import {
  createDtls,
  type Dtls,
  type DtlsConfig,
  dtlsClose,
  dtlsNextTimeout,
  dtlsReceive,
  dtlsSend,
  dtlsStart,
  dtlsTimeout,
  type SrtpKeys,
} from "../../../core/dtls/dtls.ts";
import {
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  configOf,
  createTestSink,
  crypto,
  FLOW,
  SERVER_CERTIFICATE,
  SERVER_KEY,
} from "./rig.ts";

const PATIENCE_MILLIS = 8_000;

/** An association of ours that lives on a UDP socket. */
interface Endpoint {
  dtls: Dtls;
  socket: Socket;
  peerPort: number;
  timer: NodeJS.Timeout | undefined;
  startedAt: number;
}

vi.setConfig({ testTimeout: 4 * PATIENCE_MILLIS });

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString("base64")
    .replace(/(.{64})/g, "$1\n")}\n-----END ${label}-----\n`;
}

function privateKeyPem(privateKey: Uint8Array): string {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(privateKey);
  const point = ecdh.getPublicKey();
  const jwk = {
    kty: "EC",
    crv: "P-256",
    d: Buffer.from(privateKey).toString("base64url"),
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  return createPrivateKey({ key: jwk, format: "jwk" }).export({ type: "pkcs8", format: "pem" }) as string;
}

/** A folder with a certificate and its key as the openssl program reads them. */
function identityFiles(certificate: Uint8Array, privateKey: Uint8Array): string[] {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-dtls-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "certificate.pem"), pem("CERTIFICATE", certificate));
  writeFileSync(join(folder, "key.pem"), privateKeyPem(privateKey));
  return ["-cert", join(folder, "certificate.pem"), "-key", join(folder, "key.pem")];
}

function now(endpoint: Endpoint): Micros {
  return after(MICROS_ORIGIN, micros(Math.floor((performance.now() - endpoint.startedAt) * 1_000)));
}

/** Lets the association act, sends what it wants sent, and sets the timer anew. */
function act(endpoint: Endpoint, what: (sink: ReturnType<typeof createTestSink>) => void): void {
  const sink = createTestSink();
  what(sink);
  for (const { bytes } of sink.sent) endpoint.socket.send(bytes, endpoint.peerPort, "127.0.0.1");
  clearTimeout(endpoint.timer);
  const wait = (dtlsNextTimeout(endpoint.dtls) - now(endpoint)) / 1_000;
  if (wait > PATIENCE_MILLIS) return;
  endpoint.timer = setTimeout(() => {
    act(endpoint, (next) => dtlsTimeout(endpoint.dtls, now(endpoint), crypto, next, FLOW));
  }, Math.max(0, wait) + 1);
}

async function listen(config: DtlsConfig, peerPort: number): Promise<Endpoint> {
  const socket = createSocket("udp4");
  const endpoint: Endpoint = {
    dtls: createDtls(config),
    socket,
    peerPort,
    timer: undefined,
    startedAt: performance.now(),
  };
  socket.on("message", (bytes, from) => {
    endpoint.peerPort = from.port;
    const copy = Uint8Array.from(bytes);
    act(endpoint, (sink) => dtlsReceive(endpoint.dtls, now(endpoint), crypto, sink, FLOW, copy, 0, copy.length));
  });
  cleanups.push(() => {
    clearTimeout(endpoint.timer);
    socket.close();
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return endpoint;
}

/** Starts the openssl program; what it prints piles up in the answer's `output`. */
function openssl(parameters: string[]): { child: ChildProcessWithoutNullStreams; output: () => string } {
  const child = spawn("openssl", parameters);
  let output = "";
  child.on("error", (error) => {
    output += `The openssl program could not be run: ${error.message}`;
  });
  child.stdout.on("data", (data) => {
    output += String(data);
  });
  child.stderr.on("data", (data) => {
    output += String(data);
  });
  cleanups.push(() => child.kill("SIGKILL"));
  return { child, output: () => output };
}

async function until(what: string, output: () => string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MILLIS;
  while (!holds()) {
    if (performance.now() > deadline || output().includes("could not be run")) {
      throw new Error(`waited in vain for ${what}; openssl says:\n${output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function keyingMaterial(output: string): string {
  return must(/Keying material: ([0-9A-F]+)/.exec(output)?.[1], "openssl has printed its keys").toLowerCase();
}

function materialOf(srtp: SrtpKeys | null): string {
  const keys = must(srtp, "there are keys");
  return hexEncode(concatBytes(keys.clientKey, keys.serverKey, keys.clientSalt, keys.serverSalt));
}

function clientParameters(port: number, profile: string, length: number, ...more: string[]): string[] {
  return [
    ...["s_client", "-dtls1_2", "-connect", `127.0.0.1:${port}`, "-use_srtp", profile],
    ...["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", String(length)],
    ...identityFiles(CLIENT_CERTIFICATE, CLIENT_KEY),
    ...more,
  ];
}

describe("a server of ours and openssl s_client", () => {
  const cases = [
    { title: "X25519 and AEAD_AES_128_GCM", profile: "SRTP_AEAD_AES_128_GCM", length: 56, group: "X25519:P-256" },
    { title: "P-256 and AES128_CM_SHA1_80", profile: "SRTP_AES128_CM_SHA1_80", length: 60, group: "P-256" },
  ];
  it.each(cases)("come to the same keys with $title", async ({ profile, length, group }) => {
    const server = await listen(configOf("server"), 0);
    const port = (server.socket.address() as AddressInfo).port;
    const { output } = openssl(clientParameters(port, profile, length, "-groups", group));
    await until("the keys", output, () => output().includes("Keying material:") && server.dtls.status === "connected");
    expect(keyingMaterial(output())).toBe(materialOf(server.dtls.srtp));
    expect(output()).toContain(`profile=${profile}`);
    expect(output()).toContain("Extended master secret: yes");
    expect(output()).toContain("Secure Renegotiation IS supported");
  });

  it("come to the same keys though openssl cuts its messages for a small path", async () => {
    const server = await listen(configOf("server"), 0);
    const port = (server.socket.address() as AddressInfo).port;
    const { output } = openssl(clientParameters(port, "SRTP_AEAD_AES_128_GCM", 56, "-mtu", "256"));
    await until("the keys", output, () => output().includes("Keying material:") && server.dtls.status === "connected");
    expect(keyingMaterial(output())).toBe(materialOf(server.dtls.srtp));
  });

  it("carry application data both ways, and close_notify ends it", async () => {
    const server = await listen(configOf("server"), 0);
    const port = (server.socket.address() as AddressInfo).port;
    const { child, output } = openssl(clientParameters(port, "SRTP_AEAD_AES_128_GCM", 56));
    await until("the keys", output, () => output().includes("Keying material:") && server.dtls.status === "connected");
    child.stdin.write("over to you\n");
    await until("data", output, () => server.dtls.received.length > 0);
    expect(utf8Decode(server.dtls.received[0]!)).toBe("over to you\n");
    const reply = utf8Encode("and back\n");
    act(server, (sink) => dtlsSend(server.dtls, now(server), crypto, sink, FLOW, reply, 0, reply.length));
    await until("the reply", output, () => output().includes("and back"));
    act(server, (sink) => dtlsClose(server.dtls, now(server), crypto, sink, FLOW));
    await until("the end", output, () => child.exitCode !== null || output().includes("closed"));
    expect(server.dtls.status).toBe("closed");
  });

  it("part when openssl ends: its close_notify closes the association", async () => {
    const server = await listen(configOf("server"), 0);
    const port = (server.socket.address() as AddressInfo).port;
    const { child, output } = openssl(clientParameters(port, "SRTP_AEAD_AES_128_GCM", 56));
    await until("the keys", output, () => output().includes("Keying material:") && server.dtls.status === "connected");
    child.stdin.write("Q\n");
    await until("the end", output, () => server.dtls.status === "closed");
    expect(server.dtls.failure).toBe("");
  });

  it("part when the certificate is not the promised one: openssl hears bad_certificate", async () => {
    const server = await listen({ ...configOf("server"), remoteFingerprint: new Uint8Array(32) }, 0);
    const port = (server.socket.address() as AddressInfo).port;
    const { output } = openssl(clientParameters(port, "SRTP_AEAD_AES_128_GCM", 56));
    await until("the alert", output, () => output().includes("alert bad certificate"));
    expect(server.dtls.status).toBe("failed");
  });
});

describe("a client of ours and openssl s_server", () => {
  it("come to the same keys", async () => {
    const probe = createSocket("udp4");
    await new Promise<void>((resolve) => probe.bind(0, "127.0.0.1", resolve));
    const { port } = probe.address();
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    const { output } = openssl([
      ...["s_server", "-dtls1_2", "-accept", `127.0.0.1:${port}`, "-use_srtp", "SRTP_AEAD_AES_128_GCM", "-Verify", "1"],
      ...["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "56"],
      ...identityFiles(SERVER_CERTIFICATE, SERVER_KEY),
    ]);
    await until("the server", output, () => output().includes("ACCEPT"));
    const client = await listen(configOf("client"), port);
    act(client, (sink) => dtlsStart(client.dtls, now(client), crypto, sink, FLOW));
    await until("the keys", output, () => output().includes("Keying material:") && client.dtls.status === "connected");
    expect(keyingMaterial(output())).toBe(materialOf(client.dtls.srtp));
  });
});
