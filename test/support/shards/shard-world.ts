/**
 * A shard with clients around it, for tests of core/sfu: no network, no waiting. Time moves when a test says so, datagrams
 * arrive at once, and each client keeps what it has received, opened.
 */

import { readU32 } from "../../../core/base/bytes.ts";
import { utf8Encode } from "../../../core/base/text.ts";
import type { CryptoProvider } from "../../../core/crypto/provider.ts";
import { createDtls, type Dtls, dtlsClose, dtlsReceive, dtlsSend, dtlsStart } from "../../../core/dtls/dtls.ts";
import {
  type BootRecord,
  type CommandReply,
  createShard,
  FIRST_COME_FIRST_SERVED,
  type FirstNumbers,
  LIMITS,
  MICROS_ORIGIN,
  type Micros,
  millis,
  type Outbox,
  type Scheduler,
  type Shard,
  type ShardEvent,
  type ShardPorts,
  shardHandle,
  shardNextTimeout,
  type WallMicros,
} from "../../../core/index.ts";
import {
  createSrtpSendStream,
  createSrtpSession,
  SRTP,
  type SrtpSendStream,
  type SrtpSession,
  srtpBindKeys,
  srtpOpenRtcp,
  srtpOpenRtp,
  srtpSealRtcp,
  srtpSealRtp,
} from "../../../core/srtp/context.ts";
import { DEMUX, demux } from "../../../core/wire/demux.ts";
import { rtpCheck, rtpHeaderLength, rtpSequence, rtpSsrc, rtpTimestamp } from "../../../core/wire/rtp.ts";
import { parseSdp, type SessionDescription, sdpAttribute } from "../../../core/wire/sdp.ts";
import { parseFingerprint } from "../../../core/wire/sdp-attributes.ts";
import { stunWriteBindingRequest } from "../../../core/wire/stun.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";

/** A packet that a client has received, opened. */
export interface ReceivedRtp {
  readonly bytes: Uint8Array;
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly payloadType: number;
  readonly payload: Uint8Array;
}

/** A client of the test world. */
export interface TestClient {
  readonly name: string;
  flow: number;
  readonly participant: number;
  readonly resource: string;
  readonly room: string;
  readonly answer: SessionDescription;
  readonly dtls: Dtls;
  srtp: SrtpSession | null;
  readonly streams: Map<number, SrtpSendStream>;
  readonly rtp: ReceivedRtp[];
  readonly rtcp: Uint8Array[];
  /** Every datagram that came, sealed. */
  readonly datagrams: Uint8Array[];
}

/** The world: the shard, what it has said, and its clients. */
export interface ShardWorld {
  now: Micros;
  shard: Shard;
  readonly crypto: CryptoProvider;
  readonly ports: ShardPorts;
  readonly events: ShardEvent[];
  readonly replies: CommandReply[];
  readonly released: number[];
  readonly sent: { flow: number; bytes: Uint8Array }[];
  /** Records for other shards; see shard-cluster.ts. */
  readonly relayed: { shard: number; lane: "packets" | "mail"; record: Uint8Array }[];
  readonly clients: TestClient[];
  /** Every datagram that the shard was given, where a test keeps them. */
  heard: Uint8Array[] | null;
}

/** The boot record of the test world's shard with this number. */
export function testBoot(shard = 0, firstNumbers?: FirstNumbers): BootRecord {
  return {
    ...(shard === 0 ? {} : { shard }),
    entropySeed: Uint8Array.from({ length: 32 }, (_, i) => i),
    randomSeed: 7,
    now: MICROS_ORIGIN,
    wall: 1_800_000_000_000_000 as WallMicros,
    config: {
      candidates: [{ ip: "192.0.2.1", port: 40_000 }],
      ...(firstNumbers === undefined ? {} : { firstNumbers }),
    },
  };
}

/**
 * A world without clients, around the shard with this number, whose counters may begin somewhere else than usual, and which
 * may have a provider of its own.
 */
