/**
 * What each shard of the server has in hand, and what it says of it: one door for each.
 *
 * A datagram is one packet of one client. What another shard relays is a batch of records, and several of them may be
 * packets; they cross as they came, opened, so each can be found again in the ledger. The shard counts what it takes and
 * what it does not send on, for whatever reason; both are read before and after each input.
 */
import { type DatagramInput, type RelayInput, shardOf } from "../../core/index.ts";
import { EXTENSION_ID } from "../client/offer.ts";
import type { SfuNode } from "../world/node.ts";
import { readExtension16 } from "./feedback-reading.ts";
import {
  hasArrived,
  isControl,
  isMedia,
  type Ledger,
  originalOf,
  REMEMBERED,
  readU16,
  readU32,
  type SourceStream,
  sourceAmong,
  sourceStream,
  unwrapped,
} from "./ledger.ts";

/** The kind of a record that carries a packet; its lane, its stream, and the bytes before it (core/wire/relay-record.ts). */
const PACKET_RECORD = 1;
const RECORD_LANE = 4;
const RECORD_STREAM = 8;
const RECORD_HEADER_BYTES = 24;

/** A packet that a shard has in hand. */
export interface PacketInHand {
  /** Counts the packets, and the inputs without any. */
  ordinal: number;
  /** The stream and the packet of it, if it is a client's: `index` is the original's when it is a retransmission. */
  source: SourceStream | undefined;
  index: number;
  timestamp: number;
  /** The same as they came: those of the retransmission. What was relayed has none. */
  carrier: SourceStream | undefined;
  carrierIndex: number;
  /** The transport-wide number, or -1. */
  transportSequence: number;
  /** Whether the shard has taken it, and had not had it before. */
  isNew: boolean;
  /** Whether something that the shard sends has begun with it. */
  begins: boolean;
}

/** What a shard counts: packets that it took, and those that it did not send on, to somebody or to nobody. */
export interface Counted {
  taken: number;
  tooLate: number;
  toSomebody: number;
  toNobody: number;
}

const NOTHING_COUNTED: Readonly<Counted> = { taken: 0, tooLate: 0, toSomebody: 0, toNobody: 0 };

/** The door of one shard. */
export interface Door {
  readonly node: SfuNode;
  /** What is in hand: as many of these as `count` says. They are used over and over. */
  readonly packets: PacketInHand[];
  count: number;
  ordinal: number;
  /** Failures that had been injected before it came. */
  firedBefore: number;
  readonly before: Counted;
  readonly after: Counted;
  /** Packets that are not in hand, as the shard has given up the lane that they came on: it counts them and no more. */
  strays: number;
  /** Of streams of other shards: the indices of the packets that have come over. */
  readonly relayed: Map<SourceStream, Float64Array>;
  mediaSent: number;
}

/** The door of a shard that has had no input yet. */
export function createDoor(node: SfuNode): Door {
  return {
    node,
    packets: [],
    count: 0,
    ordinal: 0,
    firedBefore: 0,
    before: { ...NOTHING_COUNTED },
    after: { ...NOTHING_COUNTED },
    strays: 0,
    relayed: new Map(),
    mediaSent: 0,
  };
}

/** Looks at a datagram before the shard does: which packet of which stream of which client it is. */
export function takeDatagram(ledger: Ledger, door: Door, input: DatagramInput): void {
  const { bytes, flow } = input;
  door.strays = 0;
  if (!isMedia(bytes) || isControl(bytes)) return;
  const client = ledger.tenants.senderOn(door.node, flow);
  if (client === undefined) return;
  const packet = nextInHand(door);
  const sequence = readU16(bytes, 2);
  const carrier = sourceStream(ledger, client, readU32(bytes, 8));
  if (carrier === undefined) return;
  packet.carrier = carrier;
  packet.carrierIndex = unwrapped(carrier.highest, sequence);
  const original = carrier.repairs === undefined ? sequence : originalOf(carrier, sequence);
  packet.source = original < 0 ? undefined : (carrier.repairs ?? carrier);
  packet.index = unwrapped(packet.source?.highest ?? -1, original);
  packet.timestamp = readU32(bytes, 4);
  packet.transportSequence = readExtension16(bytes, EXTENSION_ID.TRANSPORT_CC);
}

/** The lane of the record with a packet that begins there. */
export function relayedLane(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + RECORD_LANE);
}

/**
 * Looks at what another shard has relayed: the packets among the records. What is still under way on a lane that the shard
 * has given up reaches nobody, though the same stream may come over a new lane in the same batch.
 */
