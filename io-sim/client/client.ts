/**
 * A WebRTC client that lives in the simulator: one browser tab with its connection, cameras and screens.
 *
 * It does in virtual time what a browser does: asks to join with an offer, checks the path by STUN and nominates it, shakes
 * hands as the DTLS client, sends RTP with SRTP from its sources, plays what comes in its slots, and answers with the
 * feedback that browsers send. RTP, RTCP and SRTP come from `werift-rtp`; STUN and DTLS are the core's (their own tests
 * compare them with other implementations). What it sees goes to its `ClientWatcher`, from which the oracles live.
 *
 * This file holds the life of the connection; media lives in ./client-media.ts.
 */
import { type Micros, micros, NEVER } from "../../core/base/micros.ts";
import { utf8Encode } from "../../core/base/text.ts";
import {
  createDtls,
  type Dtls,
  dtlsClose,
  dtlsNextTimeout,
  dtlsReceive,
  dtlsStart,
  dtlsTimeout,
} from "../../core/dtls/dtls.ts";
import type { CryptoProvider } from "../../core/index.ts";
import {
  STUN,
  STUN_TYPE,
  stunCheck,
  stunHasTransactionId,
  stunIntegrityFits,
  stunLocalUfrag,
  stunType,
  stunWriteBindingRequest,
} from "../../core/wire/stun.ts";
import { familyOf } from "../base/addresses.ts";
import { cancel, EVENT_CLASS, type EventLoop, type LoopEvent, schedule } from "../base/event-loop.ts";
import { SRTCP_NEAR_END } from "../base/near-wrap.ts";
import { createStream, randomBytes, randomToken, type Seed, type Stream } from "../base/random.ts";
import type { Slab } from "../base/slab.ts";
import { createProviderCipher } from "./checksum-cipher.ts";
import {
  type ClientMedia,
  type ClientMediaPlan,
  createClientMedia,
  mediaReceive,
  mediaStart,
  mediaStop,
  mediaTakeOver,
  offeredMedia,
} from "./client-media.ts";
import type { FramePassport } from "./frame-body.ts";
import { asBrowsersSend } from "./hello.ts";
import { createWeriftCipher } from "./media-cipher.ts";
import { type Answer, readAnswer, writeOffer } from "./offer.ts";

/** Time between checks before the first answer, and between consent checks after it (RFC 7675 §5.1). */
const FIRST_CHECK_MICROS = 100_000;
const CONSENT_MICROS = 2_500_000;
/** A check without an answer for this long is repeated. */
const REPEAT_CHECK_MICROS = 500_000;

/** When a flight of the handshake is repeated for the first time by who is in a hurry. */
const FIRST_RETRANSMIT_MICROS = 50_000;

/** Checks whose answers are still waited for: 2 s of the first ones, longer than any round trip. */
const PENDING_CHECKS = 20;

/** PRIORITY of a peer-reflexive candidate with the highest local preference (RFC 8445 §5.1.2.1). */
const PRIORITY = 0x6e7f_1eff;

/** Key handles of each client: the first are for DTLS, and four are for SRTP. */
const KEY_HANDLES = 8;
const DTLS_KEY_HANDLES = 2;

/** What the client is like; part of the plan of a run. */
export interface ClientPlan {
  /** Its number among the clients of its world, from 0 on: what is known of each lies in lists. */
  readonly ordinal: number;
  readonly name: string;
  /** Whose keys, credentials and SSRCs it draws, and as whom it joins: its own name, when this is missing. */
  readonly likeness?: string | undefined;
  readonly room: string;
  readonly media: ClientMediaPlan;
  /** "real" for SRTP by werift-rtp, "checksum" for the fast stand-in. */
  readonly cipher: "real" | "checksum";
  /** Whether the offer names another certificate than the one that the client shows. */
  readonly impostor: boolean;
  /**
   * How the client is made: as Chromium does it (an estimate of bandwidth that layers follow, ClientHellos in two datagrams,
   * a first retransmission after 50 ms), or thin, without header extensions and RTX. In between when this is missing.
   */
  readonly persona?: "chromium" | "thin" | undefined;
  /** Checks without an answer for so long end the connection; never, when this is missing. */
  readonly lostAfterMicros?: number | undefined;
}

