/**
 * The load generator's loop: packets that are due go out, sockets are swept, time is slept away.
 *
 * Turns are a millisecond apart, so that on busy sockets a system call brings several datagrams; delays are measured by
 * the kernel's stamps and do not suffer. What is due goes out several times within a turn, for the publishers of a call do
 * not send in step with each other, and a server that is given the packets of a millisecond at once is given a queue with
 * them. Nothing is awaited within a turn.
 */
import { LIMITS } from "../../core/index.ts";
import { srtpOpenRtcp, srtpOpenRtp, srtpSealRtp } from "../../core/srtp/context.ts";
import { RTCP, RTCP_TYPE, rtcpCheck, rtcpPacketLength, rtcpPacketType } from "../../core/wire/rtcp.ts";
import { feedbackMediaSsrc, isPli } from "../../core/wire/rtcp-feedback.ts";
import { rtpHeaderLength, rtpPayloadType, rtpSignedSsrc } from "../../core/wire/rtp.ts";
import { FILM_HEADER_BYTES, filmSent, filmSentAt, type Stamp, writeFilmPacket } from "./film.ts";
import { createHistogram, type Histogram, histogramAdd, histogramClear, histogramPercentiles } from "./histogram.ts";
import { type Ledger, ledgerBegin, ledgerCount, ledgerJudge, ledgerLost } from "./ledger.ts";
import type { Arrivals, Counted, CountedKind } from "./messages.ts";
import { isConnected, type LoadHost, type LoadPeer, loadNow, peerControl, peerTurn } from "./peer.ts";
import {
  BATCH,
  inboundLength,
  inboundMicros,
  readSocket,
  sendSlots,
  setOutboundLength,
  sleepMicros,
  wallMicros,
} from "./system.ts";

const TURN_MICROS = 1_000;
/** Packets that are due wait for no more sockets than these, and for no more sleep. */
const SWEEPS_AT_A_TIME = 8;
const SLEEP_MICROS = 200;
/** Peers are looked after (checks, retransmissions) once in so many turns. */
const CARE_TURNS = 16;
/** One packet in so many is opened and judged. */
const SAMPLE = 64;
/** The first byte of RTP and RTCP (RFC 7983 §7), and the payload types that are RTCP's (RFC 5761 §4). */
const MEDIA_FIRST_BYTE = 128;
const RTCP_TYPES = { first: 64, last: 95 } as const;

/** A generator at work; make one with {@link createLoad}. */
export interface Load {
  readonly host: LoadHost;
  readonly peers: LoadPeer[];
  /** Those of them who send media. */
  readonly publishers: LoadPeer[];
  /** The same by their numbers, which stamps have. */
  readonly publisherOf: Map<number, LoadPeer>;
  readonly delays: Histogram;
  readonly stamp: Stamp;
  factor: number;
  turns: number;
  lastPublishedAt: number;
  arrived: number;
  sent: { audio: number; video: number };
  refused: number;
  verified: number;
  wrong: number;
  beganAt: number;
  beganCpu: number;
}

/** A generator without peers. */
export function createLoad(host: LoadHost): Load {
  return {
    host,
    peers: [],
    publishers: [],
    publisherOf: new Map(),
    delays: createHistogram(),
    stamp: { publisher: 0, ordinal: 0, sentMicros: 0 },
    factor: 0,
    turns: 0,
    lastPublishedAt: loadNow(),
    arrived: 0,
    sent: { audio: 0, video: 0 },
    refused: 0,
    verified: 0,
    wrong: 0,
    beganAt: 0,
    beganCpu: 0,
  };
}

/** Takes a peer in. */
export function loadAdd(load: Load, peer: LoadPeer): void {
  load.peers.push(peer);
  if (peer.films.length === 0) return;
  load.publishers.push(peer);
  load.publisherOf.set(peer.index, peer);
}

/** One turn: reads what has come, sends what is due meanwhile, and sleeps until the next turn. */
export function loadTurn(load: Load): void {
  const { host, peers } = load;
  const startedAt = loadNow();
  for (let i = 0; i < peers.length; i++) {
    if (i % SWEEPS_AT_A_TIME === 0) publishDue(load);
    sweep(load, peers[i]!);
  }
  if (load.turns++ % CARE_TURNS === 0) for (const peer of peers) peerTurn(host, peer, startedAt);
  for (;;) {
    publishDue(load);
    const rest = startedAt + TURN_MICROS - loadNow();
    if (rest <= 0) return;
    sleepMicros(host.system, Math.min(rest, SLEEP_MICROS));
  }
}

