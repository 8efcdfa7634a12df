/**
 * One peer of the load: a socket of its own, one request to join, checks, a handshake as the DTLS client, SRTP.
 *
 * It does what it must to be a participant and no more: it answers no NACK and asks for nothing, so that what is measured
 * is forwarding. The protocols are the core's own; their tests, the browsers and the simulator hold them to account.
 */
import { randomBytes } from "node:crypto";
import { MICROS_ORIGIN, type Micros, micros } from "../../core/base/micros.ts";
import { hexEncode, utf8Encode } from "../../core/base/text.ts";
import {
  createDtls,
  type Dtls,
  dtlsClose,
  dtlsNextTimeout,
  dtlsReceive,
  dtlsStart,
  dtlsTimeout,
} from "../../core/dtls/dtls.ts";
import { type CryptoProvider, LIMITS } from "../../core/index.ts";
import {
  createSrtpSendStream,
  createSrtpSession,
  type SrtpSendStream,
  type SrtpSession,
  srtpBindKeys,
} from "../../core/srtp/context.ts";
import {
  STUN,
  STUN_TYPE,
  stunCheck,
  stunType,
  stunWriteBindingRequest,
  stunWriteBindingSuccess,
} from "../../core/wire/stun.ts";
import { type Answer, type OfferedMedia, readAnswer, writeOffer } from "../../io-sim/client/offer.ts";
import { createFilm, type Film } from "./film.ts";
import type { GivenKeys } from "./given-keys.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import type { LoadPeerPlan } from "./messages.ts";
import { openConnectedSocket, openListeningSocket, type System, sendSlots, setOutboundLength } from "./system.ts";

/** Time between checks before the connection stands, and after it (RFC 7675 §5.1 has 5 s). */
const FIRST_CHECK_MICROS = 200_000;
const CONSENT_MICROS = 4_000_000;
/** PRIORITY of a peer-reflexive candidate (RFC 8445 §5.1.2.1). */
const PRIORITY = 0x6e7f_1eff;
/** Key handles of one peer: core/crypto/handles.ts gives each eight. */
const HANDLES = 8;

/** What all peers share: one browser, so to say. */
export interface LoadHost {
  readonly system: System;
  readonly crypto: CryptoProvider;
  readonly certificate: Uint8Array;
  readonly privateKey: Uint8Array;
  readonly fingerprint: Uint8Array;
}

/** A peer; make it with {@link joinPeer}. */
export interface LoadPeer {
  readonly plan: LoadPeerPlan;
  readonly index: number;
  readonly fd: number;
  readonly films: readonly { readonly film: Film; readonly stream: SrtpSendStream }[];
  readonly ledgers: readonly Ledger[];
  /** When it first asked to join, and when it had keys; -1 before that. */
  readonly askedAt: number;
  connectedAt: number;
  srtp: SrtpSession | undefined;
  /** What is known of the server's side; undefined for keys that were given. */
  readonly connection: Connection | undefined;
  transportSequence: number;
}

interface Connection {
  readonly answer: Answer;
  readonly ufrag: string;
  readonly password: string;
  /** The server's address and port, in network order. */
  readonly address: Uint8Array;
  dtls: Dtls | undefined;
  nextCheckAt: number;
}

/** The host's clock for protocols. */
export function loadNow(): Micros {
  return micros(MICROS_ORIGIN + Math.floor(performance.now() * 1_000));
}

/** The server has more work than it can do, and asks to come again in so many seconds. */
export class ComeLater extends Error {
  override readonly name = "ComeLater";
  readonly seconds: number;

  constructor(seconds: number) {
    super(`the server has too much to do, and asks to come again in ${seconds} s`);
    this.seconds = seconds;
  }
}

/** Takes an offer to a server and comes back with its answer. */
export type Exchange = (offer: string) => Promise<string>;

/**
 * Asks the server to let a peer in, who first asked at `askedAt`; throws {@link ComeLater} or an error with the server's
 * sentence when it does not.
 */
export function joinPeer(
  host: LoadHost,
  plan: LoadPeerPlan,
  index: number,
  serverUrl: string,
  askedAt: Micros,
): Promise<LoadPeer> {
  return connectPeer(host, plan, index, askedAt, async (offer) => {
    const response = await fetch(`${serverUrl}/api/v1/rooms/${plan.room}/participants?name=load-${index}`, {
      method: "POST",
      headers: { "content-type": "application/sdp" },
      body: offer,
    });
    const text = await response.text();
    const later = Number(response.headers.get("retry-after") ?? Number.NaN);
    if (response.status === 503 && later >= 0) throw new ComeLater(later);
    if (response.status !== 201) {
      throw new Error(`the server refused a peer with ${response.status}: ${text.trim()}`);
    }
    return text;
  });
}

