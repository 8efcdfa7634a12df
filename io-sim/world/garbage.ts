/**
 * Strangers who throw rubbish at the server's port.
 *
 * What they throw is made to get as far as possible: noise that begins like STUN, DTLS, RTP or RTCP, and copies of real
 * datagrams (which anyone on the path can record) with a few bits flipped or cut short. Some comes from addresses that
 * nobody owns, some under the address of a peer. None of it is authentic, so nothing may come of it (promise S12). And there
 * is what no port on the internet is spared: scans, and what was meant for others.
 */
import { type Micros, micros } from "../../core/index.ts";
import { EVENT_CLASS, schedule } from "../base/event-loop.ts";
import { below, between, chance, createStream, randomBytes, type Seed, type Stream } from "../base/random.ts";
import type { Packet } from "../link/index.ts";
import { nodeReceive } from "./node.ts";
import type { World } from "./world.ts";

/** Real datagrams that the strangers have recorded. */
const RECORDED_MAX = 64;

/** Addresses that strangers use: documentation space, so that they are never a peer's. */
const STRANGERS = 50;

/** The attribute FINGERPRINT, which comes last. */
const FINGERPRINT_BYTES = 8;

/** The strangers' state. */
export interface Attacker {
  readonly stream: Stream;
  readonly recorded: Packet[];
  /** Connectivity checks among what they have recorded, which are few: each has a user name that somebody answers to. */
  readonly checks: Packet[];
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
  const checks: Packet[] = [];
  let seen = 0;
  return {
    stream: createStream(seed, "attacker", "strangers"),
    recorded,
    checks,
    remember(packet) {
      if (isCheck(packet.bytes)) keep(checks, packet);
      // Every eleventh: a mixture of all kinds without a draw per packet.
      if (seen++ % 11 !== 0) return;
      keep(recorded, packet);
    },
    thrown: 0,
    bytesFrom: new Map(),
    bytesTo: new Map(),
    inHand: false,
  };
}

/**
 * What strangers throw: everything, three in ten under the addresses of peers; only that which comes under the addresses of
 * peers; small damaged checks, in the hope that the answers are larger; or what knocks at any port of the internet.
 */
export type GarbageKind = "mixed" | "spoofed" | "probes" | "scans";

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
  const bytes = thrown(attacker, kind);
  const spoofs = kind === "spoofed" || (kind === "mixed" && chance(stream, 300_000));
  const spoofed = spoofs ? [...world.byAddress.keys()] : [];
  const source = spoofed.length > 0 ? spoofed[below(stream, spoofed.length)]! : strangerAddress(stream);
  if (spoofed.length === 0) attacker.bytesFrom.set(source, (attacker.bytesFrom.get(source) ?? 0) + bytes.length);
  attacker.thrown++;
  attacker.inHand = true;
  nodeReceive(world.nodes[below(stream, world.nodes.length)]!, source, bytes);
  attacker.inHand = false;
}

function thrown(attacker: Attacker, kind: GarbageKind): Uint8Array {
  const { stream } = attacker;
  if (kind === "scans") return scan(stream);
  if (kind === "probes") return probe(attacker);
  if (chance(stream, 500_000)) return noise(stream);
  return chance(stream, 200_000) ? probe(attacker) : imitation(attacker);
}

function isCheck(bytes: Uint8Array): boolean {
  return bytes.length > 24 && bytes[0]! < 4;
}

function keep(packets: Packet[], packet: Packet): void {
  packets.push(packet);
  if (packets.length > RECORDED_MAX) packets.shift();
}

function strangerAddress(stream: Stream): string {
  const who = below(stream, STRANGERS);
  return `198.51.100.${who + 1}:${40_000 + who}`;
}

/**
 * A scan: an empty line, a request of some other protocol, or a check of STUN that was meant for another server. It has a
 * FINGERPRINT, as those of browsers have, and a user name that nobody here answers to.
 */
function scan(stream: Stream): Uint8Array {
  switch (below(stream, 3)) {
    case 0:
      return randomBytes(stream, below(stream, 48));
    case 1:
      return new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n");
    default: {
      const name = new TextEncoder().encode("abcd:efgh");
      const bytes = new Uint8Array(44);
      const view = new DataView(bytes.buffer);
      // RFC 8489 §5: the type, the length and the magic cookie; §14.3: USERNAME; §14.7: FINGERPRINT.
      view.setUint32(0, 0x0001_0018);
      view.setUint32(4, 0x2112_a442);
      bytes.set(randomBytes(stream, 12), 8);
      view.setUint32(20, 0x0006_0000 | name.length);
      bytes.set(name, 24);
      view.setUint32(36, 0x8028_0004);
      signLast(bytes);
      return bytes;
    }
  }
}

/**
 * A real check (RFC 8489) that is damaged: its length and its user name are right. Half of them have another transaction id,
 * which the integrity does not fit; of the others FINGERPRINT alone is wrong, its kind, its length or its value, which the
 * integrity does not cover.
 */
function probe(attacker: Attacker): Uint8Array {
  const { stream, checks } = attacker;
  const check = checks[below(stream, Math.max(1, checks.length))];
  if (check === undefined) return noise(stream);
  const bytes = check.bytes.slice();
  if (chance(stream, 500_000)) {
    bytes[bytes.length - between(stream, 1, FINGERPRINT_BYTES)]! ^= between(stream, 1, 255);
    return bytes;
  }
  // The transaction id: every answer would carry it, and every integrity covers it.
  bytes[8 + below(stream, 12)]! ^= between(stream, 1, 255);
  signLast(bytes);
  return bytes;
}

/** Puts right the last attribute, FINGERPRINT (RFC 8489 §14.7), which anybody can compute. */
function signLast(bytes: Uint8Array): void {
  const fingerprint = crc32(bytes.subarray(0, bytes.length - FINGERPRINT_BYTES)) ^ 0x5354_554e;
  new DataView(bytes.buffer).setUint32(bytes.length - 4, fingerprint >>> 0);
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