export function createShardWorld(
  scheduler: Scheduler = FIRST_COME_FIRST_SERVED,
  number = 0,
  firstNumbers?: FirstNumbers,
  shardCrypto?: CryptoProvider,
): ShardWorld {
  const crypto = createNodeCrypto();
  const events: ShardEvent[] = [];
  const replies: CommandReply[] = [];
  const released: number[] = [];
  const sent: { flow: number; bytes: Uint8Array }[] = [];
  const relayed: ShardWorld["relayed"] = [];
  const sendBytes = new Uint8Array(LIMITS.datagramBytesMax);
  const outbox: Outbox = {
    sendBytes,
    reserve: () => 0,
    transmit: (flow, offset, length) => void sent.push({ flow, bytes: sendBytes.slice(offset, offset + length) }),
    reply: (reply) => void replies.push(reply),
    event: (event) => void events.push(event),
    relayPacket: (shard, offset, length) =>
      void relayed.push({ shard, lane: "packets", record: sendBytes.slice(offset, offset + length) }),
    relayMail: (shard, record) => void relayed.push({ shard, lane: "mail", record }),
    releaseFlow: (flow) => void released.push(flow),
  };
  const ports: ShardPorts = { crypto: shardCrypto ?? crypto, outbox, scheduler };
  const shard = createShard(testBoot(number, firstNumbers), ports.crypto);
  return {
    now: MICROS_ORIGIN,
    shard,
    crypto,
    ports,
    events,
    replies,
    released,
    sent,
    relayed,
    clients: [],
    heard: null,
  };
}

/** Sends a command and answers its reply. */
export function command(world: ShardWorld, text: Parameters<typeof commandInput>[2]): CommandReply {
  shardHandle(world.shard, world.ports, commandInput(world.now, world.replies.length + 1, text));
  deliver(world);
  return world.replies.at(-1)!;
}

function commandInput(
  now: Micros,
  commandId: number,
  text: import("../../../core/index.ts").CommandInput["command"],
): import("../../../core/index.ts").CommandInput {
  return { kind: "command", now, commandId, command: text };
}

/** Joins a room with an offer whose fingerprint line is replaced by the client's own; connects unless told not to. */
export function join(
  world: ShardWorld,
  options: { name: string; room?: string; offer: string; connect?: boolean; home?: number },
): TestClient {
  const identity = identityOf(world);
  const offer = offerAs(identity, options.offer);
  const room = options.room ?? "room";
  const home = options.home === undefined ? {} : { home: options.home };
  const reply = command(world, { type: "join", room, name: options.name, offer, ...home });
  if (reply.type !== "joined") throw new Error(`not joined: ${JSON.stringify(reply)}`);
  const { participant, resource } = reply;
  return addClient(world, identity, reply.answer, { ...options, room, participant, resource });
}

/** Gives a client a new connection in place of the one that it has; connects unless told not to. */
export function reconnect(
  world: ShardWorld,
  former: TestClient,
  options: { offer: string; connect?: boolean; connection?: number },
): TestClient {
  const { name, room, participant, resource } = former;
  const identity = identityOf(world);
  const offer = offerAs(identity, options.offer);
  const which = options.connection === undefined ? {} : { connection: options.connection };
  const reply = command(world, { type: "reconnect", room, resource, offer, ...which });
  if (reply.type !== "reconnected") throw new Error(`not reconnected: ${JSON.stringify(reply)}`);
  return addClient(world, identity, reply.answer, { ...options, name, room, participant, resource });
}

/** What makes a client of the test world different from the others. */
interface Identity {
  readonly index: number;
  readonly privateKey: Uint8Array;
  readonly certificate: Uint8Array;
  readonly print: string;
}