/** What the client asks the world to do. */
export interface ClientPorts {
  readonly loop: EventLoop;
  /** Best one for all clients: what each packet needs is found at once then. Each has the key handles of its ordinal. */
  readonly crypto: CryptoProvider;
  /** Where packets are sealed and opened: best one for all clients, as what lies one behind the other is written fast. */
  readonly packets: Slab;
  /** Microseconds since 1970 at `now`. */
  readonly wallClock: (now: Micros) => number;
  /** Whether the client has IPv6 and nothing else at present; it has not when this is missing. */
  readonly usesIpv6?: () => boolean;
  /** Sends a datagram from the client's present address. */
  readonly send: (bytes: Uint8Array, target: string) => void;
  /** Signalling, which is reliable: the world calls `clientAnswered` or `clientRefused` later. */
  readonly askToJoin: (offer: string) => void;
  readonly askToLeave: (resource: string) => void;
  /** The connection has died; the client is of no use any more. */
  readonly lost?: () => void;
  readonly watcher: ClientWatcher;
}

/** Who looks over the client's shoulder. */
export interface ClientWatcher {
  connected(client: Client): void;
  /** A frame or a piece of sound was recognised; `mid` is the slot. The last of it was sent at `sentAt`. */
  perceived(client: Client, mid: string, kind: "audio" | "video", passport: FramePassport, sentAt: Micros): void;
  /** RTP or RTCP in plain, before it is sealed or after it was opened. */
  plain?(client: Client, direction: "up" | "down", bytes: Uint8Array): void;
  /** A frame of the camera was sent, in `packets` packets from `firstSequence` on. */
  filmed?(client: Client, ssrc: number, firstSequence: number, packets: number, passport: FramePassport): void;
  /** A piece of sound was sent. */
  spoke?(client: Client, passport: FramePassport): void;
  /** The packet `sequence` of ours was sent again, as RTX. */
  resent?(client: Client, rtxSsrc: number, rtxSequence: number, ssrc: number, sequence: number): void;
  /** The server has sent the packet `sequence` of a slot again, as RTX. */
  repaired?(client: Client, ssrc: number, sequence: number, timestamp: number): void;
  /** Reports were sent in a compound RTCP packet that is sealed like this: a sender report of each of these streams of ours. */
  reported?(client: Client, sealed: Uint8Array, ssrcs: readonly number[]): void;
  /** A compound RTCP packet of the server was opened. */
  control?(client: Client, sealed: Uint8Array, plain: Uint8Array): void;
}

/** Where the client is in its life. */
export type ClientStatus = "new" | "joining" | "checking" | "connected" | "refused" | "failed" | "left" | "dead";

/** A client; make it with {@link createClient}. */
export interface Client {
  readonly plan: ClientPlan;
  readonly ports: ClientPorts;
  readonly seed: Seed;
  status: ClientStatus;
  /** A sentence when `status` is "refused" or "failed". */
  detail: string;
  /** The server's number for the participant, 0 before the answer. */
  participant: number;
  resource: string;
  /** The server's number for the connection, 0 before the answer. */
  connection: number;
  /** Whose place it takes in the call, if it is a new connection of one that was there. */
  former: Client | undefined;
  answer: Answer | undefined;
  readonly ufrag: string;
  readonly password: string;
  dtls: Dtls | undefined;
  dtlsTimer: LoopEvent | undefined;
  media: ClientMedia;
  readonly checks: Checks;
  joinedAskedAt: number;
  connectedAt: number;
  /** Sequence number of the transport-wide extension, for all streams. */
  transportSequence: number;
}

