/**
 * A whole call without a browser: two connections of werift, which shares no code with us, join the real server over HTTP
 * and speak ICE, DTLS and SRTP with it over UDP on loopback. One publishes, the other receives. Every wait ends with what
 * it waits for; nothing here depends on how quick the machine is.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  MediaStreamTrack,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtpHeader,
  RtpPacket,
  useNACK,
  useOPUS,
  usePLI,
  useSdesMid,
} from "werift";
import { createLog } from "../../io-node/log.ts";
import { type RunningServer, startServer } from "../../io-node/server.ts";
import { startUdpProxy } from "../support/hosts/udp-proxy.ts";

const ROOM = "werift";

/** A connection in the room. */
interface Member {
  readonly connection: RTCPeerConnection;
  /** The path of its HTTP resource. */
  readonly location: string;
}

let server: RunningServer;
let members: Member[];
let opened: { close(): unknown }[];
let stunPort: number;

beforeEach(async () => {
  members = [];
  opened = [];
  stunPort = await startStunServer();
  await serve(["127.0.0.1"], 0);
});

afterEach(async () => {
  for (const each of opened) await each.close();
  for (const { connection } of members) await connection.close();
  await server.stop();
});

async function serve(publicAddresses: string[], udpPort: number): Promise<void> {
  const options = { httpPort: 0, httpHost: "127.0.0.1", udpPort, publicAddresses, logLevel: "silent" } as const;
  server = await startServer(options, createLog("silent"));
}

/**
 * Answers binding requests with the address that they came from (RFC 8489 §14.2). Whoever is given no STUN server of his
 * own asks a public one, which no test may do.
 */
