/**
 * The send slots of the fast host, and one queue a socket of what waits for the kernel.
 *
 *     queue     first ─> slot ─> slot ─> slot     (a train)     first ─> slot      (a datagram)
 *     sendmmsg  mmsghdr with three iovecs and their length      mmsghdr with one iovec
 *
 * The shard seals a datagram into the reserved slot, and the slot waits until the kernel has taken it: nothing is copied. A
 * message is one datagram, or a *train*: several for one flow, equally long but for a shorter last one, which the kernel
 * cuts up at the end of its way (`UDP_SEGMENT`); 40 on loopback cost 0.46 µs each, and 2.8 one by one. Trains form where a
 * host has read several packets at once. A flow's newest message takes what fits behind it, so that each flow keeps its order.
 *
 * What the kernel does not take, or is too full for (EAGAIN), stays in front and waits for `poll`. A train that it refuses
 * goes again datagram by datagram. Other errors cost the first message alone: dropped and counted, as a network would.
 */
import { LIMITS } from "../../core/index.ts";
import { CONTROL_BYTES, ERRNO, LINUX, type Libc, WORDS, writePointer } from "./libc.ts";
import { type Block, type Piece, pieceBytes, takePiece } from "./memory.ts";

/** Slots of the arena: 8 MiB. A power of two. */
const SLOTS = 4_096;

/** Messages handed over by one call: what Linux takes at most (UIO_MAXIOV). */
const CALL_MESSAGES_MAX = 1_024;

/** A queue that is this long is sent before the shard is done: what was just sealed still lies in the cache. */
const RUN = 64;
/** The same while trains may form. A longer one would keep those at its beginning waiting for too long. */
const RUN_OF_TRAINS = 512;

/** Datagrams of a train (UDP_MAX_SEGMENTS of every Linux that has trains), and their bytes: those of one IP packet. */
const TRAIN_MAX = 64;
const TRAIN_BYTES_MAX = 65_000;

/**
 * So many trains refused in a row, and no more are formed for the socket. One may be refused for its own way alone (too narrow
 * for its datagrams), and old kernels say that as they say everything: EINVAL.
 */
const REFUSALS_MAX = 16;

/** What has happened to the datagrams sent. ENOBUFS has a counter of its own: it says that this machine is too slow. */
export interface FastSendCounters {
  sent: number;
  sentBytes: number;
  /** Dropped because every slot was waiting, or there was no such flow. */
  dropped: number;
  /** Given to the system, which refused. */
  failed: number;
  /** Of those, how many because it had no memory for them (ENOBUFS). */
  noBuffers: number;
}

/** What waits for one socket. Positions count up from 0 until the queue is empty; `position & (SLOTS - 1)` is the entry. */
export interface SendQueue {
  readonly fd: number;
  /** Of each message: its flow, its first and last slot, how many there are, and their bytes. */
  readonly flows: Int32Array;
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly count: Int32Array;
  readonly bytes: Int32Array;
  /** Of each message: the length of its first datagram, or 0 for one that takes no more. */
  readonly segment: Int32Array;
  head: number;
  tail: number;
  /** Datagrams in all messages. */
  waiting: number;
  /** The kernel has said that it is full. */
  blocked: boolean;
  /** Whether the kernel takes trains on this socket, and how many it has refused since it took one. */
  trains: boolean;
  refusals: number;
  /** The message in front is a train that was refused: its datagrams go one by one. */
  apart: boolean;
}

/** Slots and queues; make them with {@link createSendQueues}. */
export interface SendQueues {
  readonly libc: Libc;
  readonly arena: Piece;
  readonly queues: readonly SendQueue[];
  readonly counters: FastSendCounters;
  /** Where the flows' `sockaddr`s lie, one each `WORDS.SOCKADDR` words. */
  readonly names: Piece;
  /** What one call hands over: made up for each. */
  readonly messages: Piece;
  readonly vectors: Piece;
  readonly controls: Piece;
  /** Of each slot that waits: the length of its datagram, and the slot behind it in its message, or -1. */
  readonly lengths: Int32Array;
  readonly next: Int32Array;
  /** The position of each flow's newest message, if it still waits. */
  readonly newest: Int32Array;
  readonly nameLengths: Uint8Array;
  readonly freeSlots: Int32Array;
  freeCount: number;
  /** The slot that the shard may write into. */
  reserved: number;
  /** How long a queue may become before it is sent. */
  run: number;
}

