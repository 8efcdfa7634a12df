/**
 * The ways between one shard and the others, as its host sees them: a ring to each and a ring back (shared-ring.ts).
 *
 * What the shard relays while it handles a batch of inputs is put into rings at once, and shown to the others when the host
 * settles: so they are woken once a batch. What the others have shown is taken a bounded batch at a time, and becomes inputs
 * with one timestamp.
 *
 * A packet that finds no room is dropped and counted; whoever misses it asks for it again. Mail must not be lost, and must
 * keep its turn. Packets leave a part of each ring to it. Where even that is full it waits here, and while any waits, packets
 * are dropped: they would overtake it. The host tries again a millisecond later. A shard to which more than
 * {@link WAITING_BYTES_MAX} wait has not read for seconds; it is given up, and whoever runs the server ends it (the others hear
 * `shard-lost`). Mail longer than {@link PIECE_BYTES} travels in pieces, so a record of any length goes through.
 */
import { createRelayInput, type Faults, type Micros, type RelayInput } from "../../core/index.ts";
import { hostFails } from "../fault-sites.ts";
import {
  createRingMemory,
  entryGoesOn,
  entryLength,
  entryWords,
  openRingReader,
  openRingWriter,
  type RingReader,
  type RingWriter,
  ringHolds,
  ringPut,
  ringShow,
  ringTake,
} from "./shared-ring.ts";

/** Bytes of a ring: with the part that is the mail's set aside, 60 ms of 100 Mbit/s. */
const RING_BYTES = 1_048_576;

/** Bytes of a ring that packets leave to mail. */
const MAIL_BYTES = RING_BYTES / 4;

/** The longest entry of a ring. */
const PIECE_BYTES = 16_384;

/**
 * Bytes of mail that wait for room in one ring before the shard at its end is given up. One input can lead to 40 MiB at the
 * very most: a third shard, full of halves of the greatest rooms, is lost, and each member elsewhere hears of each.
 */
export const WAITING_BYTES_MAX = 64 * 1_048_576;

/** Bytes taken out of one ring at a time, before sockets and timers have their turn: a hundred packets or so. */
export const TAKE_BYTES = 131_072;

/** How to reach another shard. */
export interface RelayPeer {
  /** Its number. */
  readonly number: number;
  /** The ring to it, and the ring back. */
  readonly outgoing: SharedArrayBuffer;
  readonly incoming: SharedArrayBuffer;
  /** What wakes its thread; -1 where it is this thread too. */
  readonly wakeFd: number;
}

/** What has become of what a shard relays. */
export interface RelayCounters {
  /** Packets put into rings, and packets that found no room. */
  relayedPackets: number;
  relayDropped: number;
  relayedMail: number;
}

/** The way to another shard and back. */
export interface Way {
  readonly peer: RelayPeer;
  readonly outgoing: RingWriter;
  readonly incoming: RingReader;
  /** Mail that found no room, oldest first: its words, its bytes, and how many of them have been put in. */
  waiting: { words: Int32Array; length: number; put: number }[];
  waitingBytes: number;
  /** The shard there has been given up. */
  givenUp: boolean;
  /** The pieces of a record that goes on. */
  pieces: Uint8Array[];
}

/** All ways of a shard; make them with {@link createRelayWays}. */
export interface RelayWays {
  /** By the number of the shard at the other end. */
  readonly ways: Map<number, Way>;
  /** The same in a list: it is looked through each turn of a host, and a Map would make an iterator each time. */
  list: readonly Way[];
  readonly counters: RelayCounters;
  /** The send slots, where packets are put in from. */
  readonly slots: Int32Array;
  /** Where batches are taken to. */
  readonly batch: Int32Array;
  readonly input: RelayInput;
  /** Numbers of shards that were given up since somebody looked. */
  givenUp: number[];
  /** Something may have been put in and not shown, or waits. */
  unsettled: boolean;
  /** Failures to inject; nobody has any but tests. */
  readonly faults: Faults | undefined;
}

/** Memory for both directions between two shards. */
export function createWayMemory(): { readonly there: SharedArrayBuffer; readonly back: SharedArrayBuffer } {
  return { there: createRingMemory(RING_BYTES), back: createRingMemory(RING_BYTES) };
}

/** A shard without ways. It relays out of the slots in `sendBytes`, and gets its inputs in `batchBytes`. */
export function createRelayWays(sendBytes: Uint8Array, batchBytes: Uint8Array, faults?: Faults): RelayWays {
  return {
    ways: new Map(),
    list: [],
    counters: { relayedPackets: 0, relayDropped: 0, relayedMail: 0 },
    slots: wordsOf(sendBytes),
    batch: wordsOf(batchBytes),
    input: createRelayInput(batchBytes),
    givenUp: [],
    unsettled: false,
    faults,
  };
}