/** Begins to count. */
export function loadBegin(load: Load): void {
  for (const peer of load.peers) for (const ledger of peer.ledgers) ledgerBegin(ledger);
  histogramClear(load.delays);
  load.sent = { audio: 0, video: 0 };
  load.refused = 0;
  load.verified = 0;
  load.wrong = 0;
  load.beganAt = loadNow();
  load.beganCpu = cpuMicros();
}

/** What was counted since then. */
export function loadCounted(load: Load): Counted {
  const ledgers = load.peers.flatMap((peer) => peer.ledgers);
  const countKind = (kind: "audio" | "video") => ({
    sent: load.sent[kind],
    ...countLedgers(ledgers.filter((ledger) => ledger.kind === kind)),
  });
  return {
    seconds: (loadNow() - load.beganAt) / 1_000_000,
    audio: countKind("audio"),
    video: countKind("video"),
    sent: load.sent.audio + load.sent.video,
    refused: load.refused,
    ...countLedgers(ledgers),
    verified: load.verified,
    wrong: load.wrong,
    delayMicros: histogramPercentiles(load.delays),
    cpuMicros: cpuMicros() - load.beganCpu,
  };
}

/** How the peers have come in so far. */
export function loadArrivals({ peers }: Load): Arrivals {
  const connected = createHistogram();
  const first = createHistogram();
  const all = createHistogram();
  let [hearing, seeing] = [0, 0];
  for (const { askedAt, connectedAt, ledgers } of peers) {
    if (connectedAt >= 0) histogramAdd(connected, connectedAt - askedAt);
    const served = ledgers.filter(({ firstAt }) => firstAt >= 0);
    const isServed = (kind: "audio" | "video") =>
      ledgers.some((ledger) => ledger.kind === kind) &&
      ledgers.every((ledger) => ledger.kind !== kind || ledger.firstAt >= 0);
    if (isServed("audio")) hearing++;
    if (isServed("video")) seeing++;
    if (served.length > 0) histogramAdd(first, Math.min(...served.map(({ firstAt }) => firstAt)) - askedAt);
    if (served.length === ledgers.length && served.length > 0) {
      histogramAdd(all, Math.max(...served.map(({ firstAt }) => firstAt)) - askedAt);
    }
  }
  return {
    peers: peers.length,
    hearing,
    seeing,
    connectedMicros: histogramPercentiles(connected),
    firstPacketMicros: histogramPercentiles(first),
    allSlotsMicros: histogramPercentiles(all),
  };
}