/** Where the flows' addresses lie, and how long each is. */
export interface FlowNames {
  readonly names: Piece;
  readonly nameLengths: Uint8Array;
}

/** Native memory that slots and queues need. */
export function sendQueuesBytes(): number {
  const small = [WORDS.MESSAGE * 4, CONTROL_BYTES].map((bytes) => pieceBytes(CALL_MESSAGES_MAX * bytes));
  const vectors = pieceBytes(SLOTS * WORDS.VECTOR * 4);
  return small.reduce((sum, bytes) => sum + bytes, pieceBytes(SLOTS * LIMITS.datagramBytesMax) + vectors);
}

/** All slots free, all queues empty. */
export function createSendQueues(
  libc: Libc,
  block: Block,
  fds: readonly number[],
  { names, nameLengths }: FlowNames,
): SendQueues {
  const messages = takePiece(block, CALL_MESSAGES_MAX * WORDS.MESSAGE * 4);
  const controls = takePiece(block, CALL_MESSAGES_MAX * CONTROL_BYTES);
  for (let i = 0; i < CALL_MESSAGES_MAX; i++) {
    const control = (i * CONTROL_BYTES) / 4;
    writePointer(messages.words, i * WORDS.MESSAGE + WORDS.MESSAGE_CONTROL, controls.address + i * CONTROL_BYTES);
    controls.words[control] = WORDS.CONTROL_DATA * 4 + 2;
    controls.words[control + WORDS.CONTROL_LEVEL] = LINUX.SOL_UDP;
    controls.words[control + WORDS.CONTROL_TYPE] = LINUX.UDP_SEGMENT;
  }
  return {
    libc,
    arena: takePiece(block, SLOTS * LIMITS.datagramBytesMax),
    queues: fds.map((fd) => createQueue(fd, takesTrains(libc, fd, controls))),
    counters: { sent: 0, sentBytes: 0, dropped: 0, failed: 0, noBuffers: 0 },
    names,
    messages,
    vectors: takePiece(block, SLOTS * WORDS.VECTOR * 4),
    controls,
    lengths: new Int32Array(SLOTS),
    next: new Int32Array(SLOTS),
    newest: new Int32Array(nameLengths.length),
    nameLengths,
    freeSlots: Int32Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index),
    freeCount: SLOTS - 1,
    reserved: 0,
    run: RUN,
  };
}

/** The offset of the reserved slot: the same one until it is queued. */
export function reservedOffset(queues: SendQueues): number {
  return queues.reserved * LIMITS.datagramBytesMax;
}

/** Says how many datagrams the shard is about to get at once: from one alone no trains form, and nothing has to wait. */
export function expectDatagrams(queues: SendQueues, count: number): void {
  queues.run = count > 1 ? RUN_OF_TRAINS : RUN;
}

/** Queues the first `length` bytes of the reserved slot for a flow. */
export function queueSlot(queues: SendQueues, socket: number, flow: number, length: number): void {
  const queue = queues.queues[socket]!;
  // One free slot stays, so that reserving never fails.
  if (queues.freeCount === 0) flushAll(queues);
  if (queues.freeCount === 0) {
    queues.counters.dropped += 1;
    return;
  }
  const slot = queues.reserved;
  queues.reserved = queues.freeSlots[--queues.freeCount]!;
  queues.lengths[slot] = length;
  queues.next[slot] = -1;
  if (!joinTrain(queues, queue, flow, slot, length)) beginMessage(queues, queue, flow, slot, length);
  queue.waiting += 1;
  if (!queue.blocked && queue.waiting >= queues.run) flushQueue(queues, queue);
}