/** Opens the way to a shard, which is reached from now on. */
export function openWay(relays: RelayWays, peer: RelayPeer): void {
  relays.ways.set(peer.number, {
    peer,
    outgoing: openRingWriter(peer.outgoing),
    incoming: openRingReader(peer.incoming),
    waiting: [],
    waitingBytes: 0,
    givenUp: false,
    pieces: [],
  });
  relays.list = [...relays.ways.values()];
}

/** Closes the way to a shard that is gone, with all that is still on it. */
export function closeWay(relays: RelayWays, number: number): void {
  relays.ways.delete(number);
  relays.list = [...relays.ways.values()];
}

/** Takes the packet record in the send slot at `offset`. To a shard that is gone it is dropped like any other. */
export function relayPacket(relays: RelayWays, number: number, offset: number, length: number): void {
  const { ways, counters, slots, faults } = relays;
  const way = ways.get(number);
  if (way !== undefined && way.waiting.length > 0) putWaiting(way, faults);
  const isFull = hostFails(faults, "relay/ring-full");
  const isOpen = way !== undefined && way.waiting.length === 0 && !way.givenUp && !isFull;
  if (!isOpen || !ringPut(way.outgoing, slots, offset >>> 2, length, false, MAIL_BYTES)) {
    counters.relayDropped += 1;
    return;
  }
  counters.relayedPackets += 1;
  relays.unsettled = true;
}

/** Takes a mail record. What is said to a shard that is gone nobody hears. */
export function relayMail(relays: RelayWays, number: number, record: Uint8Array): void {
  const way = relays.ways.get(number);
  if (way === undefined || way.givenUp) return;
  relays.unsettled = true;
  relays.counters.relayedMail += 1;
  const words = new Int32Array((record.length + 3) >>> 2);
  new Uint8Array(words.buffer).set(record);
  way.waiting.push({ words, length: record.length, put: 0 });
  way.waitingBytes += record.length;
  putWaiting(way, relays.faults);
  if (way.waitingBytes <= WAITING_BYTES_MAX) return;
  way.givenUp = true;
  way.waiting = [];
  relays.givenUp.push(number);
}

/** Shows everything that was put in, and wakes whoever may not know of it. Answers whether mail still waits for room. */
export function settleWays(relays: RelayWays, wake: (peer: RelayPeer) => void): boolean {
  if (!relays.unsettled) return false;
  const { list, faults } = relays;
  let waits = false;
  for (let i = 0; i < list.length; i++) {
    const way = list[i]!;
    putWaiting(way, faults);
    if (way.waiting.length > 0) waits = true;
    if (ringShow(way.outgoing) && !hostFails(faults, "relay/wake-late")) wake(way.peer);
  }
  relays.unsettled = waits;
  return waits;
}

/** Whether another shard has shown something. */
export function waysHold({ list }: RelayWays): boolean {
  for (let i = 0; i < list.length; i++) if (ringHolds(list[i]!.incoming)) return true;
  return false;
}

/** Takes a batch from each of the others, and hands out what is in it record by record; `now` is the time of all of them. */
export function takeRelayed(relays: RelayWays, now: Micros, hand: (input: RelayInput) => void): void {
  const { batch, input } = relays;
  input.now = now;
  for (const way of relays.list) {
    if (hostFails(relays.faults, "relay/taken-late")) continue;
    const taken = ringTake(way.incoming, batch);
    input.shard = way.peer.number;
    for (let at = 0; at < taken; at += entryWords(batch, at)) takeEntry(relays, way, at, hand);
  }
}

function takeEntry({ batch, input }: RelayWays, way: Way, at: number, hand: (input: RelayInput) => void): void {
  const length = entryLength(batch, at);
  const offset = 4 * (at + 1);
  const goesOn = entryGoesOn(batch, at);
  if (!goesOn && way.pieces.length === 0) {
    input.offset = offset;
    input.length = length;
    hand(input);
    return;
  }
  way.pieces.push(input.bytes.slice(offset, offset + length));
  if (goesOn) return;
  const bytes = joined(way.pieces);
  way.pieces = [];
  hand({ ...input, bytes, offset: 0, length: bytes.length });
}

/** Puts in of the waiting mail what finds room. */
function putWaiting(way: Way, faults: Faults | undefined): void {
  for (let first = way.waiting[0]; first !== undefined; first = way.waiting[0]) {
    while (first.put < first.length) {
      const length = Math.min(first.length - first.put, PIECE_BYTES);
      const goesOn = first.put + length < first.length;
      if (hostFails(faults, "relay/ring-full")) return;
      if (!ringPut(way.outgoing, first.words, first.put >>> 2, length, goesOn, 0)) return;
      first.put += length;
      way.waitingBytes -= length;
    }
    way.waiting.shift();
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function wordsOf({ buffer, byteOffset, length }: Uint8Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length >>> 2);
}
