/**
 * What shards of one server send each other: records, one behind the other, as many as a batch happens to hold.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+-----------------------------------------------+
 *     |     kind      |          length of the whole record           |
 *     +---------------+-----------------------------------------------+
 *     |  MAIL: the letters       PACKET: the lane                     |
 *     |                          the stream, by its home's number     |
 *     |                          ordinal in the lane  | flags |   0   |
 *     |                          arrival, wall-clock micros (64 bits) |
 *     |                          the RTP packet, opened               |
 *
 * The lane is a number of the shard that the packet goes to, so that finding it there takes one look. This is no format of
 * the network: both ends are the same program. All the same nobody trusts a length that he has not checked.
 */
import { readU16, readU24, readU32, writeU16, writeU24, writeU32 } from "../base/bytes.ts";
import type { WallMicros } from "../base/micros.ts";

/** What {@link relayRecordCheck} answers. */
export const RELAY = {
  OK: 0,
  TOO_SHORT: 1,
  UNKNOWN_KIND: 2,
} as const;

/** The kinds of records. */
export const RELAY_KIND = {
  PACKET: 1,
  MAIL: 2,
} as const;

/** What is said of a packet. */
export const RELAY_FLAG = {
  /** It is of the stream that subscribers should get. */
  BEST: 1,
  /** It came out of order: it had been lost, on the way to the server or between its shards. */
  RECOVERED: 2,
} as const;

/** Bytes before the letters of a mail. */
export const RELAY_MAIL_HEADER_BYTES = 4;
/** Bytes before the RTP packet. */
export const RELAY_PACKET_HEADER_BYTES = 24;

const LANE = 4;
const STREAM = 8;
const ORDINAL = 12;
const FLAGS = 14;
const ARRIVAL_HIGH = 16;
const ARRIVAL_LOW = 20;

const TWO_TO_32 = 0x1_0000_0000;

/** Judges the record that starts at `offset`; `end` is where the batch ends. After OK no accessor reads past it. */
export function relayRecordCheck(bytes: Uint8Array, offset: number, end: number): number {
  if (end - offset < RELAY_MAIL_HEADER_BYTES) return RELAY.TOO_SHORT;
  const kind = bytes[offset]!;
  const length = readU24(bytes, offset + 1);
  if (kind !== RELAY_KIND.PACKET && kind !== RELAY_KIND.MAIL) return RELAY.UNKNOWN_KIND;
  const least = kind === RELAY_KIND.PACKET ? RELAY_PACKET_HEADER_BYTES : RELAY_MAIL_HEADER_BYTES;
  return length < least || length > end - offset ? RELAY.TOO_SHORT : RELAY.OK;
}

/** A kind of {@link RELAY_KIND}. */
export function relayRecordKind(bytes: Uint8Array, offset: number): number {
  return bytes[offset]!;
}

/** Bytes of the whole record. */
export function relayRecordLength(bytes: Uint8Array, offset: number): number {
  return readU24(bytes, offset + 1);
}

/** The lane that a packet belongs to: a number of the shard that it goes to. */
export function relayPacketLane(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + LANE);
}

/** The stream that a packet belongs to: a number of the shard that it comes from. */
export function relayPacketStream(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + STREAM);
}

/** Counts the packets of the lane, 16 bits; one that is sent again keeps its ordinal. */
export function relayPacketOrdinal(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset + ORDINAL);
}

/** Flags of {@link RELAY_FLAG}. */
export function relayPacketFlags(bytes: Uint8Array, offset: number): number {
  return bytes[offset + FLAGS]!;
}

/** When the packet came to the server. */
export function relayPacketArrival(bytes: Uint8Array, offset: number): WallMicros {
  return (readU32(bytes, offset + ARRIVAL_HIGH) * TWO_TO_32 + readU32(bytes, offset + ARRIVAL_LOW)) as WallMicros;
}

/** Writes the header of a packet record; `packetBytes` of RTP belong behind it. Answers the header's length. */
export function relayWritePacketHeader(
  bytes: Uint8Array,
  offset: number,
  packetBytes: number,
  lane: number,
  stream: number,
  ordinal: number,
  flags: number,
  arrival: WallMicros,
): number {
  bytes[offset] = RELAY_KIND.PACKET;
  writeU24(bytes, offset + 1, RELAY_PACKET_HEADER_BYTES + packetBytes);
  writeU32(bytes, offset + LANE, lane);
  writeU32(bytes, offset + STREAM, stream);
  writeU16(bytes, offset + ORDINAL, ordinal);
  bytes[offset + FLAGS] = flags;
  bytes[offset + FLAGS + 1] = 0;
  writeU32(bytes, offset + ARRIVAL_HIGH, Math.floor(arrival / TWO_TO_32));
  writeU32(bytes, offset + ARRIVAL_LOW, arrival >>> 0);
  return RELAY_PACKET_HEADER_BYTES;
}

/** A mail record with these encoded letters in it. */
export function relayMailRecord(letters: Uint8Array): Uint8Array {
  const record = new Uint8Array(RELAY_MAIL_HEADER_BYTES + letters.length);
  record[0] = RELAY_KIND.MAIL;
  writeU24(record, 1, record.length);
  record.set(letters, RELAY_MAIL_HEADER_BYTES);
  return record;
}
