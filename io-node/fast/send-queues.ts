/**
 * The send slots of the fast host, and one queue a socket of what waits for the kernel.
 *
 * The shard seals a datagram into the reserved slot; queueing it writes a length and two pointers into the next `mmsghdr`
 * of its socket's ring, and `sendmmsg` takes the whole run at once. Nothing is copied, and the order of a queue is the
 * order on the wire: when the kernel takes a part of a run, or says that it is full (EAGAIN), the rest stays in front and
 * waits for `poll`. Other errors concern the first datagram of a run alone. It is dropped and counted, as a network would
 * drop it, and the others go on; ENOBUFS has a counter of its own, since it says that this machine is too slow.
 */
import { LIMITS } from "../../core/index.ts";
import { ERRNO, LINUX, type Libc, WORDS, writePointer } from "./libc.ts";
import { type Block, type Piece, pieceBytes, takePiece } from "./memory.ts";

/** Slots of the arena: 8 MiB. A power of two. */
const SLOTS = 4_096;

/** A queue that is this long is sent before the shard is done: what was just sealed still lies in the cache. */
const RUN = 64;

/** What has happened to the datagrams sent. */
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

/** What waits for one socket. Positions count up for ever; entry `position & (SLOTS - 1)` is where it stands. */
export interface SendQueue {
  readonly fd: number;
  readonly messages: Piece;
  readonly vectors: Piece;
  /** The slot of each entry. */
  readonly slots: Int32Array;
  head: number;
  tail: number;
  /** The kernel has said that it is full. */
  blocked: boolean;
}

/** Slots and queues; make them with {@link createSendQueues}. */
export interface SendQueues {
  readonly libc: Libc;
  readonly arena: Piece;
  readonly queues: readonly SendQueue[];
  readonly counters: FastSendCounters;
  readonly freeSlots: Int32Array;
  freeCount: number;
  /** The slot that the shard may write into. */
  reserved: number;
}

/** Native memory that the slots and the queues of `sockets` sockets need. */
export function sendQueuesBytes(sockets: number): number {
  const perSocket = pieceBytes(SLOTS * WORDS.MESSAGE * 4) + pieceBytes(SLOTS * WORDS.VECTOR * 4);
  return pieceBytes(SLOTS * LIMITS.datagramBytesMax) + sockets * perSocket;
}

/** All slots free, all queues empty. */
export function createSendQueues(libc: Libc, block: Block, fds: readonly number[]): SendQueues {
  return {
    libc,
    arena: takePiece(block, SLOTS * LIMITS.datagramBytesMax),
    queues: fds.map((fd) => createQueue(block, fd)),
    counters: { sent: 0, sentBytes: 0, dropped: 0, failed: 0, noBuffers: 0 },
    freeSlots: Int32Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index),
    freeCount: SLOTS - 1,
    reserved: 0,
  };
}

/** The offset of the reserved slot: the same one until it is queued. */
export function reservedOffset(queues: SendQueues): number {
  return queues.reserved * LIMITS.datagramBytesMax;
}

/** Queues the first `length` bytes of the reserved slot for the `sockaddr` at `name`. */
export function queueSlot(queues: SendQueues, socket: number, length: number, name: number, nameLength: number): void {
  const queue = queues.queues[socket]!;
  // One free slot stays, so that reserving never fails.
  if (queues.freeCount === 0) flushAll(queues);
  if (queues.freeCount === 0) {
    queues.counters.dropped += 1;
    return;
  }
  const entry = queue.tail & (SLOTS - 1);
  const message = entry * WORDS.MESSAGE;
  writePointer(queue.messages.words, message, name);
  queue.messages.words[message + WORDS.MESSAGE_NAME_LENGTH] = nameLength;
  const vector = entry * WORDS.VECTOR;
  writePointer(queue.vectors.words, vector, queues.arena.address + reservedOffset(queues));
  queue.vectors.words[vector + WORDS.VECTOR_LENGTH] = length;
  queue.slots[entry] = queues.reserved;
  queue.tail += 1;
  queues.reserved = queues.freeSlots[--queues.freeCount]!;
  if (!queue.blocked && queue.tail - queue.head >= RUN) flushQueue(queues, queue);
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

function createQueue(block: Block, fd: number): SendQueue {
  const messages = takePiece(block, SLOTS * WORDS.MESSAGE * 4);
  const vectors = takePiece(block, SLOTS * WORDS.VECTOR * 4);
  for (let entry = 0; entry < SLOTS; entry++) {
    const message = entry * WORDS.MESSAGE;
    writePointer(messages.words, message + WORDS.MESSAGE_VECTOR, vectors.address + entry * WORDS.VECTOR * 4);
    messages.words[message + WORDS.MESSAGE_VECTORS] = 1;
  }
  return { fd, messages, vectors, slots: new Int32Array(SLOTS), head: 0, tail: 0, blocked: false };
}

function flushQueue(queues: SendQueues, queue: SendQueue): void {
  const { libc, counters } = queues;
  while (queue.head !== queue.tail) {
    const entry = queue.head & (SLOTS - 1);
    const run = Math.min(queue.tail - queue.head, SLOTS - entry, 1_024);
    const messages = queue.messages.address + entry * WORDS.MESSAGE * 4;
    const taken = libc.sendmmsg(queue.fd, messages, run, LINUX.MSG_DONTWAIT);
    if (taken > 0) {
      for (let i = 0; i < taken; i++) counters.sentBytes += freeHead(queues, queue);
      counters.sent += taken;
      continue;
    }
    const errno = libc.native.errno();
    if (errno === ERRNO.EINTR) continue;
    if (errno === ERRNO.EAGAIN) {
      queue.blocked = true;
      return;
    }
    if (errno === ERRNO.ENOBUFS) counters.noBuffers += 1;
    counters.failed += 1;
    freeHead(queues, queue);
  }
}

/** Frees the slot of the first entry; answers the length of its datagram. */
function freeHead(queues: SendQueues, queue: SendQueue): number {
  const entry = queue.head & (SLOTS - 1);
  queues.freeSlots[queues.freeCount++] = queue.slots[entry]!;
  queue.head += 1;
  return queue.vectors.words[entry * WORDS.VECTOR + WORDS.VECTOR_LENGTH]!;
}
