/**
 * The promises that every run is held to, by id, and the book in which a run keeps what it has judged.
 *
 * Safety is judged at every effect, liveness and resources at the end. A book counts each judgement, so that a promise that
 * was never really tested can be told from one that held.
 */

/** What each id promises, in one sentence. */
export const PROMISES = {
  S0: "Whatever arrives and whatever happens, the server does not throw.",
  S1: "Nothing crosses a room, nobody hears himself, and nothing is sent to or from somebody who has left.",
  S2: "One sequence number means one packet, and a gap going out has a gap coming in behind it.",
  S3: "Timestamps of a stream never go back.",
  S4: "A forwarded frame is whole, unchanged, and all that it refers to was forwarded.",
  S6: "Picture ids stay continuous, whatever is in the slot.",
  S7: "No packet index seals two different packets, and what is replayed is not forwarded again.",
  S12: "Unauthenticated bytes change nothing and are answered with at most three times their size.",
  S13: "No media is sent before the fingerprint is verified.",
  S16: "Every command gets exactly one reply, and everyone who joined leaves once.",
  S18: "Packets are conserved: what was offered was delivered, dropped for a reason, or is under way.",
  R1: "After everyone has left, nothing of them remains.",
  L1: "From the join to the first decodable picture passes no more time than the link explains.",
  L7: "After everyone has left, no timer is left.",
  STORY: "What the story promises.",
} as const;

/** The id of a promise. */
export type PromiseId = keyof typeof PROMISES;

/** The first promise that was broken. */
export interface BrokenPromise {
  readonly promise: PromiseId;
  /** What was seen, in one sentence. */
  readonly detail: string;
  /** Loop time, and how many events had run. */
  readonly time: number;
  readonly event: number;
}

/** What a run has judged. */
export interface PromiseBook {
  readonly judged: Map<PromiseId, number>;
  broken: BrokenPromise | undefined;
  /** Where the time comes from. */
  readonly clock: { readonly now: number; readonly ran: number };
}

/** An empty book. */
export function createPromiseBook(clock: PromiseBook["clock"]): PromiseBook {
  return { judged: new Map(), broken: undefined, clock };
}

/** Judges one case: `detail` is only asked for when the promise is broken, and only the first breach is kept. */
export function judge(book: PromiseBook, promise: PromiseId, holds: boolean, detail: () => string): void {
  book.judged.set(promise, (book.judged.get(promise) ?? 0) + 1);
  if (holds || book.broken !== undefined) return;
  book.broken = { promise, detail: detail(), time: book.clock.now, event: book.clock.ran };
}
