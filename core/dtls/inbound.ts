/**
 * Putting the peer's handshake messages together, from fragments that come in any order, overlap, repeat, and are cut
 * differently each time (RFC 6347 §4.2.3).
 *
 * Until the keys prove otherwise, anybody may have sent a fragment, or the network may have damaged it. So a message stays
 * open to correction: the first whole copy is accepted; a later copy that differs takes its place when it has come twice
 * running, which is what a peer's retransmissions do and a lone forgery does not, or at once when the accepted one has
 * been found bad. A copy that is equal is a repeat: the peer has missed our answer. Fragments that contradict the copy in
 * the making begin it anew. Memory is bounded: a fixed number of messages, each of two copies of bounded length at most. So
 * is work: each copy that is accepted has an answer signed or a secret agreed upon anew, and after
 * `LIMITS.dtlsCorrectionsMax` of them a message stays as it is.
 *
 * One thing is left: a client that has its answer says hello no more. If all that a server ever saw of the hello was damaged
 * in a part that the client can't see in the answer, the handshake runs into its time limit, as it does everywhere in DTLS.
 */
import { copyBytes, equalBytes, sliceBytes } from "../base/bytes.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { LIMITS } from "../limits.ts";
import {
  fragmentLength,
  fragmentOffset,
  fragmentWriteHeader,
  HANDSHAKE_HEADER_BYTES,
  messageLength,
  messageSequence,
  messageType,
} from "../wire/dtls-handshake.ts";

/** One message that the peer is to send. */
export interface InboundMessage {
  /** The only HANDSHAKE_TYPE that this place in the handshake allows. */
  type: number;
  /** The copy that counts: a whole message with its header, or `null`. */
  accepted: Uint8Array | null;
  /** SHA-256 of the last whole copy, if that differed from the accepted one. */
  challenger: Uint8Array | null;
  /** The copy in the making. */
  partial: PartialMessage | null;
  /** How often another copy has taken the place of the accepted one. */
  corrections: number;
}

/** A message whose fragments have come in part. */
export interface PartialMessage {
  message: Uint8Array;
  /** One bit for each byte of the body, set when it has come. */
  arrived: Uint8Array;
  missingBytes: number;
}

/** What {@link inboundTake} answers. */
export const INBOUND = {
  /** Nothing to act upon yet. */
  WAITING: 0,
  /** Another whole copy of the accepted message. */
  REPEATED: 1,
  /** There is an accepted message that was not there before. */
  ACCEPTED: 2,
} as const;

/** Places for messages of these types, in this order. */
export function createInbound(types: readonly number[]): InboundMessage[] {
  return types.map((type) => ({ type, accepted: null, challenger: null, partial: null, corrections: 0 }));
}

/** Whether a fragment that `fragmentCheck` has passed may be of the message that has this place, and not too long a one. */
export function inboundWants(place: InboundMessage, bytes: Uint8Array, offset: number): boolean {
  return place.type === messageType(bytes, offset) && messageLength(bytes, offset) <= LIMITS.dtlsMessageBytesMax;
}

/**
 * Takes a fragment that {@link inboundWants} has passed. `distrusted` says that the accepted messages have been found bad,
 * so that any other copy is preferred. A code of {@link INBOUND}.
 */
export function inboundTake(
  place: InboundMessage,
  crypto: CryptoProvider,
  bytes: Uint8Array,
  offset: number,
  distrusted: boolean,
): number {
  const bodyLength = messageLength(bytes, offset);
  if (place.partial === null || place.partial.message.length !== HANDSHAKE_HEADER_BYTES + bodyLength) {
    place.partial = createPartial(place.type, messageSequence(bytes, offset), bodyLength);
  }
  fill(place.partial, bytes, offset);
  if (place.partial.missingBytes > 0) return INBOUND.WAITING;
  const copy = place.partial.message;
  place.partial = null;
  return judgeCopy(place, crypto, copy, distrusted);
}

function createPartial(type: number, sequence: number, bodyLength: number): PartialMessage {
  const message = new Uint8Array(HANDSHAKE_HEADER_BYTES + bodyLength);
  fragmentWriteHeader(message, 0, type, bodyLength, sequence, 0, bodyLength);
  return { message, arrived: new Uint8Array((bodyLength + 7) >> 3), missingBytes: bodyLength };
}

function fill(partial: PartialMessage, bytes: Uint8Array, offset: number): void {
  const start = fragmentOffset(bytes, offset);
  const length = fragmentLength(bytes, offset);
  copyBytes(bytes, offset + HANDSHAKE_HEADER_BYTES, partial.message, HANDSHAKE_HEADER_BYTES + start, length);
  for (let at = start; at < start + length; at++) {
    const bit = 1 << (at & 7);
    if ((partial.arrived[at >> 3]! & bit) !== 0) continue;
    partial.arrived[at >> 3]! |= bit;
    partial.missingBytes -= 1;
  }
}

function judgeCopy(place: InboundMessage, crypto: CryptoProvider, copy: Uint8Array, distrusted: boolean): number {
  if (place.accepted !== null && equalBytes(place.accepted, copy)) {
    place.challenger = null;
    return INBOUND.REPEATED;
  }
  if (place.corrections === LIMITS.dtlsCorrectionsMax) return INBOUND.WAITING;
  const hash = crypto.sha256(copy);
  const preferred = place.accepted === null || distrusted;
  if (!preferred && (place.challenger === null || !equalBytes(place.challenger, hash))) {
    place.challenger = hash;
    return INBOUND.WAITING;
  }
  if (place.accepted !== null) place.corrections += 1;
  place.accepted = copy;
  place.challenger = null;
  return INBOUND.ACCEPTED;
}

/** The accepted messages at the places `first` to `last`, or `undefined` while one of them is missing. */
export function inboundMessages(
  inbound: readonly InboundMessage[],
  first: number,
  last: number,
): Uint8Array[] | undefined {
  const messages: Uint8Array[] = [];
  for (let place = first; place <= last; place++) {
    const accepted = inbound[place]?.accepted;
    if (!accepted) return undefined;
    messages.push(accepted);
  }
  return messages;
}

/** The body of an accepted message, or `undefined` while it is missing. */
export function inboundBody(inbound: readonly InboundMessage[], place: number): Uint8Array | undefined {
  const accepted = inbound[place]?.accepted;
  if (!accepted) return undefined;
  return sliceBytes(accepted, HANDSHAKE_HEADER_BYTES, accepted.length - HANDSHAKE_HEADER_BYTES);
}
