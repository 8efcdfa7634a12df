/**
 * Two DTLS associations and the network between them, in virtual time.
 *
 * A network is a function: it sees each datagram with its ordinal and says what arrives and when. The rig keeps a queue
 * ordered by (time, insertion), delivers, fires timers, and stops when nothing is left to happen or time is up.
 */

import type { DatagramSink } from "../../../core/base/datagram-sink.ts";
import {
  after,
  earliest,
  MICROS_ORIGIN,
  type Micros,
  micros,
  millis,
  NEVER,
  seconds,
} from "../../../core/base/micros.ts";
import { hexEncode } from "../../../core/base/text.ts";
import type { CryptoProvider } from "../../../core/crypto/provider.ts";
import {
  createDtls,
  type Dtls,
  type DtlsConfig,
  type DtlsRole,
  dtlsNextTimeout,
  dtlsReceive,
  dtlsStart,
  dtlsTimeout,
} from "../../../core/dtls/dtls.ts";
import { LIMITS } from "../../../core/limits.ts";
import {
  CONTENT_TYPE,
  RECORD_HEADER_BYTES,
  recordBytes,
  recordEpoch,
  recordType,
  recordWriteHeader,
} from "../../../core/wire/dtls-record.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";

/**
 * One provider for all tests; the two sides own different key handles. What costs most, public-key cryptography, is looked
 * up when the same was asked before: most handshakes here differ in what the network does to them, not in their keys.
 */
export const crypto = remembering(createNodeCrypto());

export const FLOW = 7;
export const CLIENT_KEY = new Uint8Array(32).fill(0x11);
export const SERVER_KEY = new Uint8Array(32).fill(0x22);
export const CLIENT_CERTIFICATE = crypto.createCertificate(CLIENT_KEY);
export const SERVER_CERTIFICATE = crypto.createCertificate(SERVER_KEY);

/** A datagram that has been sent, in a buffer of its own. */
export interface Sent {
  flow: number;
  bytes: Uint8Array;
}

/** A sink that keeps what it gets; its arena is dirty, as a real one is. */
export interface TestSink extends DatagramSink {
  sent: Sent[];
}

export function createTestSink(): TestSink {
  const slotOffset = 96;
  const sendBytes = new Uint8Array(slotOffset + LIMITS.datagramBytesMax).fill(0xa5);
  const sent: Sent[] = [];
  return {
    sendBytes,
    sent,
    reserve: () => slotOffset,
    transmit: (flow, offset, length) => {
      sent.push({ flow, bytes: sendBytes.slice(offset, offset + length) });
      sendBytes.fill(0xa5);
    },
  };
}

/** The configuration of one side, as both sides would have it after exchanging descriptions. */
export function configOf(role: DtlsRole): DtlsConfig {
  const isServer = role === "server";
  return {
    role,
    certificate: isServer ? SERVER_CERTIFICATE : CLIENT_CERTIFICATE,
    privateKey: isServer ? SERVER_KEY : CLIENT_KEY,
    remoteFingerprint: crypto.sha256(isServer ? CLIENT_CERTIFICATE : SERVER_CERTIFICATE),
    secret: new Uint8Array(32).fill(isServer ? 0x44 : 0x33),
    keyHandleBase: isServer ? 8 : 0,
    now: MICROS_ORIGIN,
  };
}

/** One datagram on its way. */
export interface Transit {
  ordinal: number;
  from: DtlsRole;
  bytes: Uint8Array;
}

/** What becomes of a datagram: the copies that arrive, each after a delay. */
export type Network = (transit: Transit) => { bytes: Uint8Array; delay: Micros }[];

interface Arrival {
  at: Micros;
  to: DtlsRole;
  bytes: Uint8Array;
}

/** The two sides, the time, and what is under way. */
export interface Rig {
  client: Dtls;
  server: Dtls;
  now: Micros;
  network: Network;
  arrivals: Arrival[];
  sentCount: number;
  /** All datagrams sent so far, in order. */
  log: Transit[];
}

export const DELAY = millis(10);

/** A network that delivers everything. */
export const lossless: Network = ({ bytes }) => [{ bytes, delay: DELAY }];

export function createRig(
  network: Network = lossless,
  client: Partial<DtlsConfig> = {},
  server: Partial<DtlsConfig> = {},
): Rig {
  return {
    client: createDtls({ ...configOf("client"), ...client }),
    server: createDtls({ ...configOf("server"), ...server }),
    now: MICROS_ORIGIN,
    network,
    arrivals: [],
    sentCount: 0,
    log: [],
  };
}

