/**
 * What one slot of a subscriber receives: how many packets, how many are missing between them, and, of a sample, whether
 * they are what the publisher sent.
 *
 * Every packet is counted by its header, which is readable without keys. One in a sample is opened: its stamp must name one
 * publisher as long as nobody changes, must say what the sequence numbers say about how far the film has gone on, and
 * tells when it was sent.
 */
import { rtpHeaderLength, rtpSequence } from "../../core/wire/rtp.ts";
import { readStamp, type Stamp } from "./film.ts";

/** A slot's account; make one with {@link createLedger}. */
export interface Ledger {
  readonly kind: "audio" | "video";
  /** As a signed integer, like what the packets say. */
  ssrc: number;
  received: number;
  /** When the very first packet came, by the generator's clock; -1 before it. */
  firstAt: number;
  /** Unwrapped; -1 before the first packet. */
  firstSequence: number;
  lastSequence: number;
  /** Of the last packet that was opened. */
  publisher: number;
  /** Its ordinal in the film minus its sequence number here: stays as it is while nothing is lost on the way in. */
  shift: number;
}

/** An account with nothing in it. */
export function createLedger(kind: "audio" | "video", ssrc: number): Ledger {
  return {
    kind,
    ssrc: ssrc | 0,
    received: 0,
    firstAt: -1,
    firstSequence: -1,
    lastSequence: -1,
    publisher: -1,
    shift: 0,
  };
}

/** Begins to count anew. */
export function ledgerBegin(ledger: Ledger): void {
  ledger.received = 0;
  ledger.firstSequence = -1;
}

/** Counts a packet; answers its unwrapped sequence number. */
export function ledgerCount(ledger: Ledger, bytes: Uint8Array, offset: number): number {
  const sequence = rtpSequence(bytes, offset);
  const { lastSequence } = ledger;
  const ahead = lastSequence < 0 ? 0 : ((sequence - lastSequence) << 16) >> 16;
  const unwrapped = lastSequence < 0 ? sequence : lastSequence + ahead;
  if (ahead >= 0) ledger.lastSequence = unwrapped;
  if (ledger.firstSequence < 0) ledger.firstSequence = unwrapped;
  ledger.received++;
  return unwrapped;
}

/** Packets that are missing in what was counted. */
export function ledgerLost({ received, firstSequence, lastSequence }: Ledger): number {
  return received === 0 ? 0 : Math.max(0, lastSequence - firstSequence + 1 - received);
}

/**
 * Judges an open packet of `length` bytes with the unwrapped number `sequence`; its stamp is read into `stamp`. A film that
 * jumps by what was lost before the server is not the server's fault, so a shift may grow, and never shrinks.
 */
export function ledgerJudge(
  ledger: Ledger,
  bytes: Uint8Array,
  offset: number,
  length: number,
  sequence: number,
  stamp: Stamp,
): boolean {
  const header = rtpHeaderLength(bytes, offset);
  if (!readStamp(bytes, offset + header, length - header, ledger.kind, stamp)) return false;
  const shift = stamp.ordinal - sequence;
  const isFirst = ledger.publisher < 0;
  const fits = isFirst || (stamp.publisher === ledger.publisher && shift >= ledger.shift);
  ledger.publisher = stamp.publisher;
  ledger.shift = shift;
  return fits;
}