interface Checks {
  readonly stream: Stream;
  /** Transactions that may still be answered: on a long way several are out at a time. */
  readonly pending: Uint8Array[];
  sent: number;
  answered: number;
  lastAnswerAt: number;
  timer: LoopEvent | undefined;
}

/** A client that has done nothing yet. All its randomness hangs on the seed and its name, or that of its likeness. */
export function createClient(seed: Seed, plan: ClientPlan, ports: ClientPorts): Client {
  const who = plan.likeness ?? plan.name;
  const stream = createStream(seed, "client/ice", who);
  return {
    plan,
    ports,
    seed,
    status: "new",
    detail: "",
    participant: 0,
    resource: "",
    connection: 0,
    former: undefined,
    answer: undefined,
    ufrag: randomToken(stream, 4),
    password: randomToken(stream, 24),
    dtls: undefined,
    dtlsTimer: undefined,
    media: createClientMedia(seed, who, plan.media),
    checks: { stream, pending: [], sent: 0, answered: 0, lastAnswerAt: 0, timer: undefined },
    joinedAskedAt: 0,
    connectedAt: 0,
    transportSequence: plan.media.nearWrap ? 0xffff - 100 : 0,
  };
}

/** Asks to join: writes the offer and hands it to the signalling. */
export function clientJoin(client: Client): void {
  const { plan, ports, seed } = client;
  const secrets = createStream(seed, "client/secrets", plan.likeness ?? plan.name);
  const privateKey = randomBytes(secrets, 32);
  const certificate = ports.crypto.createCertificate(privateKey);
  const fingerprint = ports.crypto.sha256(certificate);
  if (plan.impostor) fingerprint[0] = fingerprint[0]! ^ 1;
  client.status = "joining";
  client.joinedAskedAt = ports.loop.now;
  client.dtls = undefined;
  const identity = {
    sessionId: String(secrets.next()),
    ufrag: client.ufrag,
    password: client.password,
    fingerprint,
    cname: randomToken(secrets, 16),
  };
  client.media.cname = identity.cname;
  client.media.secrets = { privateKey, certificate, secret: randomBytes(secrets, 32) };
  ports.askToJoin(writeOffer(identity, offeredMedia(client.media), plan.persona === "thin"));
}

/** The answer has come: the checks begin. The first connection of a participant has his number. */
export function clientAnswered(
  client: Client,
  participant: number,
  resource: string,
  text: string,
  connection = participant,
): void {
  if (client.status !== "joining") return;
  const answer = readAnswer(text);
  if (typeof answer === "string") {
    client.status = "failed";
    client.detail = answer;
    return;
  }
  client.participant = participant;
  client.resource = resource;
  client.connection = connection;
  client.answer = answer;
  client.status = "checking";
  check(client);
}

/** The join was refused. */
export function clientRefused(client: Client, detail: string): void {
  if (client.status !== "joining") return;
  client.status = "refused";
  client.detail = detail;
}

/** Says goodbye: to the signalling, and by closing DTLS. */
export function clientLeave(client: Client): void {
  if (client.resource !== "") client.ports.askToLeave(client.resource);
  if (client.dtls !== undefined && client.answer !== undefined) {
    dtlsClose(client.dtls, client.ports.loop.now, client.ports.crypto, sinkOf(client), 0);
  }
  stop(client, "left");
}

/** Takes the place of a client that ends without a word: its devices go on, and what was muted stays so. */
export function clientTakeOver(client: Client, former: Client): void {
  client.former = former;
  mediaTakeOver(client.media, former.media);
  stop(former, "dead");
}

/** Vanishes without a word. */
export function clientKill(client: Client): void {
  stop(client, "dead");
}

/** The network has changed under the client. It checks the new path at once when it has noticed, else at its next turn. */
export function clientMoved(client: Client, noticed: boolean): void {
  if (noticed && (client.status === "checking" || client.status === "connected")) check(client);
}

