/**
 * A program of its own, for test/core/sfu/flood.test.ts: `node --expose-gc --import tsx test/support/shards/flood.ts COUNT`.
 *
 * A call is in progress while COUNT garbage datagrams come in, drawn from a fixed seed: noise of every length, noise that
 * begins like STUN, DTLS, RTP or RTCP, and damaged copies of what the shard has heard, most from strangers and some from
 * the participants' own addresses. Every thousandth is followed by a round of media. What is printed as JSON: the memory
 * after each tenth of the flood, and what the subscriber has received.
 */
import { memoryUsage } from "node:process";
import {
  createFingerprint,
  type DatagramInput,
  fingerprintBytes,
  fingerprintHex,
  keyedUint32,
  LIMITS,
  shardHandle,
} from "../../../core/index.ts";
import { opusPacket, vp8Packet } from "../wire/media.ts";
import { offerOf, PUBLISH } from "../wire/offers.ts";
import { createShardWorld, join, passMillis, type ShardWorld, sendRtp, type TestClient } from "./shard-world.ts";

/** What the program prints. */
export interface FloodReport {
  /** Bytes in use after a collection, after each tenth of the flood. */
  readonly heapBytes: number[];
  readonly bufferBytes: number[];
  readonly rssBytes: number[];
  /** Of all that the subscriber has received, in order. */
  readonly received: string;
  readonly packets: number;
  /** Datagrams of the flood that were refused for one reason or another, by the shard's counters. */
  readonly refused: number;
  /** Flows that the shard still holds, and those that it has not released of the strangers'. */
  readonly flows: number;
  readonly unreleased: number;
}

const ROUNDS = 1_000;
const STRANGERS = 10_000;
const SEED = 20_261_123;

function startCall(): { world: ShardWorld; ana: TestClient; bob: TestClient; heard: Uint8Array[] } {
  const world = createShardWorld();
  world.heard = [];
  const ana = join(world, { name: "ana", offer: PUBLISH });
  const bob = join(world, { name: "bob", offer: offerOf([{ kind: "audio" }, { kind: "video" }]) });
  const call = { world, ana, bob, heard: world.heard };
  for (let i = 0; i < 10; i++) speak(call, i);
  world.heard = null;
  return call;
}

function speak({ world, ana }: { world: ShardWorld; ana: TestClient }, round: number): void {
  const ssrc = 2000;
  sendRtp(world, ana, vp8Packet({ ssrc, sequence: round & 0xffff, keyframe: round % 50 === 0, body: [round & 0xff] }));
  sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence: round & 0xffff, level: 30 }));
  passMillis(world, 20);
}

/** Writes datagram `ordinal` of the flood into `target` and answers its length. */
function garbage(target: Uint8Array, ordinal: number, heard: readonly Uint8Array[]): number {
  const draw = keyedUint32(SEED, "garbage", ordinal, 0);
  const known = heard[draw % heard.length]!;
  const form = (draw >>> 8) % 8;
  if (form < 3) {
    target.set(known);
    const length = Math.max(1, known.length - ((draw >>> 11) % 8 === 0 ? (draw >>> 14) % 40 : 0));
    // At least one byte in the first part differs, so this is never the true datagram.
    target[(draw >>> 20) % Math.min(length, 60)]! ^= 1 + ((draw >>> 3) % 255);
    return length;
  }
  const length = 1 + (form === 3 ? (draw >>> 11) % 24 : (draw >>> 11) % 300);
  let state = draw;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    target[i] = state >>> 24;
  }
  const first = [0x00, 0x16, 0x80, 0x90][draw % 5];
  if (first !== undefined) target[0] = first;
  return length;
}

function main(count: number): FloodReport {
  const call = startCall();
  const { world, ana, bob, heard } = call;
  const { shard, ports } = world;
  const received = createFingerprint();
  let packets = 0;
  const collect = () => {
    for (const { bytes } of bob.rtp) fingerprintBytes(received, bytes, 0, bytes.length);
    packets += bob.rtp.length;
    for (const client of [ana, bob]) {
      client.rtp.length = 0;
      client.rtcp.length = 0;
      client.datagrams.length = 0;
    }
    world.sent.length = 0;
  };
  const report = { heapBytes: [] as number[], bufferBytes: [] as number[], rssBytes: [] as number[] };
  const input: DatagramInput = {
    kind: "datagram",
    now: world.now,
    flow: 0,
    address: Uint8Array.of(203, 0, 113, 9, 9, 9),
    bytes: new Uint8Array(LIMITS.datagramBytesMax),
    offset: 0,
    length: 0,
  };
  const perRound = Math.floor(count / ROUNDS);
  let unreleased = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < perRound; i++) {
      const ordinal = round * perRound + i;
      input.length = garbage(input.bytes, ordinal, heard);
      const isOwn = ordinal % 16 === 0;
      input.flow = isOwn ? (ordinal % 32 === 0 ? ana.flow : bob.flow) : 20_000 + (ordinal % STRANGERS);
      input.now = world.now;
      world.released.length = 0;
      shardHandle(shard, ports, input);
      if (!isOwn && world.released[0] !== input.flow) unreleased++;
      world.sent.length = 0;
    }
    speak(call, 10 + round);
    collect();
    if ((round + 1) % (ROUNDS / 10) !== 0) continue;
    globalThis.gc?.();
    const { heapUsed, arrayBuffers, rss } = memoryUsage();
    report.heapBytes.push(heapUsed);
    report.bufferBytes.push(arrayBuffers);
    report.rssBytes.push(rss);
  }
  const counters = shard.history.counters;
  const refused =
    counters.datagramsUnknown +
    counters.datagramsFromStrangers +
    counters.stunDropped +
    counters.stunRefused +
    counters.rtpMalformed +
    counters.rtpRefused +
    counters.rtcpMalformed +
    counters.rtcpRefused;
  return { ...report, received: fingerprintHex(received), packets, refused, flows: shard.flows.size, unreleased };
}

console.log(JSON.stringify(main(Number(process.argv[2]))));