/** Runs `act` for one side and puts what that side sends on the network. */
export function withSink(rig: Rig, role: DtlsRole, act: (dtls: Dtls, sink: TestSink) => void): void {
  const sink = createTestSink();
  act(rig[role], sink);
  for (const { bytes } of sink.sent) {
    const transit = { ordinal: rig.sentCount++, from: role, bytes };
    rig.log.push(transit);
    for (const copy of rig.network(transit)) {
      rig.arrivals.push({
        at: after(rig.now, copy.delay),
        to: role === "client" ? "server" : "client",
        bytes: copy.bytes,
      });
    }
  }
}

export function start(rig: Rig): void {
  withSink(rig, "client", (dtls, sink) => dtlsStart(dtls, rig.now, crypto, sink, FLOW));
}

/** Hands a datagram to one side, inside a larger buffer whose surroundings are poisoned. */
export function deliver(rig: Rig, role: DtlsRole, bytes: Uint8Array): void {
  const room = new Uint8Array(bytes.length + 64).fill(0xee);
  room.set(bytes, 32);
  withSink(rig, role, (dtls, sink) => dtlsReceive(dtls, rig.now, crypto, sink, FLOW, room, 32, bytes.length));
}

/** The next thing to happen, or `undefined` when nothing is left. */
export function step(rig: Rig, until: Micros): boolean {
  let first = -1;
  for (let i = 0; i < rig.arrivals.length; i++) {
    if (first < 0 || rig.arrivals[i]!.at < rig.arrivals[first]!.at) first = i;
  }
  const arrivesAt = first < 0 ? NEVER : rig.arrivals[first]!.at;
  const firesAt = earliest(dtlsNextTimeout(rig.client), dtlsNextTimeout(rig.server));
  const next = earliest(arrivesAt, firesAt);
  if (next === NEVER || next > until) return false;
  rig.now = micros(Math.max(rig.now, next));
  if (arrivesAt <= firesAt) {
    const [arrival] = rig.arrivals.splice(first, 1);
    deliver(rig, arrival!.to, arrival!.bytes);
  } else {
    const role = dtlsNextTimeout(rig.client) <= dtlsNextTimeout(rig.server) ? "client" : "server";
    withSink(rig, role, (dtls, sink) => dtlsTimeout(dtls, rig.now, crypto, sink, FLOW));
  }
  return true;
}

/** Runs until nothing is left to happen, or for `span`. */
export function run(rig: Rig, span: Micros = seconds(60)): Rig {
  const until = after(rig.now, span);
  while (step(rig, until));
  return rig;
}

/** A rig whose handshake is done over a lossless network. */
export function connectedRig(network: Network = lossless): Rig {
  const rig = createRig();
  start(rig);
  run(rig);
  rig.network = network;
  return rig;
}

/** A handshake message in a record of its own, in plaintext. */
export function handshakeRecord(message: Uint8Array): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER_BYTES + message.length);
  recordWriteHeader(record, 0, CONTENT_TYPE.HANDSHAKE, 0, 0, message.length);
  record.set(message, RECORD_HEADER_BYTES);
  return record;
}

/** The records of a datagram. */
export function splitRecords(datagram: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < datagram.length; at += recordBytes(datagram, at)) {
    records.push(datagram.slice(at, at + recordBytes(datagram, at)));
  }
  return records;
}

/** The plaintext handshake messages that one side has sent whole, in order and with repetitions. */
export function plainMessages(rig: Rig, role: DtlsRole): Uint8Array[] {
  return rig.log
    .filter((transit) => transit.from === role)
    .flatMap((transit) => splitRecords(transit.bytes))
    .filter((record) => recordType(record, 0) === CONTENT_TYPE.HANDSHAKE && recordEpoch(record, 0) === 0)
    .map((record) => record.slice(RECORD_HEADER_BYTES));
}

function remembering(inner: CryptoProvider): CryptoProvider {
  const answers = new Map<string, unknown>();
  const remember = <A extends unknown[], T>(name: string, ask: (...question: A) => T): ((...question: A) => T) => {
    return (...question) => {
      const parts = question.map((part) => (part instanceof Uint8Array ? hexEncode(part) : String(part)));
      const key = `${name} ${parts.join(" ")}`;
      if (!answers.has(key)) answers.set(key, ask(...question));
      return answers.get(key) as T;
    };
  };
  return {
    ...inner,
    ecdhPublicKey: remember("public", inner.ecdhPublicKey),
    ecdhSharedSecret: remember("shared", inner.ecdhSharedSecret),
    signEcdsaP256: remember("sign", inner.signEcdsaP256),
    verifySignature: remember("verify", inner.verifySignature),
  };
}
