/**
 * Who said what to whom: the rows of a sequence diagram.
 *
 * Nobody can read a diagram with a row per packet. Messages of the same kind between the same two that follow each other
 * become one row with a count and a span: consent checks, a stream of media, a flight that is sent again. What decides a
 * call (joins, handshakes, requests for keyframes) stays a row of its own.
 */
import { createKept, type Kept, keep } from "./kept.ts";

/** Rows that a trace keeps. */
const MESSAGES_MAX = 4_000;

/** What a row speaks of. */
export type MessageKind = "signalling" | "ice" | "dtls" | "keyframe" | "nack" | "media" | "reports" | "relay" | "drop";

/** Who says or hears something: a peer by its name, or a shard of the server by its place. */
export type MessageEnd = string | number;

/** Rows of a kind are one while no more than this passes between them; 0 means that each is its own. */
const JOIN_MICROS: Readonly<Record<MessageKind, number>> = {
  signalling: 0,
  ice: 3_000_000,
  dtls: 0,
  keyframe: 300_000,
  nack: 1_000_000,
  media: 1_000_000,
  reports: 3_000_000,
  relay: 1_000_000,
  drop: 1_000_000,
};

/** A row of the diagram. */
export interface TracedMessage {
  readonly from: MessageEnd;
  readonly to: MessageEnd;
  readonly kind: MessageKind;
  readonly text: string;
  readonly at: number;
  readonly event: number;
  until: number;
  count: number;
}

/** The rows, and those to which more may be added. */
export interface MessageBook {
  readonly rows: Kept<TracedMessage>;
  readonly open: Map<string, TracedMessage>;
}

/** A book without rows. */
export function createMessageBook(): MessageBook {
  return { rows: createKept(MESSAGES_MAX), open: new Map() };
}

/** Notes a message, or `count` of them. */
export function noteMessage(
  book: MessageBook,
  message: Omit<TracedMessage, "until" | "count">,
  count: number = 1,
): void {
  const { from, to, kind, text, at } = message;
  const key = JSON.stringify([from, to, kind, text]);
  const open = book.open.get(key);
  if (open !== undefined && at - open.until < JOIN_MICROS[kind]) {
    open.until = at;
    open.count += count;
    return;
  }
  const row = { ...message, until: at, count };
  keep(book.rows, row);
  book.open.set(key, row);
}
