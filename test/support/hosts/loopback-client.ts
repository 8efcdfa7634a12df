/**
 * A client over a real socket on loopback: checks, DTLS and SRTP by the core's own client parts, and no clock of its own but
 * the machine's. For tests of hosts that bring nothing but a UDP port; what comes to it is kept, opened.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { utf8Encode } from "../../../core/base/text.ts";
import { createDtls, type Dtls, dtlsReceive, dtlsStart } from "../../../core/dtls/dtls.ts";
import { LIMITS, MICROS_ORIGIN, micros } from "../../../core/index.ts";
import {
  createSrtpSendStream,
  createSrtpSession,
  type SrtpSendStream,
  type SrtpSession,
  srtpBindKeys,
  srtpOpenRtp,
  srtpSealRtp,
} from "../../../core/srtp/context.ts";
import { DEMUX, demux } from "../../../core/wire/demux.ts";
import { rtpHeaderLength, rtpSequence, rtpSsrc } from "../../../core/wire/rtp.ts";
import { parseSdp } from "../../../core/wire/sdp.ts";
import { parseFingerprint, writeFingerprint } from "../../../core/wire/sdp-attributes.ts";
import { stunWriteBindingRequest } from "../../../core/wire/stun.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { attributeOf } from "../shards/shard-world.ts";

/** A client that is connected. */
export interface LoopbackClient {
  /** RTP packets in the order of their arrival. */
  readonly received: Uint8Array[];
  /** Seals an RTP packet and sends it. */
  send(packet: Uint8Array): void;
  close(): void;
}

const crypto = createNodeCrypto();
const FLOW = 0;
let clients = 0;

const now = () => micros(MICROS_ORIGIN + Math.floor(performance.now() * 1_000));

/** Has `join` answer an offer (its fingerprint line is replaced), and connects to `port` on loopback. */
export async function connectOverLoopback(
  port: number,
  offer: string,
  join: (offer: string) => Promise<string>,
): Promise<LoopbackClient> {
  const index = ++clients;
  const privateKey = new Uint8Array(32).fill(index);
  const certificate = crypto.createCertificate(privateKey);
  const print = writeFingerprint(crypto.sha256(certificate));
  const parsed = parseSdp(await join(offer.replace(/a=fingerprint:.*/g, `a=fingerprint:${print}`)));
  if (!parsed.ok) throw new Error(parsed.detail);
  const answer = parsed.session;
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  const dtls = createDtls({
    role: "client",
    certificate,
    privateKey,
    remoteFingerprint: parseFingerprint(attributeOf(answer, "fingerprint"))!.bytes,
    secret: new Uint8Array(32).fill(index),
    keyHandleBase: 8 * index,
    now: now(),
  });
  const check = checkOf(`${attributeOf(answer, "ice-ufrag")}:test`, attributeOf(answer, "ice-pwd"));
  return await new Promise((resolve) => handshake(socket, dtls, check, resolve));
}

/** Sends the check, shakes hands once it was answered, and hands out the client once it is connected. */
function handshake(socket: Socket, dtls: Dtls, check: Uint8Array, connected: (client: LoopbackClient) => void): void {
  const sendBytes = new Uint8Array(LIMITS.datagramBytesMax);
  const sink = {
    sendBytes,
    reserve: () => 0,
    transmit: (_flow: number, offset: number, length: number) => socket.send(sendBytes.slice(offset, offset + length)),
  };
  const received: Uint8Array[] = [];
  let srtp: SrtpSession | undefined;
  socket.on("message", (datagram) => {
    const bytes = new Uint8Array(datagram);
    const kind = demux(bytes, 0, bytes.length);
    if (kind === DEMUX.STUN) dtlsStart(dtls, now(), crypto, sink, FLOW);
    if (kind === DEMUX.DTLS) dtlsReceive(dtls, now(), crypto, sink, FLOW, bytes, 0, bytes.length);
    if (kind === DEMUX.RTP && srtp !== undefined) {
      const length = srtpOpenRtp(srtp, crypto, bytes, 0, bytes.length, rtpHeaderLength(bytes, 0));
      if (length > 0) received.push(bytes.slice(0, length));
    }
    if (srtp !== undefined || dtls.srtp === null) return;
    const session = sessionOf(dtls);
    srtp = session;
    const streams = new Map<number, SrtpSendStream>();
    const send = (packet: Uint8Array) => socket.send(seal(session, streams, packet));
    connected({ received, send, close: () => void socket.close() });
  });
  socket.send(check);
}

function checkOf(username: string, password: string): Uint8Array {
  const bytes = new Uint8Array(512);
  const length = stunWriteBindingRequest(crypto, bytes, 0, {
    transactionId: new Uint8Array(12).fill(7),
    username,
    key: utf8Encode(password),
    priority: 1,
    controlling: true,
    tieBreakerHigh: 1,
    tieBreakerLow: 2,
    useCandidate: true,
  });
  return bytes.slice(0, length);
}

function sessionOf({ srtp: keys, keyHandleBase }: Dtls): SrtpSession {
  if (keys === null) throw new Error("the handshake is over");
  const session = createSrtpSession({
    profile: keys.profile,
    readKey: keys.serverKey,
    readSalt: keys.serverSalt,
    writeKey: keys.clientKey,
    writeSalt: keys.clientSalt,
    keyHandleBase,
  });
  srtpBindKeys(session, crypto);
  return session;
}

function seal(session: SrtpSession, streams: Map<number, SrtpSendStream>, packet: Uint8Array): Uint8Array {
  const ssrc = rtpSsrc(packet, 0);
  const stream = streams.get(ssrc) ?? createSrtpSendStream(ssrc);
  streams.set(ssrc, stream);
  const header = rtpHeaderLength(packet, 0);
  const target = new Uint8Array(packet.length + 32);
  target.set(packet.subarray(0, header));
  const rest = packet.length - header;
  const length = srtpSealRtp(session, crypto, stream, rtpSequence(packet, 0), target, 0, header, packet, header, rest);
  return target.slice(0, length);
}