/** A peer that is about to connect to whoever answers its offer. */
export async function connectPeer(
  host: LoadHost,
  plan: LoadPeerPlan,
  index: number,
  askedAt: Micros,
  exchange: Exchange,
): Promise<LoadPeer> {
  const ufrag = hexEncode(randomBytes(4));
  const password = hexEncode(randomBytes(12));
  const identity = {
    sessionId: String(index + 1),
    ufrag,
    password,
    fingerprint: host.fingerprint,
    cname: `load-${index}`,
  };
  const answer = readAnswer(await exchange(writeOffer(identity, offeredMedia(plan, index))));
  if (typeof answer === "string") throw new Error(`the server's answer can't be used: ${answer}`);
  const [ip = "", port = ""] = answer.addresses[0]!.split(":");
  const address = Uint8Array.of(...ip.split(".").map(Number), Number(port) >> 8, Number(port) & 0xff);
  const connection: Connection = { answer, ufrag, password, address, dtls: undefined, nextCheckAt: 0 };
  return createPeer(plan, index, openConnectedSocket(host.system, ip, Number(port)), connection, askedAt);
}

/**
 * A peer that shares one key with a server which has no more than that: it seals and opens by it. Without a target it hears
 * whoever sends to its port on loopback.
 */
export function createGivenPeer(
  host: LoadHost,
  plan: LoadPeerPlan,
  index: number,
  keys: GivenKeys,
  target: { readonly ip: string; readonly port: number } | undefined,
): LoadPeer {
  const { system } = host;
  const fd = target === undefined ? openListeningSocket(system) : openConnectedSocket(system, target.ip, target.port);
  const peer = createPeer(plan, index, fd, undefined, loadNow());
  const { profile, key, salt } = keys;
  const both = { readKey: key, readSalt: salt, writeKey: key, writeSalt: salt };
  useKeys(host, peer, createSrtpSession({ profile, ...both, keyHandleBase: index * HANDLES }));
  peer.ledgers.forEach((ledger) => {
    ledger.ssrc = givenSlotSsrc(index) | 0;
  });
  return peer;
}

/** The SSRC that a peer with given keys receives. */
export function givenSlotSsrc(index: number): number {
  return 0x2000_0000 + index;
}

/** The SSRC of a peer's n-th stream. */
export function filmSsrc(index: number, stream: number): number {
  return 0x1000_0000 + index * 16 + stream * 2;
}

/** Whether the peer can send and receive media. */
export function isConnected(peer: LoadPeer): boolean {
  return peer.srtp !== undefined;
}

/** Does what is due: a check, a retransmission of the handshake. Throws when the handshake has failed. */
export function peerTurn(host: LoadHost, peer: LoadPeer, now: Micros): void {
  const { connection } = peer;
  if (connection === undefined) return;
  if (now >= connection.nextCheckAt) check(host, peer, connection, now);
  const { dtls } = connection;
  if (dtls === undefined || dtlsNextTimeout(dtls) > now) return;
  dtlsTimeout(dtls, now, host.crypto, sinkOf(host, peer), 0);
  followDtls(host, peer, connection);
}

/** Takes a datagram of STUN or DTLS. */
export function peerControl(host: LoadHost, peer: LoadPeer, bytes: Uint8Array, offset: number, length: number): void {
  const { connection } = peer;
  if (connection === undefined) return;
  const now = loadNow();
  if (bytes[offset]! < 4) {
    if (stunCheck(bytes, offset, length) !== STUN.OK) return;
    const type = stunType(bytes, offset);
    if (type === STUN_TYPE.BINDING_REQUEST) answerCheck(host, peer, connection, bytes, offset);
    if (type !== STUN_TYPE.BINDING_SUCCESS) return;
    connection.nextCheckAt = now + CONSENT_MICROS;
    if (connection.dtls === undefined) startDtls(host, peer, connection, now);
    return;
  }
  if (connection.dtls === undefined) return;
  dtlsReceive(connection.dtls, now, host.crypto, sinkOf(host, peer), 0, bytes.slice(), offset, length);
  followDtls(host, peer, connection);
}

/** Says goodbye and closes the socket. */
export function closePeer(host: LoadHost, peer: LoadPeer): void {
  const dtls = peer.connection?.dtls;
  if (dtls !== undefined) dtlsClose(dtls, loadNow(), host.crypto, sinkOf(host, peer), 0);
  host.system.libc.close(peer.fd);
}

