/**
 * Strangers who throw rubbish at the server's port.
 *
 * What they throw is made to get as far as possible: noise that begins like STUN, DTLS, RTP or RTCP, and copies of real
 * datagrams (which anyone on the path can record) with a few bits flipped or cut short. Some comes from addresses that
 * nobody owns, some under the address of a peer. None of it is authentic, so nothing may come of it (promise S12).
 */
import { type Micros, micros } from "../core/index.ts";
import { EVENT_CLASS, schedule } from "./event-loop.ts";
import type { Packet } from "./link.ts";
import { nodeReceive } from "./node.ts";
import { below, between, chance, createStream, randomBytes, type Seed, type Stream } from "./random.ts";
import type { World } from "./world.ts";

/** Real datagrams that the strangers have recorded. */
const RECORDED_MAX = 64;

/** Addresses that strangers use: documentation space, so that they are never a peer's. */
const STRANGERS = 50;

/** The strangers' state. */
export interface Attacker {
  readonly stream: Stream;
  readonly recorded: Packet[];
  /** Keeps a real datagram to imitate later. */
  remember(packet: Packet): void;
  thrown: number;
  /** Bytes thrown from, and sent to, each address that is nobody's. */
  readonly bytesFrom: Map<string, number>;
  readonly bytesTo: Map<string, number>;
  /** Whether the datagram that the node has in hand is theirs. */
  inHand: boolean;
}

/** Strangers who have done nothing yet. */
export function createAttacker(seed: Seed): Attacker {
  const recorded: Packet[] = [];
  let seen = 0;
  return {
    stream: createStream(seed, "attacker", "strangers"),
    recorded,
    remember(packet) {
      // Every eleventh: a mixture of all kinds without a draw per packet.
      if (seen++ % 11 !== 0) return;
      recorded.push(packet);
      if (recorded.length > RECORDED_MAX) recorded.shift();
    },
    thrown: 0,
    bytesFrom: new Map(),
    bytesTo: new Map(),
    inHand: false,
  };
}

/**
 * What strangers throw: everything, three in ten under the addresses of peers; only that which comes under the addresses of
 * peers; or small damaged checks, in the hope that the answers are larger.
 */
export type GarbageKind = "mixed" | "spoofed" | "probes";

/** Throws `perSecond` datagrams a second at the server for a while. */
export function throwGarbage(world: World, kind: GarbageKind, perSecond: number, forMicros: number): void {
  const { loop, attacker } = world;
  const end = loop.now + forMicros;
  const throwNext = () => {
    throwOne(world, kind);
    const wait = 1 + below(attacker.stream, Math.floor(2_000_000 / perSecond));
    const at: Micros = micros(loop.now + wait);
    if (at < end) schedule(loop, at, EVENT_CLASS.DATAGRAM, throwNext);
  };
  throwNext();
}

function throwOne(world: World, kind: GarbageKind): void {
  const { attacker } = world;
  const { stream } = attacker;
  const bytes = kind === "probes" ? probe(attacker) : chance(stream, 500_000) ? imitation(attacker) : noise(stream);
  const spoofs = kind === "spoofed" || (kind === "mixed" && chance(stream, 300_000));
  const spoofed = spoofs ? [...world.byAddress.keys()] : [];
  const source = spoofed.length > 0 ? spoofed[below(stream, spoofed.length)]! : strangerAddress(stream);
  if (spoofed.length === 0) attacker.bytesFrom.set(source, (attacker.bytesFrom.get(source) ?? 0) + bytes.length);
  attacker.thrown++;
  attacker.inHand = true;
  nodeReceive(world.node, source, bytes);
  attacker.inHand = false;
}

function strangerAddress(stream: Stream): string {
  const who = below(stream, STRANGERS);
  return `198.51.100.${who + 1}:${40_000 + who}`;
}

/** A real check (RFC 8489) whose integrity no longer fits: its length and its user name are right. */
function probe(attacker: Attacker): Uint8Array {
  const { stream, recorded } = attacker;
  const checks = recorded.filter(({ bytes }) => bytes.length > 24 && bytes[0]! < 4);
  const check = checks[below(stream, Math.max(1, checks.length))];
  if (check === undefined) return noise(stream);
  const bytes = check.bytes.slice();
  // The transaction id: every answer would carry it, and every integrity covers it.
  bytes[8 + below(stream, 12)]! ^= between(stream, 1, 255);
  // The last attribute is FINGERPRINT (RFC 8489 §14.7), which anybody can compute.
  new DataView(bytes.buffer).setUint32(
    bytes.length - 4,
    (crc32(bytes.subarray(0, bytes.length - 8)) ^ 0x5354_554e) >>> 0,
  );
  return bytes;
}

/** CRC-32 of ISO 3309, bit by bit: nobody here is in a hurry. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0xedb8_8320);
  }
  return ~crc >>> 0;
}

/** Random bytes behind a first byte that sends them to each part of the server in turn (RFC 7983 §7). */
function noise(stream: Stream): Uint8Array {
  const bytes = randomBytes(stream, below(stream, 1_300));
  if (bytes.length === 0) return bytes;
  const leads = [0, 1, 20, 22, 23, 63, 128, 144, 191, 255];
  bytes[0] = leads[below(stream, leads.length)]!;
  // A quarter has the look of RTCP.
  if (bytes.length > 1 && chance(stream, 250_000)) bytes[1] = between(stream, 200, 207);
  return bytes;
}

/** A real datagram, damaged so that it can't be authentic any more. */
function imitation(attacker: Attacker): Uint8Array {
  const { stream, recorded } = attacker;
  const original = recorded[below(stream, Math.max(1, recorded.length))];
  if (original === undefined || original.bytes.length < 2) return noise(stream);
  const bytes = original.bytes.slice();
  if (chance(stream, 300_000)) return bytes.slice(0, below(stream, bytes.length));
  // Not in the first byte, so that it goes where the original went; STUN's integrity covers all that follows.
  const at = between(stream, 1, bytes.length - 1);
  bytes[at] = bytes[at]! ^ between(stream, 1, 255);
  return bytes;
}