/** Hands what waits to the kernel; a socket that is full keeps the rest. Answers whether nothing waits any more. */
export function flushAll(queues: SendQueues): boolean {
  let empty = true;
  for (let i = 0; i < queues.queues.length; i++) {
    const queue = queues.queues[i]!;
    if (queue.head !== queue.tail && !queue.blocked) flushQueue(queues, queue);
    if (queue.head !== queue.tail) empty = false;
  }
  return empty;
}

function createQueue(fd: number, trains: boolean): SendQueue {
  const numbers = () => new Int32Array(SLOTS);
  return {
    fd,
    flows: numbers(),
    first: numbers(),
    last: numbers(),
    count: numbers(),
    bytes: numbers(),
    segment: numbers(),
    head: 0,
    tail: 0,
    waiting: 0,
    blocked: false,
    trains,
    refusals: 0,
    apart: false,
  };
}

/** Whether the kernel knows trains: one before Linux 4.18 would take the whole train for one datagram. */
function takesTrains(libc: Libc, fd: number, memory: Piece): boolean {
  // Any zeros in memory do: the second half of the first length.
  return libc.setsockopt(fd, LINUX.SOL_UDP, LINUX.UDP_SEGMENT, memory.address + 4, 4) === 0;
}

/** Puts a datagram behind what waits for its flow already, if it fits there. */
function joinTrain(queues: SendQueues, queue: SendQueue, flow: number, slot: number, length: number): boolean {
  const position = queues.newest[flow]!;
  if (!queue.trains || position < queue.head || position >= queue.tail) return false;
  const entry = position & (SLOTS - 1);
  // What stands there now may be another flow's, on whose socket the positions are others.
  if (queue.flows[entry] !== flow || length > queue.segment[entry]!) return false;
  if (queue.count[entry] === TRAIN_MAX || queue.bytes[entry]! + length > TRAIN_BYTES_MAX) return false;
  queues.next[queue.last[entry]!] = slot;
  queue.last[entry] = slot;
  queue.count[entry]! += 1;
  queue.bytes[entry]! += length;
  if (length < queue.segment[entry]!) queue.segment[entry] = 0;
  return true;
}

function beginMessage(queues: SendQueues, queue: SendQueue, flow: number, slot: number, length: number): void {
  const entry = queue.tail & (SLOTS - 1);
  queue.flows[entry] = flow;
  queue.first[entry] = slot;
  queue.last[entry] = slot;
  queue.count[entry] = 1;
  queue.bytes[entry] = length;
  queue.segment[entry] = length;
  queues.newest[flow] = queue.tail;
  queue.tail += 1;
}

function flushQueue(queues: SendQueues, queue: SendQueue): void {
  const { libc, counters, messages } = queues;
  while (queue.head !== queue.tail) {
    const taken = libc.sendmmsg(queue.fd, messages.address, makeUp(queues, queue), LINUX.MSG_DONTWAIT);
    if (taken > 0) {
      for (let i = 0; i < taken; i++) {
        if (isTrain(queue)) queue.refusals = 0;
        takeHead(queues, queue, true);
      }
      continue;
    }
    const errno = libc.native.errno();
    if (errno === ERRNO.EINTR) continue;
    if (errno === ERRNO.EAGAIN) {
      queue.blocked = true;
      return;
    }
    if (isTrain(queue) && refusesTrains(errno)) {
      queue.apart = true;
      queue.refusals += 1;
      if (queue.refusals === REFUSALS_MAX) queue.trains = false;
      continue;
    }
    const failed = takeHead(queues, queue, false);
    counters.failed += failed;
    if (errno === ERRNO.ENOBUFS) counters.noBuffers += failed;
  }
  // Entries that are used over and over stay in the cache.
  queue.head = 0;
  queue.tail = 0;
}

/** Whether the message in front goes as a train. */
function isTrain(queue: SendQueue): boolean {
  return !queue.apart && queue.count[queue.head & (SLOTS - 1)]! > 1;
}