/** Where the client sends to: the server's address of the IP that it has. */
export function serverAddress(client: Client): string {
  const { answer, ports } = client;
  if (answer === undefined) return "";
  const family = ports.usesIpv6?.() === true ? 6 : 4;
  for (const address of answer.addresses) if (familyOf(address) === family) return address;
  return answer.addresses[0] ?? "";
}

/** Whether the client takes part in a call or is on its way into one. */
export function clientIsActive(client: Client): boolean {
  return client.status === "joining" || client.status === "checking" || client.status === "connected";
}

/** The fragment of a server that a check names, which the server has given to one client alone; undefined for anything else. */
export function checkedUfrag(bytes: Uint8Array, offset: number, length: number): string | undefined {
  return stunLocalUfrag(bytes, offset, length);
}

/** A datagram has arrived that was sent at `sentAt`. */
export function clientReceive(client: Client, bytes: Uint8Array, sentAt: Micros): void {
  if ((client.status !== "checking" && client.status !== "connected") || bytes.length === 0) return;
  const lead = bytes[0]!;
  if (lead < 4) receiveStun(client, bytes);
  else if (lead >= 20 && lead <= 63) receiveDtls(client, bytes);
  else if (lead >= 128 && lead <= 191) mediaReceive(client, bytes, sentAt);
}

function stop(client: Client, status: "left" | "dead" | "failed"): void {
  client.status = status;
  cancel(client.dtlsTimer);
  cancel(client.checks.timer);
  mediaStop(client.media);
}

/* ICE: a controlling full agent with one candidate, which nominates with every check (RFC 8445 §8.1.1 allows it against
 * a lite agent, RFC 7675 for consent). */

function check(client: Client): void {
  const { checks, ports, answer } = client;
  if (answer === undefined || !clientIsActive(client)) return;
  const { lostAfterMicros = 0 } = client.plan;
  // Between two checks the server has nothing to answer: only one that waits for its answer tells of silence.
  const isUnheard = checks.answered > 0 && checks.pending.length > 0;
  if (lostAfterMicros > 0 && isUnheard && ports.loop.now - checks.lastAnswerAt > lostAfterMicros) {
    client.detail = "the server does not answer any more";
    stop(client, "failed");
    ports.lost?.();
    return;
  }
  const transactionId = randomBytes(checks.stream, 12);
  const bytes = new Uint8Array(256);
  const length = stunWriteBindingRequest(ports.crypto, bytes, 0, {
    transactionId,
    username: `${answer.ufrag}:${client.ufrag}`,
    key: utf8Encode(answer.password),
    priority: PRIORITY,
    controlling: true,
    tieBreakerHigh: 0x1122_3344,
    tieBreakerLow: 0x5566_7788,
    useCandidate: true,
  });
  checks.pending.push(transactionId);
  if (checks.pending.length > PENDING_CHECKS) checks.pending.shift();
  checks.sent++;
  ports.send(bytes.slice(0, length), serverAddress(client));
  cancel(checks.timer);
  const wait = checks.answered === 0 ? FIRST_CHECK_MICROS : REPEAT_CHECK_MICROS;
  checks.timer = schedule(ports.loop, micros(ports.loop.now + wait), EVENT_CLASS.TIMER, () => check(client));
}

function receiveStun(client: Client, bytes: Uint8Array): void {
  const { checks, ports, answer } = client;
  if (stunCheck(bytes, 0, bytes.length) !== STUN.OK || answer === undefined) return;
  if (stunType(bytes, 0) !== STUN_TYPE.BINDING_SUCCESS) return;
  if (!checks.pending.some((transactionId) => stunHasTransactionId(bytes, 0, transactionId, 0))) return;
  if (!stunIntegrityFits(ports.crypto, utf8Encode(answer.password), bytes, 0)) return;
  checks.pending.length = 0;
  checks.answered++;
  checks.lastAnswerAt = ports.loop.now;
  cancel(checks.timer);
  checks.timer = schedule(ports.loop, micros(ports.loop.now + CONSENT_MICROS), EVENT_CLASS.TIMER, () => check(client));
  if (client.dtls === undefined) startDtls(client, answer);
}