function createPeer(
  plan: LoadPeerPlan,
  index: number,
  fd: number,
  connection: Connection | undefined,
  askedAt: Micros,
): LoadPeer {
  const films = plan.sends.map((each, stream) => {
    const ssrc = filmSsrc(index, stream);
    return { film: createFilm(each, ssrc, index), stream: createSrtpSendStream(ssrc) };
  });
  const kinds = slotKinds(plan);
  const media = connection?.answer.media.slice(plan.sends.length) ?? [];
  const ledgers = kinds.map((kind, slot) => createLedger(kind, media[slot]?.ssrc ?? 0));
  const times = { askedAt, connectedAt: -1 };
  return { plan, index, fd, films, ledgers, ...times, srtp: undefined, connection, transportSequence: 0 };
}

function offeredMedia(plan: LoadPeerPlan, index: number): OfferedMedia[] {
  const sends = plan.sends.map(({ kind }, stream): OfferedMedia => {
    const ssrc = filmSsrc(index, stream);
    if (kind === "audio") return { kind: "microphone", ssrc };
    const layers = [{ rid: "", width: 1_280, height: 720, rateBps: 2_500_000 }];
    return { kind: "camera", codec: "VP8", layers, ssrcs: [ssrc], rtxSsrcs: [ssrc + 1] };
  });
  return [...sends, ...slotKinds(plan).map((kind): OfferedMedia => ({ kind: `${kind}-slot` }))];
}

function slotKinds({ audioSlots, videoSlots }: LoadPeerPlan): ("audio" | "video")[] {
  return [...new Array<"audio">(audioSlots).fill("audio"), ...new Array<"video">(videoSlots).fill("video")];
}

function check({ system, crypto }: LoadHost, peer: LoadPeer, connection: Connection, now: Micros): void {
  const { answer, ufrag } = connection;
  const length = stunWriteBindingRequest(crypto, system.outbound.slots.bytes, 0, {
    transactionId: randomBytes(12),
    username: `${answer.ufrag}:${ufrag}`,
    key: utf8Encode(answer.password),
    priority: PRIORITY,
    controlling: true,
    tieBreakerHigh: 1,
    tieBreakerLow: peer.index,
    useCandidate: true,
  });
  setOutboundLength(system, 0, length);
  sendSlots(system, peer.fd, 1);
  connection.nextCheckAt = now + (isConnected(peer) ? CONSENT_MICROS : FIRST_CHECK_MICROS);
}

/** Answers a check of a server that is not lite (RFC 8445 §7.3). */
function answerCheck(
  { system, crypto }: LoadHost,
  peer: LoadPeer,
  { password, address }: Connection,
  request: Uint8Array,
  offset: number,
): void {
  const { bytes } = system.outbound.slots;
  const length = stunWriteBindingSuccess(crypto, utf8Encode(password), bytes, 0, request, offset, address);
  setOutboundLength(system, 0, length);
  sendSlots(system, peer.fd, 1);
}

function startDtls(host: LoadHost, peer: LoadPeer, connection: Connection, now: Micros): void {
  connection.dtls = createDtls({
    role: "client",
    certificate: host.certificate,
    privateKey: host.privateKey,
    remoteFingerprint: connection.answer.fingerprint,
    secret: Uint8Array.from(randomBytes(32)),
    keyHandleBase: peer.index * HANDLES,
    now,
  });
  dtlsStart(connection.dtls, now, host.crypto, sinkOf(host, peer), 0);
}

function followDtls(host: LoadHost, peer: LoadPeer, { dtls }: Connection): void {
  if (dtls === undefined) return;
  if (dtls.status === "failed" || dtls.status === "closed") {
    throw new Error(`the server ended a connection: ${dtls.failure === "" ? "closed" : dtls.failure}`);
  }
  const { srtp } = dtls;
  if (dtls.status !== "connected" || srtp === null || isConnected(peer)) return;
  const keys = {
    profile: srtp.profile,
    readKey: srtp.serverKey,
    readSalt: srtp.serverSalt,
    writeKey: srtp.clientKey,
    writeSalt: srtp.clientSalt,
  };
  useKeys(host, peer, createSrtpSession({ ...keys, keyHandleBase: peer.index * HANDLES }));
}

function useKeys({ crypto }: LoadHost, peer: LoadPeer, session: SrtpSession): void {
  srtpBindKeys(session, crypto);
  peer.srtp = session;
  peer.connectedAt = loadNow();
}

/** Where DTLS writes its datagrams: each is sent at once. */
function sinkOf({ system }: LoadHost, peer: LoadPeer) {
  return {
    sendBytes: system.outbound.slots.bytes,
    reserve: () => 0,
    transmit(_flow: number, offset: number, length: number) {
      if (offset !== 0 || length > LIMITS.datagramBytesMax) throw new Error("DTLS writes into the slot it was given");
      setOutboundLength(system, 0, length);
      sendSlots(system, peer.fd, 1);
    },
  };
}