/** Whether an error may be about trains as such: about their length, a device, a kernel. */
function refusesTrains(errno: number): boolean {
  return errno === ERRNO.EINVAL || errno === ERRNO.EIO || errno === ERRNO.EMSGSIZE || errno === ERRNO.EOPNOTSUPP;
}

/** Makes up the messages of one call; answers how many. */
function makeUp(queues: SendQueues, queue: SendQueue): number {
  const { names, nameLengths, messages, vectors, controls } = queues;
  if (queue.apart) return makeUpApart(queues, queue);
  const count = Math.min(queue.tail - queue.head, CALL_MESSAGES_MAX);
  let vector = 0;
  for (let i = 0; i < count; i++) {
    const entry = (queue.head + i) & (SLOTS - 1);
    const message = i * WORDS.MESSAGE;
    const flow = queue.flows[entry]!;
    const datagrams = queue.count[entry]!;
    const slot = queue.first[entry]!;
    writePointer(messages.words, message, names.address + flow * WORDS.SOCKADDR * 4);
    messages.words[message + WORDS.MESSAGE_NAME_LENGTH] = nameLengths[flow]!;
    writePointer(messages.words, message + WORDS.MESSAGE_VECTOR, vectors.address + vector * WORDS.VECTOR * 4);
    messages.words[message + WORDS.MESSAGE_VECTORS] = datagrams;
    messages.words[message + WORDS.MESSAGE_CONTROL_LENGTH] = datagrams === 1 ? 0 : CONTROL_BYTES;
    if (datagrams > 1) controls.words[(i * CONTROL_BYTES) / 4 + WORDS.CONTROL_DATA] = queues.lengths[slot]!;
    for (let at = slot; at >= 0; at = queues.next[at]!) writeVector(queues, vector++, at);
  }
  return count;
}

/** Makes up a call that sends the datagrams of the message in front one by one. */
function makeUpApart(queues: SendQueues, queue: SendQueue): number {
  const { names, nameLengths, messages, vectors } = queues;
  const entry = queue.head & (SLOTS - 1);
  const flow = queue.flows[entry]!;
  let count = 0;
  for (let at = queue.first[entry]!; at >= 0; at = queues.next[at]!) {
    const message = count * WORDS.MESSAGE;
    writePointer(messages.words, message, names.address + flow * WORDS.SOCKADDR * 4);
    messages.words[message + WORDS.MESSAGE_NAME_LENGTH] = nameLengths[flow]!;
    writePointer(messages.words, message + WORDS.MESSAGE_VECTOR, vectors.address + count * WORDS.VECTOR * 4);
    messages.words[message + WORDS.MESSAGE_VECTORS] = 1;
    messages.words[message + WORDS.MESSAGE_CONTROL_LENGTH] = 0;
    writeVector(queues, count++, at);
  }
  return count;
}

function writeVector({ arena, vectors, lengths }: SendQueues, vector: number, slot: number): void {
  const at = vector * WORDS.VECTOR;
  writePointer(vectors.words, at, arena.address + slot * LIMITS.datagramBytesMax);
  vectors.words[at + WORDS.VECTOR_LENGTH] = lengths[slot]!;
}

/** Frees the slots of the message in front, or the first of them when they go one by one; answers how many those were. */
function takeHead(queues: SendQueues, queue: SendQueue, sent: boolean): number {
  const { counters, freeSlots, lengths, next } = queues;
  const entry = queue.head & (SLOTS - 1);
  let freed = 0;
  let slot = queue.first[entry]!;
  do {
    freeSlots[queues.freeCount++] = slot;
    freed += 1;
    if (sent) counters.sentBytes += lengths[slot]!;
    slot = next[slot]!;
  } while (slot >= 0 && !queue.apart);
  if (sent) counters.sent += freed;
  queue.waiting -= freed;
  queue.first[entry] = slot;
  queue.count[entry]! -= freed;
  if (slot < 0) {
    queue.head += 1;
    queue.apart = false;
  }
  return freed;
}
