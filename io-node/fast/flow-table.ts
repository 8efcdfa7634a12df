/**
 * Flows of the fast host: small integers for (local socket, remote address), found by the raw bytes of socket addresses.
 *
 * The kernel writes a sender's address as a `sockaddr`. Its words go through a keyed hash into a table with open
 * addressing, and are compared with those of the flows there; no text is ever made of them. Each flow keeps its `sockaddr`
 * in native memory, so that sending to it is handing over a pointer.
 *
 * The meaning is that of the portable table (io-node/portable/flow-table.ts): a flow is interned when a datagram comes from an
 * address that has none, lives until the shard releases it, and the numbers are reused in the same order.
 */
import { LIMITS } from "../../core/index.ts";
import { LINUX, SOCKADDR_BYTES, WORDS } from "./libc.ts";
import type { Piece } from "./memory.ts";

/** The most flows at a time: every participant of a full shard with all the flows that ICE lets it keep, and some spare. */
export const FAST_FLOWS_MAX = LIMITS.participantsPerShardMax * LIMITS.iceFlowsPerPeerMax + 1_024;

/** The words of an IPv6 address with a flow label that differs from packet to packet. */
const FLOW_LABEL_WORD = 1;

/** The table; make one with {@link createFastFlows}. */
export interface FastFlows {
  readonly flowsMax: number;
  readonly seed: number;
  /** Each flow's `sockaddr`, in native memory. */
  readonly names: Piece;
  /** Bytes of each flow's `sockaddr`; 0 where there is no flow. */
  readonly nameLengths: Uint8Array;
  /** Which socket each flow is on. */
  readonly sockets: Uint8Array;
  /** The bytes for the core: IP and port in network order. */
  readonly addresses: Uint8Array[];
  /** 1 for a flow that goes once what was queued for it has been sent. */
  readonly releasing: Uint8Array;
  readonly freeIndexes: number[];
  /** Flows in the order of their hashes: index + 1, or 0. A power of two, at most half full. */
  readonly places: Int32Array;
  /** Indexes that were ever in use: those from here on are free. */
  used: number;
}

/** Native memory that a table of this size needs. */
export function flowNamesBytes(flowsMax: number): number {
  return flowsMax * WORDS.SOCKADDR * 4;
}

/** An empty table. `seed` is secret: who knows it can find addresses that share a place. */
export function createFastFlows(names: Piece, seed: number, flowsMax: number = FAST_FLOWS_MAX): FastFlows {
  let places = 2;
  while (places < 2 * flowsMax) places *= 2;
  return {
    flowsMax,
    seed,
    names,
    nameLengths: new Uint8Array(flowsMax),
    sockets: new Uint8Array(flowsMax),
    addresses: [],
    releasing: new Uint8Array(flowsMax),
    freeIndexes: [],
    places: new Int32Array(places),
    used: 0,
  };
}

/**
 * The flow of the sender whose `sockaddr` stands at `at` in `words`; -1 when the table is full, or nothing could be sent
 * there. A flow that was about to go stays.
 */
export function internFastFlow(flows: FastFlows, socket: number, words: Uint32Array, at: number): number {
  const family = words[at]! & 0xffff;
  const isIpv6 = family === LINUX.AF_INET6;
  // Port 0 can be written into a datagram's header but nothing can be sent there.
  if ((!isIpv6 && family !== LINUX.AF_INET) || words[at]! >>> 16 === 0) return -1;
  if (isIpv6) words[at + FLOW_LABEL_WORD] = 0;
  const count = isIpv6 ? 7 : 2;
  const { places } = flows;
  const mask = places.length - 1;
  let place = hashName(flows.seed, words, at, count) & mask;
  for (; places[place] !== 0; place = (place + 1) & mask) {
    const index = places[place]! - 1;
    if (flows.sockets[index] === socket && sameName(flows, index, words, at, count)) {
      flows.releasing[index] = 0;
      return index;
    }
  }
  if (fastFlowCount(flows) >= flows.flowsMax) return -1;
  const index = flows.freeIndexes.pop() ?? flows.used++;
  places[place] = index + 1;
  const own = index * WORDS.SOCKADDR;
  for (let i = 0; i < WORDS.SOCKADDR; i++) flows.names.words[own + i] = i < count ? words[at + i]! : 0;
  flows.nameLengths[index] = isIpv6 ? SOCKADDR_BYTES.IPV6 : SOCKADDR_BYTES.IPV4;
  flows.sockets[index] = socket;
  flows.addresses[index] = transportAddress(flows.names.bytes, own * 4, isIpv6);
  flows.releasing[index] = 0;
  return index;
}

/** Whether a flow of this number is in use. */
export function hasFastFlow(flows: FastFlows, index: number): boolean {
  return index >= 0 && index < flows.used && flows.nameLengths[index] !== 0;
}

/** Forgets a flow; its number may be used again. Nothing happens when it's not in use. */
export function releaseFastFlow(flows: FastFlows, index: number): void {
  if (!hasFastFlow(flows, index)) return;
  const { places } = flows;
  const mask = places.length - 1;
  let gap = homeOf(flows, index);
  while (places[gap] !== index + 1) gap = (gap + 1) & mask;
  // Whoever stands behind the gap and could not have stood nearer moves up: the chain stays whole without gravestones.
  for (let next = (gap + 1) & mask; places[next] !== 0; next = (next + 1) & mask) {
    const home = homeOf(flows, places[next]! - 1);
    if (((next - home) & mask) < ((next - gap) & mask)) continue;
    places[gap] = places[next]!;
    gap = next;
  }
  places[gap] = 0;
  flows.nameLengths[index] = 0;
  flows.releasing[index] = 0;
  flows.freeIndexes.push(index);
}

/** How many flows are in use. */
export function fastFlowCount(flows: FastFlows): number {
  return flows.used - flows.freeIndexes.length;
}

function homeOf(flows: FastFlows, index: number): number {
  const count = flows.nameLengths[index] === SOCKADDR_BYTES.IPV6 ? 7 : 2;
  return hashName(flows.seed, flows.names.words, index * WORDS.SOCKADDR, count) & (flows.places.length - 1);
}

function sameName(flows: FastFlows, index: number, words: Uint32Array, at: number, count: number): boolean {
  const own = index * WORDS.SOCKADDR;
  for (let i = 0; i < count; i++) if (flows.names.words[own + i] !== words[at + i]) return false;
  return true;
}

/** A keyed hash of the words of a `sockaddr`. */
function hashName(seed: number, words: Uint32Array, at: number, count: number): number {
  let hash = seed;
  for (let i = 0; i < count; i++) {
    hash = Math.imul(hash ^ words[at + i]!, 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ seed, 0x85eb_ca6b);
  return hash ^ (hash >>> 13);
}

/** IP and port in network order, from a `sockaddr`. */
function transportAddress(names: Uint8Array, at: number, isIpv6: boolean): Uint8Array {
  const ip = isIpv6 ? at + 8 : at + 4;
  const ipBytes = isIpv6 ? 16 : 4;
  const address = new Uint8Array(ipBytes + 2);
  for (let i = 0; i < ipBytes; i++) address[i] = names[ip + i]!;
  address[ipBytes] = names[at + 2]!;
  address[ipBytes + 1] = names[at + 3]!;
  return address;
}