function countLedgers(ledgers: readonly Ledger[]): Omit<CountedKind, "sent"> {
  return {
    received: ledgers.reduce((sum, ledger) => sum + ledger.received, 0),
    lost: ledgers.reduce((sum, ledger) => sum + ledgerLost(ledger), 0),
    slotsServed: ledgers.filter(({ received }) => received > 0).length,
    slots: ledgers.length,
  };
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function publishDue(load: Load): void {
  const now = loadNow();
  const passed = Math.min(now - load.lastPublishedAt, 100_000);
  load.lastPublishedAt = now;
  for (const peer of load.publishers) if (isConnected(peer)) publish(load, peer, passed);
}

/** Sends what is due of each of the peer's films. */
function publish(load: Load, peer: LoadPeer, passedMicros: number): void {
  const { system, crypto } = load.host;
  const bytes = system.outbound.slots.bytes;
  for (const { film, stream } of peer.films) {
    const { kind, packetsPerSecond } = film.plan;
    // A voice is as fast as it is, whatever the video's rate.
    const factor = kind === "audio" ? Math.min(1, Math.ceil(load.factor)) : load.factor;
    film.dueMillionths += passedMicros * packetsPerSecond * factor;
    const due = Math.min(Math.floor(film.dueMillionths / 1_000_000), BATCH);
    film.dueMillionths -= due * 1_000_000;
    if (film.dueMillionths > 1_000_000) film.dueMillionths = 0;
    if (due <= 0) continue;
    const sentMicros = wallMicros(system);
    for (let slot = 0; slot < due; slot++) {
      const at = slot * LIMITS.datagramBytesMax;
      const sequence = film.written & 0xffff;
      writeFilmPacket(film, bytes, at, peer.transportSequence++, sentMicros);
      const payload = film.plan.packetBytes - FILM_HEADER_BYTES;
      const body = at + FILM_HEADER_BYTES;
      const length = srtpSealRtp(
        peer.srtp!,
        crypto,
        stream,
        sequence,
        bytes,
        at,
        FILM_HEADER_BYTES,
        bytes,
        body,
        payload,
      );
      setOutboundLength(system, slot, length);
    }
    filmSent(film, due, wallMicros(system));
    const taken = sendSlots(system, peer.fd, due);
    load.sent[kind] += taken;
    load.refused += due - taken;
  }
}

/** Reads all that has come to the peer's socket. */
function sweep(load: Load, peer: LoadPeer): void {
  const { host } = load;
  const { system } = host;
  const { bytes } = system.inbound.slots;
  for (let count = BATCH; count === BATCH; ) {
    count = readSocket(system, peer.fd);
    for (let i = 0; i < count; i++) {
      const offset = i * LIMITS.datagramBytesMax;
      const length = inboundLength(system, i);
      if (bytes[offset]! < MEDIA_FIRST_BYTE) {
        peerControl(host, peer, bytes, offset, length);
        continue;
      }
      const type = rtpPayloadType(bytes, offset);
      if (type >= RTCP_TYPES.first && type <= RTCP_TYPES.last) {
        if (peer.films.length > 0) receiveFeedback(load, peer, bytes, offset, length);
        continue;
      }
      receiveMedia(load, peer, bytes, offset, length, i);
    }
  }
}

/** Looks for requests for keyframes. What tells alone when packets arrived is not even opened: that comes often. */
function receiveFeedback(load: Load, peer: LoadPeer, bytes: Uint8Array, offset: number, length: number): void {
  if (rtcpPacketType(bytes, offset) === RTCP_TYPE.TRANSPORT_FEEDBACK || peer.srtp === undefined) return;
  const opened = srtpOpenRtcp(peer.srtp, load.host.crypto, bytes, offset, length);
  if (opened < 0 || rtcpCheck(bytes, offset, opened) !== RTCP.OK) return;
  for (let at = offset; at < offset + opened; at += rtcpPacketLength(bytes, at)) {
    if (!isPli(bytes, at)) continue;
    const asked = peer.films.find(({ film }) => film.ssrc === feedbackMediaSsrc(bytes, at) >>> 0);
    if (asked !== undefined) asked.film.keyframeWanted = true;
  }
}

function receiveMedia(
  load: Load,
  peer: LoadPeer,
  bytes: Uint8Array,
  offset: number,
  length: number,
  datagram: number,
): void {
  const ledger = ledgerOf(peer, rtpSignedSsrc(bytes, offset));
  if (ledger === undefined) return;
  const sequence = ledgerCount(ledger, bytes, offset);
  if (ledger.firstAt < 0) ledger.firstAt = loadNow();
  if (load.arrived++ % SAMPLE !== 0 || peer.srtp === undefined) return;
  const { crypto, system } = load.host;
  load.verified++;
  const opened = srtpOpenRtp(peer.srtp, crypto, bytes, offset, length, rtpHeaderLength(bytes, offset));
  if (opened < 0 || !ledgerJudge(ledger, bytes, offset, opened, sequence, load.stamp)) {
    load.wrong++;
    return;
  }
  histogramAdd(load.delays, inboundMicros(system, datagram) - sentMicrosOf(load, ledger.kind));
}

/** When the packet left whose stamp was read last. */
function sentMicrosOf({ publisherOf, stamp }: Load, kind: "audio" | "video"): number {
  const own = publisherOf.get(stamp.publisher)?.films.find(({ film }) => film.plan.kind === kind);
  const handedOver = own === undefined ? -1 : filmSentAt(own.film, stamp.ordinal);
  return handedOver < 0 ? stamp.sentMicros : handedOver;
}

function ledgerOf({ ledgers }: LoadPeer, ssrc: number): Ledger | undefined {
  for (let i = 0; i < ledgers.length; i++) if (ledgers[i]!.ssrc === ssrc) return ledgers[i];
  return undefined;
}