export function takeRelayed(ledger: Ledger, door: Door, { bytes, offset, length, shard }: RelayInput): void {
  const end = offset + length;
  door.strays = 0;
  for (let at = offset; at + 4 <= end; at += readU32(bytes, at) & 0xff_ffff) {
    if (bytes[at] !== PACKET_RECORD) continue;
    if (!door.node.shard.lanes.has(relayedLane(bytes, at))) {
      door.strays++;
      continue;
    }
    const rtp = at + RECORD_HEADER_BYTES;
    const packet = nextInHand(door);
    const sequence = readU16(bytes, rtp + 2);
    const stream = readU32(bytes, at + RECORD_STREAM);
    packet.source = relayedSource(ledger, shard, stream, readU32(bytes, rtp + 8), sequence);
    packet.index = unwrapped(packet.source?.highest ?? -1, sequence);
    packet.timestamp = readU32(bytes, rtp + 4);
  }
}

/**
 * The stream of a client of that shard of which such a packet has come. Somebody with a copied profile has the SSRC and the
 * numbers of another one, and of those who misbehave no stream is written down: then the home shard is asked whose it is.
 */
function relayedSource(
  ledger: Ledger,
  shard: number,
  stream: number,
  ssrc: number,
  sequence: number,
): SourceStream | undefined {
  const { hasCopies } = ledger;
  const owner = hasCopies ? ownerAt(ledger, shard, stream) : undefined;
  for (const streams of ledger.sources.values()) {
    const source = sourceAmong(streams, ssrc);
    if (source === undefined || shardOf(source.participant) !== shard) continue;
    if (hasCopies && source.participant !== owner) continue;
    if (hasArrived(source, unwrapped(source.highest, sequence))) return source;
  }
  return undefined;
}

/** Whose stream has this number at home; undefined when that shard is gone. */
function ownerAt({ world }: Ledger, shard: number, stream: number): number | undefined {
  const home = world.nodes.find((node) => node.shard.number === shard);
  return home?.shard.streams.get(stream)?.publication.owner?.id;
}

/** Notes that a packet of another shard's stream has come over; answers whether that is new. */
export function noteRelayed({ relayed }: Door, source: SourceStream, index: number): boolean {
  let indices = relayed.get(source);
  if (indices === undefined) {
    indices = new Float64Array(REMEMBERED).fill(-1);
    relayed.set(source, indices);
  }
  const isNew = indices[index & (REMEMBERED - 1)] !== index;
  indices[index & (REMEMBERED - 1)] = index;
  return isNew;
}

/** Whether a packet of this stream has come to this shard, from its sender or over from its sender's. */
export function hasCome({ relayed, node }: Door, source: SourceStream, index: number): boolean {
  if (shardOf(source.participant) === node.shard.number) return hasArrived(source, index);
  return relayed.get(source)?.[index & (REMEMBERED - 1)] === index;
}

/** Reads what the shard has counted so far. */
export function readCounted({ node }: Door, counted: Counted): void {
  const { counters } = node.shard.history;
  counted.taken = counters.rtpReceived + counters.relayPacketsReceived;
  counted.tooLate = counters.rtpTooLate;
  counted.toSomebody =
    counters.rtpAwaitingKeyframe + counters.rtpCodecMismatch + counters.rtpPaddingSkipped + counters.rtpUnsendable;
  counted.toNobody = counters.rtpUnroutable + counters.rtpMalformed + counters.relayPacketsStray;
}

/**
 * For how many of the packets in hand the shard has counted a reason: each of {@link Counted} `toNobody` is one packet that
 * nobody is sent, and each of the others one for one packet and one receiver.
 */
export function reasonsIn({ before, after, strays }: Door): Counted {
  return {
    taken: after.taken - before.taken,
    tooLate: after.tooLate - before.tooLate,
    toSomebody: after.toSomebody - before.toSomebody,
    toNobody: after.toNobody - before.toNobody - strays,
  };
}

function nextInHand(door: Door): PacketInHand {
  const packet = door.packets[door.count] ?? emptyHand();
  door.packets[door.count++] = packet;
  Object.assign(packet, NOTHING);
  packet.ordinal = ++door.ordinal;
  return packet;
}

function emptyHand(): PacketInHand {
  return { ...NOTHING };
}

const NOTHING: Readonly<PacketInHand> = {
  ordinal: 0,
  source: undefined,
  index: 0,
  timestamp: 0,
  carrier: undefined,
  carrierIndex: 0,
  transportSequence: -1,
  isNew: false,
  begins: false,
};
