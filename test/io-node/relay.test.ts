/**
 * Rooms over two shards of a real server: real sockets on loopback, real handshakes, and on the fast host two threads with
 * rings between them. Each shard takes one participant of a room before the other gets some.
 */
import { afterEach, describe, expect, it } from "vitest";
import { rtpHeaderLength, rtpPayloadType, rtpSequence, rtpSsrc } from "../../core/wire/rtp.ts";
import { controlCommand, findDeparture, findParticipant, roomParticipants } from "../../io-node/control.ts";
import type { IoChoice } from "../../io-node/io-choice.ts";
import { createLog } from "../../io-node/log.ts";
import { type RunningServer, startServer } from "../../io-node/server.ts";
import { until } from "../contract/shard-host.ts";
import { connectOverLoopback, type LoopbackClient } from "../support/hosts/loopback-client.ts";
import { opusPacket, vp8Packet } from "../support/wire/media.ts";
import { offerOf, PAYLOAD_TYPE } from "../support/wire/offers.ts";

const ROOM = "over-two";

/** Somebody in the room: a client that sends a camera and a microphone every 10 ms. */
interface Guest {
  readonly client: LoopbackClient;
  readonly resource: string;
  readonly participant: number;
  /** The byte that all his payloads end with. */
  readonly mark: number;
  /** Stops sending. */
  leave(): void;
}

let server: RunningServer | undefined;
const guests: Guest[] = [];

afterEach(async () => {
  for (const guest of guests.splice(0)) guest.leave();
  await server?.stop();
  server = undefined;
});

async function serve(io: IoChoice): Promise<RunningServer> {
  const options = { httpPort: 0, httpHost: "127.0.0.1", udpPort: 0, io, shards: 2, publicAddresses: ["127.0.0.1"] };
  server = await startServer({ ...options, logLevel: "error" }, createLog("error", { write: () => {} }), 1);
  return server;
}

/** Lets somebody in; `shard` is where he must have come to. */
async function enter({ control, udpPorts }: RunningServer, shard: number, mark: number): Promise<Guest> {
  let [resource, participant] = ["", 0];
  const join = async (offer: string): Promise<string> => {
    const reply = await controlCommand(control, { type: "join", room: ROOM, name: "", offer });
    if (reply.type !== "joined") throw new Error(JSON.stringify(reply));
    ({ resource, participant } = reply);
    return reply.answer;
  };
  const [voice, camera] = [1_000 * mark, 1_000 * mark + 1];
  const offer = offerOf([
    { kind: "audio", ssrc: voice },
    { kind: "video", ssrc: camera },
    { kind: "audio" },
    { kind: "video" },
  ]);
  const client = await connectOverLoopback(udpPorts[shard]!, offer, join);
  expect(findParticipant(control, ROOM, resource)?.shard).toBe(shard);
  let sequence = 100;
  const send = () => {
    sequence += 1;
    client.send(opusPacket({ ssrc: voice, sequence, timestamp: 480 * sequence, level: 5 }));
    const keyframe = sequence % 10 === 0;
    client.send(vp8Packet({ ssrc: camera, sequence, pictureId: sequence & 0x7fff, keyframe, body: [1, 2, mark] }));
  };
  const sending = setInterval(send, 10);
  const leave = () => {
    clearInterval(sending);
    client.close();
  };
  const guest = { client, resource, participant, mark, leave };
  guests.push(guest);
  return guest;
}

const isVideo = (packet: Uint8Array) => rtpPayloadType(packet, 0) === PAYLOAD_TYPE.VP8;

/** Waits until somebody has got so many more packets of each kind, those of video with the other's mark alone. */
async function getsMedia({ client }: Guest, from: Guest, count = 20): Promise<void> {
  const begin = client.received.length;
  const got = () => client.received.slice(begin);
  const videos = () => got().filter(isVideo);
  const voices = () => got().filter((packet) => rtpPayloadType(packet, 0) === PAYLOAD_TYPE.opus);
  await until(() => Math.min(videos().length, voices().length) >= count);
  expect(new Set(videos().map((packet) => packet.at(-1)))).toEqual(new Set([from.mark]));
  for (const packet of voices()) expect(packet.length).toBe(rtpHeaderLength(packet, 0) + 4);
}

