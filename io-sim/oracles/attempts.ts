/**
 * When the server can have tried to do what it did only later, or never.
 *
 * What was made to fail on its way out counts as sent for the server, and is seen when it is sent again. So a failure explains
 * what is seen now only if it happened since that packet can have been tried: since it came, or since what comes before it
 * was sent, or since the slot has shown what it shows. A turn that was made to be late is so by little, each time.
 */
import type { World } from "../world/world.ts";
import { failedInTime, failedToSend } from "./excuses.ts";
import { arrivedAt, type Ledger, type OutgoingStream, placeOf, SENT, wasSent } from "./ledger.ts";

/** How late anything may be that was made to be, and how late one failure makes it. */
const INJECTED_MICROS = 1_000_000;
const FAILURE_MICROS = 100_000;

/** Packets in a row that may have failed to go out before one that did. */
const FAILED_IN_A_ROW = 64;

/** Whether something has failed from when the slot was bound until its first packet went out. */
export function hasFailedAtFirst(world: World, out: OutgoingStream): boolean {
  return failedToSend(world, out.bound?.since ?? 0, out.sent[placeOf(out.first) + SENT.AT]) > 0;
}

/** From when on the server can have tried to send this packet: since it has come, if it is of the present piece. */
export function triedFrom(out: OutgoingStream, index: number): number {
  const { source } = out;
  const came = source === undefined ? -1 : arrivedAt(source, index - out.indexOffset);
  return came < 0 ? sentBefore(out, index) : came;
}

/**
 * When the first was sent of those that come right before this packet, of which one may have come late; since when the slot is
 * bound where there was none of late.
 */
export function sentBefore(out: OutgoingStream, index: number): number {
  let first = Number.POSITIVE_INFINITY;
  for (let before = index - 1; before >= index - FAILED_IN_A_ROW; before--) {
    if (wasSent(out, before)) first = Math.min(first, out.sent[placeOf(before) + SENT.AT]!);
  }
  return Number.isFinite(first) ? first : (out.bound?.since ?? 0);
}

/**
 * Whether the receiver has had no address since the newest packet was sent, or since the slot is bound where none was. The
 * server tries nothing then, but goes on in its numbers, and from one stream to another.
 */
export function hadNoWay({ tenants }: Ledger, out: OutgoingStream): boolean {
  const displacedAt = tenants.displacedAt(out.client);
  if (displacedAt === 0) return false;
  const sentAt = out.highest < 0 ? out.bound?.since : out.sent[placeOf(out.highest) + SENT.AT];
  return displacedAt >= (sentAt ?? 0);
}

/** Whether what is so late has been made to be, from when it was due. */
export function wasMadeLate(world: World, lateMicros: number): boolean {
  return lateMicros <= INJECTED_MICROS && failedInTime(world, world.loop.now - lateMicros - FAILURE_MICROS) > 0;
}