/* DTLS: the client side of the core's own implementation. */

function startDtls(client: Client, answer: Answer): void {
  const { ports, media } = client;
  const { now } = ports.loop;
  client.dtls = createDtls({
    role: "client",
    certificate: media.secrets.certificate,
    privateKey: media.secrets.privateKey,
    remoteFingerprint: answer.fingerprint,
    secret: media.secrets.secret,
    keyHandleBase: KEY_HANDLES * client.plan.ordinal,
    now,
  });
  dtlsStart(client.dtls, now, ports.crypto, sinkOf(client), 0);
  followDtls(client);
}

function receiveDtls(client: Client, bytes: Uint8Array): void {
  if (client.dtls === undefined) return;
  const copy = bytes.slice();
  dtlsReceive(client.dtls, client.ports.loop.now, client.ports.crypto, sinkOf(client), 0, copy, 0, copy.length);
  followDtls(client);
}

/** After anything has happened to DTLS: sets its timer and notices what it has become. */
function followDtls(client: Client): void {
  const { dtls, ports } = client;
  if (dtls === undefined) return;
  if (dtls.status === "connected" && client.status === "checking") connect(client, dtls);
  if (dtls.status === "failed" || dtls.status === "closed") {
    client.detail = dtls.failure;
    stop(client, dtls.status === "failed" ? "failed" : "left");
    return;
  }
  cancel(client.dtlsTimer);
  if (client.plan.persona === "chromium") hurry(dtls, ports.loop.now);
  const at = dtlsNextTimeout(dtls);
  if (at === NEVER) return;
  client.dtlsTimer = schedule(ports.loop, at, EVENT_CLASS.TIMER, () => {
    dtlsTimeout(dtls, ports.loop.now, ports.crypto, sinkOf(client), 0);
    followDtls(client);
  });
}

/** Browsers repeat a flight after 50 ms for the first time. */
function hurry(dtls: Dtls, now: Micros): void {
  const isFirst = dtls.retransmits === 0 && dtls.retransmitWaitMicros > FIRST_RETRANSMIT_MICROS;
  if (!isFirst || dtls.retransmitAt === NEVER) return;
  dtls.retransmitWaitMicros = micros(FIRST_RETRANSMIT_MICROS);
  dtls.retransmitAt = micros(now + FIRST_RETRANSMIT_MICROS);
}

function connect(client: Client, dtls: Dtls): void {
  const { srtp } = dtls;
  if (srtp === null) return;
  const keys = {
    profile: srtp.profile,
    localKey: srtp.clientKey,
    localSalt: srtp.clientSalt,
    remoteKey: srtp.serverKey,
    remoteSalt: srtp.serverSalt,
    indexBefore: client.plan.media.indexBefore ?? -1,
    ...(client.plan.media.nearWrap ? { firstRtcpIndex: SRTCP_NEAR_END } : {}),
  };
  const srtpHandles = KEY_HANDLES * client.plan.ordinal + DTLS_KEY_HANDLES;
  client.media.cipher =
    client.plan.cipher === "real"
      ? createWeriftCipher(keys)
      : createProviderCipher(client.ports.crypto, srtpHandles, keys, client.ports.packets);
  client.status = "connected";
  client.connectedAt = client.ports.loop.now;
  mediaStart(client);
  client.ports.watcher.connected(client);
}

/** Where DTLS writes its datagrams: each is sent at once. */
function sinkOf(client: Client) {
  const sendBytes = new Uint8Array(2_048);
  return {
    sendBytes,
    reserve: () => 0,
    transmit(_flow: number, offset: number, length: number) {
      if (client.answer === undefined) return;
      const datagram = sendBytes.slice(offset, offset + length);
      const { persona } = client.plan;
      const datagrams = persona === "chromium" ? asBrowsersSend(datagram, client.checks.stream) : [datagram];
      for (const bytes of datagrams) client.ports.send(bytes, serverAddress(client));
    },
  };
}
