/**
 * The send slots, and the datagrams on their way out.
 *
 * One arena of equal slots. The shard writes a datagram into a reserved slot, and the slot belongs to the socket from then
 * until the kernel has taken it: nothing is copied. A socket that can't take more (its kernel buffer is full) keeps its
 * slots busy; when one slot is left, what the shard transmits is dropped and counted, as a full network queue would drop
 * it. Errors of sending (a host that is unreachable, say) are counted and never thrown: to a protocol over UDP they are
 * losses.
 *
 * Measured for 1,200 bytes on loopback: 7.7 µs with a callback and no copy, 7.7 µs with a copy and no callback; so the
 * kind that notices errors and bounds what is under way costs nothing.
 */
import type { Socket } from "node:dgram";
import { LIMITS } from "../../core/index.ts";

/** Slots of the arena: 8 MiB. One turn of the loop may send this many datagrams. */
const SLOTS = 4_096;

/** What has happened to the datagrams sent. */
export interface SendCounters {
  sent: number;
  sentBytes: number;
  /** Dropped because every slot was under way. */
  dropped: number;
  /** Given to the system, which refused. */
  failed: number;
}

/** The arena; make one with {@link createSendArena}. */
export interface SendArena {
  readonly bytes: Uint8Array;
  readonly counters: SendCounters;
  /** Free slots, used from the end. The last of them is the reserved one. */
  readonly freeSlots: number[];
  /** One callback for each slot, made once. */
  readonly finished: ((error: Error | null) => void)[];
}

/** An arena with all slots free. */
export function createSendArena(slots: number = SLOTS): SendArena {
  const counters: SendCounters = { sent: 0, sentBytes: 0, dropped: 0, failed: 0 };
  const freeSlots = Array.from({ length: slots }, (_, index) => slots - 1 - index);
  const finished = Array.from({ length: slots }, (_, slot) => (error: Error | null) => {
    if (error !== null) counters.failed += 1;
    freeSlots.push(slot);
  });
  return { bytes: new Uint8Array(slots * LIMITS.datagramBytesMax), counters, freeSlots, finished };
}

/** The offset of the reserved slot: the same one until it is sent. */
export function reserveSlot(arena: SendArena): number {
  return arena.freeSlots[arena.freeSlots.length - 1]! * LIMITS.datagramBytesMax;
}

/** Sends the first `length` bytes of the reserved slot. */
export function sendSlot(arena: SendArena, socket: Socket, length: number, port: number, ip: string): void {
  const { freeSlots, counters } = arena;
  // The last free slot stays with the shard, so that reserving never fails.
  if (freeSlots.length < 2) {
    counters.dropped += 1;
    return;
  }
  const slot = freeSlots.pop()!;
  try {
    socket.send(arena.bytes, slot * LIMITS.datagramBytesMax, length, port, ip, arena.finished[slot]!);
    counters.sent += 1;
    counters.sentBytes += length;
  } catch {
    // A socket that is being closed throws; the datagram is lost like any other.
    counters.failed += 1;
    freeSlots.push(slot);
  }
}

/** How many datagrams the system has not taken yet. */
export function slotsUnderWay(arena: SendArena): number {
  return arena.finished.length - arena.freeSlots.length;
}