/** The steps from each sequence number to the next, of each SSRC. */
function stepsOf({ client }: Guest): Set<number> {
  const last = new Map<number, number>();
  const steps = new Set<number>();
  for (const packet of client.received) {
    const [ssrc, sequence] = [rtpSsrc(packet, 0), rtpSequence(packet, 0)];
    const before = last.get(ssrc);
    if (before !== undefined) steps.add((sequence - before) & 0xffff);
    last.set(ssrc, sequence);
  }
  return steps;
}

const hosts: IoChoice[] = process.platform === "linux" ? ["portable", "fast"] : ["portable"];

describe.each(hosts)("a room over two shards of a %s server", { timeout: 60_000 }, (io) => {
  it("is one room: its people see and hear each other, whole and in order, and it ends when the last has left", async () => {
    const { control, hosts: shards, ...rest } = await serve(io);
    const running = { control, hosts: shards, ...rest };
    const ana = await enter(running, 0, 1);
    const bob = await enter(running, 1, 2);
    await Promise.all([getsMedia(ana, bob), getsMedia(bob, ana)]);
    expect([...stepsOf(ana), ...stepsOf(bob)]).toEqual([1, 1]);
    await until(() =>
      roomParticipants(control, ROOM).every(({ publications }) => publications.every((p) => p.flowing)),
    );
    expect(roomParticipants(control, ROOM).map(({ participant }) => participant)).toEqual([
      ana.participant,
      bob.participant,
    ]);
    await until(() => shards.every(({ relayed }) => relayed.relayedPackets > 40));
    expect(shards.map(({ relayed }) => relayed.relayDropped)).toEqual([0, 0]);

    for (const { resource } of [ana, bob]) {
      expect((await controlCommand(control, { type: "leave", room: ROOM, resource })).type).toBe("left");
    }
    await until(() => control.rooms.size === 0);
    expect([control.placement.rooms.size, control.byNumber.size]).toEqual([0, 0]);
  });

  it("loses who was on a shard that dies, and nobody else; the next one comes to the fresh shard", async () => {
    const running = await serve(io);
    const { control, hosts: shards } = running;
    const ana = await enter(running, 0, 1);
    const bob = await enter(running, 1, 2);
    await Promise.all([getsMedia(ana, bob), getsMedia(bob, ana)]);
    const { number } = shards[1]!;
    shards[1]!.giveUp();
    await until(() => control.placement.places[1]!.serves && shards[1]!.number !== number);
    expect(findDeparture(control, ROOM, bob.resource)?.reason).toBe("shard-failed");
    await until(() => roomParticipants(control, ROOM).length === 1);
    const cem = await enter(running, 1, 3);
    await Promise.all([getsMedia(ana, cem), getsMedia(cem, ana)]);
    expect(findParticipant(control, ROOM, ana.resource)?.departure).toBeUndefined();
  });

  it("ends with its home: who was elsewhere is told, and whoever joins again is in a fresh room", async () => {
    const running = await serve(io);
    const { control, hosts: shards } = running;
    const ana = await enter(running, 0, 1);
    const bob = await enter(running, 1, 2);
    await Promise.all([getsMedia(ana, bob), getsMedia(bob, ana)]);
    shards[0]!.giveUp();
    await until(() => findDeparture(control, ROOM, bob.resource) !== undefined);
    expect(findDeparture(control, ROOM, ana.resource)?.reason).toBe("shard-failed");
    expect(findDeparture(control, ROOM, bob.resource)?.reason).toBe("shard-lost");
    await until(() => control.placement.places[0]!.serves);
    const [dan, eve] = [await enter(running, 0, 4), await enter(running, 1, 5)];
    await Promise.all([getsMedia(dan, eve), getsMedia(eve, dan)]);
  });
});