async function startStunServer(): Promise<number> {
  const socket = createSocket("udp4");
  socket.on("message", (request, { port }) => {
    const mapped = [0, 0x20, 0, 8, 0, 1, (port >> 8) ^ 0x21, (port & 0xff) ^ 0x12, 127 ^ 0x21, 0x12, 0xa4, 1 ^ 0x42];
    socket.send(Uint8Array.of(1, 1, 0, mapped.length, ...request.subarray(4, 20), ...mapped), port, "127.0.0.1");
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  opened.push(socket);
  return socket.address().port;
}

function createConnection(): RTCPeerConnection {
  const vp8 = new RTCRtpCodecParameters({
    mimeType: "video/VP8",
    clockRate: 90_000,
    rtcpFeedback: [useNACK(), usePLI()],
  });
  return new RTCPeerConnection({
    codecs: { audio: [useOPUS()], video: [vp8] },
    headerExtensions: { audio: [useSdesMid()], video: [useSdesMid()] },
    iceServers: [{ urls: `stun:127.0.0.1:${stunPort}` }],
    iceUseIpv6: false,
    iceInterfaceAddresses: { udp4: "127.0.0.1" },
    iceAdditionalHostAddresses: ["127.0.0.1"],
  });
}

const url = (path: string) => `http://127.0.0.1:${server.httpPort}${path}`;

/** Offers, joins with one request, and waits until the connection stands. */
async function joinRoom(connection: RTCPeerConnection, name: string): Promise<Member> {
  await connection.setLocalDescription(await connection.createOffer());
  const response = await fetch(url(`/api/v1/rooms/${ROOM}/participants?name=${name}`), {
    method: "POST",
    headers: { "content-type": "application/sdp" },
    body: connection.localDescription!.sdp,
  });
  expect(response.status).toBe(201);
  const member = { connection, location: response.headers.get("location")! };
  members.push(member);
  const connected = new Promise<void>((resolve) => {
    connection.connectionStateChange.subscribe((state) => {
      if (state === "connected") resolve();
    });
  });
  await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
  await connected;
  return member;
}

/** A VP8 packet (RFC 7741) with a 15-bit picture id; the first of a keyframe when `keyframe`. */
function vp8(sequence: number, keyframe: boolean): RtpPacket {
  const frame = keyframe ? [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00] : [0x11, 0x02, 0x00];
  const payload = [
    0x90,
    0x80,
    0x80 | ((sequence >> 8) & 0x7f),
    sequence & 0xff,
    ...frame,
    sequence >> 8,
    sequence & 0xff,
  ];
  const header = new RtpHeader({
    payloadType: 96,
    sequenceNumber: sequence & 0xffff,
    timestamp: sequence * 3000,
    marker: true,
    ssrc: 1,
  });
  return new RtpPacket(header, Buffer.from(payload));
}

/** The number that {@link vp8} has put at the end of a payload. */
function numberOf({ payload }: RtpPacket): number {
  return payload.readUInt16BE(payload.length - 2);
}

/** A publisher whose picture moves 50 times a second, with a keyframe whenever it is asked for one. */
async function startPublisher() {
  const connection = createConnection();
  const track = new MediaStreamTrack({ kind: "video" });
  const transceiver = connection.addTransceiver(track, { direction: "sendonly" });
  const { sender } = transceiver;
  const requests = { keyframes: 0, missing: [] as number[] };
  let wanted = true;
  sender.onPictureLossIndication.subscribe(() => {
    requests.keyframes++;
    wanted = true;
  });
  sender.onGenericNack.subscribe((nack) => {
    requests.missing.push(...nack.lost);
  });
  await joinRoom(connection, "publisher");
  let sequence = 0;
  const camera = setInterval(() => {
    track.writeRtp(vp8(sequence++, wanted));
    wanted = false;
  }, 20);
  opened.push({ close: () => clearInterval(camera) });
  return { connection, requests };
}

/** A subscriber with one video slot, and the packets that came to it. */
async function startSubscriber() {
  const connection = createConnection();
  const transceiver = connection.addTransceiver("video", { direction: "recvonly" });
  const received: RtpPacket[] = [];
  transceiver.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe((packet) => {
      received.push(packet);
    });
  });
  const lost: number[] = [];
  transceiver.receiver.onPacketLost.subscribe((nack) => {
    lost.push(...nack.lost);
  });
  const member = await joinRoom(connection, "subscriber");
  return { member, transceiver, received, lost };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("a call between two connections of werift", { timeout: 60_000 }, () => {
  it("brings the picture of one to the other, from a keyframe on, with nothing missing between", async () => {
    await startPublisher();
    const { received } = await startSubscriber();
    await until(() => received.length >= 60);
    expect(received[0]!.payload[4]! & 1).toBe(0);
    for (let i = 1; i < received.length; i++) {
      expect(received[i]!.header.sequenceNumber).toBe((received[i - 1]!.header.sequenceNumber + 1) & 0xffff);
      expect(numberOf(received[i]!)).toBe(numberOf(received[i - 1]!) + 1);
      expect((received[i]!.header.timestamp - received[i - 1]!.header.timestamp) | 0).toBe(3000);
    }
    expect(new Set(received.map(({ header }) => header.ssrc)).size).toBe(1);
  });

  it("asks the publisher for a keyframe when the subscriber does", async () => {
    const { requests } = await startPublisher();
    const { transceiver, received } = await startSubscriber();
    await until(() => received.length >= 10);
    const before = requests.keyframes;
    const { ssrc } = received[0]!.header;
    await transceiver.receiver.sendRtcpPLI(ssrc);
    await until(() => requests.keyframes > before);
    const keyframes = () => received.filter(({ payload }) => (payload[4]! & 1) === 0).length;
    await until(() => keyframes() >= 2);
  });

  it("hardly loses anything on a way that loses a tenth in each direction: what is missing is sent again", async () => {
    const udpPort = server.udpPorts[0]!;
    const ways = { serverPort: udpPort, seed: 5, lossPercent: 0, reorderPercent: 0, holdMillis: 15 };
    const proxy = await startUdpProxy(ways);
    opened.push(proxy);
    await server.stop();
    await serve([`127.0.0.1:${proxy.port}`], udpPort);
    const { requests } = await startPublisher();
    const { received, lost } = await startSubscriber();
    // Only now: when our last flight is lost, werift repeats its own under used record numbers, which DTLS must pass over.
    Object.assign(ways, { lossPercent: 10, reorderPercent: 5 });
    const numbers = () => new Set(received.map(numberOf));
    await until(() => numbers().size >= 200);
    // A fifth would be missing otherwise. werift gives up on some: it asks ten times within 50 ms or so.
    const all = [...numbers()].slice(0, 180);
    const span = Math.max(...all) - Math.min(...all) + 1;
    expect(span - all.length).toBeLessThan(0.06 * span);
    expect(requests.missing.length).toBeGreaterThan(0);
    expect(lost.length).toBeGreaterThan(0);
    expect(proxy.counters.lost).toBeGreaterThan(20);
  });

  it("ends for the one who leaves with DELETE, with close_notify, and nothing more is sent to it", async () => {
    await startPublisher();
    const { member, received } = await startSubscriber();
    await until(() => received.length >= 10);
    const closed = new Promise<void>((resolve) => {
      member.connection.dtlsTransports[0]!.onStateChange.subscribe((state) => {
        if (state === "closed") resolve();
      });
    });
    expect((await fetch(url(member.location), { method: "DELETE" })).status).toBe(204);
    await closed;
    const { sent } = server.hosts[0]!.sent;
    const { received: before } = server.hosts[0]!.received;
    // The publisher goes on for half a second's worth of packets; nobody is sent any of them.
    await until(() => server.hosts[0]!.received.received >= before + 25);
    const watching = (await (await fetch(url(`/api/v1/rooms/${ROOM}`))).json()) as { participants: unknown[] };
    expect(watching.participants).toHaveLength(1);
    expect(server.hosts[0]!.sent.sent - sent).toBeLessThan(25);
    expect(received.length).toBeGreaterThanOrEqual(10);
  });
});