function identityOf(world: ShardWorld): Identity {
  const index = world.clients.length + 1;
  const privateKey = Uint8Array.from({ length: 32 }, (_, i) => (i * index + 3) & 0xff);
  const certificate = world.crypto.createCertificate(privateKey);
  const print = [...world.crypto.sha256(certificate)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  return { index, privateKey, certificate, print };
}

function offerAs({ print }: Identity, offer: string): string {
  return offer.replace(/a=fingerprint:.*/g, `a=fingerprint:sha-256 ${print.toUpperCase()}`);
}

function addClient(
  world: ShardWorld,
  { index, privateKey, certificate }: Identity,
  sdp: string,
  options: { name: string; room: string; participant: number; resource: string; connect?: boolean },
): TestClient {
  const { name, room, participant, resource } = options;
  const parsed = parseSdp(sdp);
  if (!parsed.ok) throw new Error(parsed.detail);
  const answer = parsed.session;
  const fingerprint = parseFingerprint(attributeOf(answer, "fingerprint"))!;
  const client: TestClient = {
    name,
    flow: 100 + index,
    participant,
    resource,
    room,
    answer,
    dtls: createDtls({
      role: "client",
      certificate,
      privateKey,
      remoteFingerprint: fingerprint.bytes,
      secret: Uint8Array.from({ length: 32 }, (_, i) => i + index),
      keyHandleBase: 100_000 + 8 * index,
      now: world.now,
    }),
    srtp: null,
    streams: new Map(),
    rtp: [],
    rtcp: [],
    datagrams: [],
  };
  world.clients.push(client);
  if (options.connect !== false) connect(world, client);
  return client;
}

/** Sends an authenticated check and shakes hands. */
export function connect(world: ShardWorld, client: TestClient): void {
  check(world, client, client.flow);
  dtlsStart(client.dtls, world.now, world.crypto, clientSink(world, client), client.flow);
  deliver(world);
  if (client.srtp === null) throw new Error(`${client.name} did not connect: ${client.dtls.failure}`);
}

/** Sends a check that nominates `flow`, as a browser does when it has moved. */
export function check(world: ShardWorld, client: TestClient, flow: number): void {
  client.flow = flow;
  datagram(world, flow, checkOf(world, client, flow));
}

/** An authenticated check of this client that nominates; checks for different flows differ. */
export function checkOf(world: ShardWorld, client: TestClient, flow: number): Uint8Array {
  const bytes = new Uint8Array(512);
  const length = stunWriteBindingRequest(world.crypto, bytes, 0, {
    transactionId: Uint8Array.from({ length: 12 }, (_, i) => i + flow),
    username: `${attributeOf(client.answer, "ice-ufrag")}:test`,
    key: utf8Encode(attributeOf(client.answer, "ice-pwd")),
    priority: 1,
    controlling: true,
    tieBreakerHigh: 1,
    tieBreakerLow: 2,
    useCandidate: true,
  });
  return bytes.slice(0, length);
}

/** Hands the shard a datagram, and delivers what comes of it. */
export function datagram(world: ShardWorld, flow: number, bytes: Uint8Array): void {
  const address = Uint8Array.of(192, 0, 2, 100, flow >> 8, flow);
  const copy = bytes.slice();
  world.heard?.push(bytes.slice());
  shardHandle(world.shard, world.ports, {
    kind: "datagram",
    now: world.now,
    flow,
    address,
    bytes: copy,
    offset: 0,
    length: copy.length,
  });
  deliver(world);
}

/** Seals an RTP packet as this client and sends it. */
export function sendRtp(world: ShardWorld, client: TestClient, packet: Uint8Array): void {
  datagram(world, client.flow, sealRtp(world, client, packet));
}

/** An RTP packet, sealed by this client. */
export function sealRtp(world: ShardWorld, client: TestClient, packet: Uint8Array): Uint8Array {
  const ssrc = rtpSsrc(packet, 0);
  const stream = client.streams.get(ssrc) ?? createSrtpSendStream(ssrc, client.srtp?.indexBefore);
  client.streams.set(ssrc, stream);
  const headerLength = rtpHeaderLength(packet, 0);
  const target = new Uint8Array(packet.length + 32);
  target.set(packet.subarray(0, headerLength));
  const sequence = rtpSequence(packet, 0);
  const payloadLength = packet.length - headerLength;
  const { srtp } = client;
  if (srtp === null) throw new Error(`${client.name} is not connected`);
  const length = srtpSealRtp(
    srtp,
    world.crypto,
    stream,
    sequence,
    target,
    0,
    headerLength,
    packet,
    headerLength,
    payloadLength,
  );
  return target.slice(0, length);
}

/** Seals an RTCP packet as this client and sends it. */
export function sendRtcp(world: ShardWorld, client: TestClient, packet: Uint8Array): void {
  datagram(world, client.flow, sealRtcp(world, client, packet));
}

/** An RTCP packet, sealed by this client. */
export function sealRtcp(world: ShardWorld, client: TestClient, packet: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(packet.length + 64);
  bytes.set(packet);
  if (client.srtp === null) throw new Error(`${client.name} is not connected`);
  return bytes.slice(0, srtpSealRtcp(client.srtp, world.crypto, bytes, 0, packet.length));
}

/** Closes the client's DTLS association with close_notify. */
export function sayGoodbye(world: ShardWorld, client: TestClient): void {
  dtlsClose(client.dtls, world.now, world.crypto, clientSink(world, client), client.flow);
  deliver(world);
}

/** Sends application data, as a client with a data channel would. */
export function sendData(world: ShardWorld, client: TestClient, bytes: Uint8Array): void {
  const sink = clientSink(world, client);
  dtlsSend(client.dtls, world.now, world.crypto, sink, client.flow, bytes, 0, bytes.length);
  deliver(world);
}

/** Moves time on by `span`, with every timer of the shard on the way. */
export function pass(world: ShardWorld, span: Micros): void {
  const end = (world.now + span) as Micros;
  for (let next = shardNextTimeout(world.shard); next <= end; next = shardNextTimeout(world.shard)) {
    world.now = Math.max(world.now, next) as Micros;
    shardHandle(world.shard, world.ports, { kind: "timer", now: world.now });
    deliver(world);
  }
  world.now = end;
}

/** Moves time on by whole milliseconds. */
export function passMillis(world: ShardWorld, count: number): void {
  pass(world, millis(count));
}

/** The value of an attribute of the session or of its first m-line that has it; throws when there is none. */
export function attributeOf(session: SessionDescription, name: string): string {
  const value =
    sdpAttribute(session.attributes, name) ??
    session.media.map((media) => sdpAttribute(media.attributes, name)).find((each) => each !== undefined);
  if (value === undefined) throw new Error(`the answer has no a=${name}`);
  return value;
}

function clientSink(world: ShardWorld, client: TestClient) {
  const sendBytes = new Uint8Array(LIMITS.datagramBytesMax);
  return {
    sendBytes,
    reserve: () => 0,
    transmit: (_flow: number, offset: number, length: number) => {
      datagram(world, client.flow, sendBytes.slice(offset, offset + length));
    },
  };
}

/** Hands the clients what the shard has sent. */
export function deliver(world: ShardWorld): void {
  for (let next = world.sent.shift(); next !== undefined; next = world.sent.shift()) {
    const { flow, bytes } = next;
    const client = world.clients.find((each) => each.flow === flow);
    if (client) receive(world, client, bytes);
  }
}

function receive(world: ShardWorld, client: TestClient, bytes: Uint8Array): void {
  client.datagrams.push(bytes.slice());
  const kind = demux(bytes, 0, bytes.length);
  if (kind === DEMUX.DTLS) receiveDtls(world, client, bytes);
  else if (kind === DEMUX.RTP && client.srtp !== null) receiveRtp(world, client, client.srtp, bytes);
  else if (kind === DEMUX.RTCP && client.srtp !== null) {
    const length = srtpOpenRtcp(client.srtp, world.crypto, bytes, 0, bytes.length);
    if (length < 0) throw new Error(`${client.name} could not open an RTCP packet: ${length}`);
    client.rtcp.push(bytes.slice(0, length));
  }
}

function receiveDtls(world: ShardWorld, client: TestClient, bytes: Uint8Array): void {
  const { dtls } = client;
  dtlsReceive(dtls, world.now, world.crypto, clientSink(world, client), client.flow, bytes, 0, bytes.length);
  if (client.srtp !== null || dtls.status !== "connected" || dtls.srtp === null) return;
  client.srtp = createSrtpSession({
    profile: dtls.srtp.profile,
    readKey: dtls.srtp.serverKey,
    readSalt: dtls.srtp.serverSalt,
    writeKey: dtls.srtp.clientKey,
    writeSalt: dtls.srtp.clientSalt,
    keyHandleBase: dtls.keyHandleBase,
    indexBefore: (world.shard.firstNumbers?.srtpIndex ?? 0) - 1,
  });
  srtpBindKeys(client.srtp, world.crypto);
}

function receiveRtp(world: ShardWorld, client: TestClient, srtp: SrtpSession, bytes: Uint8Array): void {
  const length = srtpOpenRtp(srtp, world.crypto, bytes, 0, bytes.length, rtpHeaderLength(bytes, 0));
  // What comes twice is refused here as anywhere; the datagram itself is on record.
  if (length === SRTP.REPLAYED) return;
  if (length < 0) throw new Error(`${client.name} could not open packet ${readU32(bytes, 0)}: ${length}`);
  if (rtpCheck(bytes, 0, length) !== 0) throw new Error("the shard sent a malformed packet");
  client.rtp.push({
    bytes: bytes.slice(0, length),
    ssrc: rtpSsrc(bytes, 0),
    sequence: rtpSequence(bytes, 0),
    timestamp: rtpTimestamp(bytes, 0),
    payloadType: bytes[1]! & 0x7f,
    payload: bytes.slice(rtpHeaderLength(bytes, 0), length),
  });
}
