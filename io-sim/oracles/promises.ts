/**
 * The promises that every run is held to, by id, and the book in which a run keeps what it has judged.
 *
 * Safety (S) is judged at every effect, liveness (L) and resources (R) at the end, quality (Q) in the steady time of a plan
 * that has one. A book counts each judgement, so that a promise that was never really tested can be told from one that held.
 */
import type { Excuse } from "./excuses.ts";

/** What each id promises, in one sentence. */
export const PROMISES = {
  S0: "Whatever arrives and whatever happens, the server does not throw.",
  S1: "A slot gets what was announced for it and nothing else: nothing crosses a room, nobody hears himself.",
  S2: "One sequence number means one packet, and a gap going out has a gap coming in behind it.",
  S3: "Timestamps of a stream never go back, and go on with the time that passes.",
  S4: "A forwarded frame is whole, unchanged, and all that it refers to was forwarded.",
  S5: "A slot goes over to another stream where one of its keyframes begins.",
  S6: "Picture ids stay continuous, whatever is in the slot.",
  S7: "No packet index seals two different packets, and what is replayed is not forwarded again.",
  S8: "What is sent again was sent before.",
  S9: "Reports are true: sender reports map time right within 1 ms, and what was asked or told is told once.",
  S10: "Keyframe requests are thinned and never lost for good.",
  S11: "No media is sent without a check of late, or to an address that has become somebody else's.",
  S12: "Unauthenticated bytes change nothing and are answered with at most three times their size.",
  S13: "No media is sent before the fingerprint is verified.",
  S15: "All tables of the server agree, and nothing points at what is gone.",
  S16: "Every command gets one reply, everyone leaves once, and what is announced is so and is news.",
  S17: "What is estimated is finite and possible.",
  S18: "Packets are conserved: what was offered was delivered, dropped for a reason, or is under way.",
  S19: "Time moves on: a server that was woken does not want to be woken at once.",
  R1: "After everyone has left, nothing of them remains.",
  S20: "A stream that has stopped is said to be paused within a second.",
  R2: "Every cache is within its cap.",
  R3: "One input leads to no more work than those who are there explain.",
  L1: "From the join to the first decodable picture passes no more time than the link explains.",
  L2: "After a link has healed, media comes again within five seconds.",
  L3: "Every wish is met: no slot stays empty while somebody waits for it, and what is in a slot plays.",
  L4: "What was paused plays again when it goes on.",
  L5: "Nobody is asked for keyframes again and again without end.",
  L6: "A drain ends.",
  L7: "After everyone has left, no timer is left.",
  Q1: "The first picture comes as soon as a keyframe can be asked for and sent.",
  Q2: "No picture stands still for longer than the repetition of a lost packet takes.",
  Q3: "Hardly a picture has to be left out.",
  Q4: "No voice is silent for longer than concealment can hide.",
  Q5: "Lips and voice belong together.",
  Q6: "Layers seldom change.",
  Q7: "No queue stands.",
  Q8: "Where there is room, the best layer that comes is shown.",
  Q9: "Who watches the same camera is shown as much of it as anybody else.",
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

/** How often a promise was judged, and whether it holds under any fault whatever. */
interface Tally {
  times: number;
  readonly isSafety: boolean;
}

/** What a run has judged. */
export interface PromiseBook {
  /** Of each promise: who judges where packets pass names one here, as to look for it would cost more than to judge. */
  readonly tallies: Readonly<Record<PromiseId, Tally>>;
  /** How often each excuse was used (./excuses.ts). */
  readonly excuses: Map<Excuse, number>;
  broken: BrokenPromise | undefined;
  /** Whether nothing else is judged than what holds under any fault. */
  readonly safetyAlone: boolean;
  /** Where the time comes from. */
  readonly clock: { readonly now: number; readonly ran: number };
}

/** An empty book. */
export function createPromiseBook(clock: PromiseBook["clock"], safetyAlone = false): PromiseBook {
  return { tallies: createTallies(), excuses: new Map(), broken: undefined, safetyAlone, clock };
}

function createTallies(): Record<PromiseId, Tally> {
  // Safety and resources; the others need a world in which not everything goes wrong.
  const ids = Object.keys(PROMISES) as PromiseId[];
  const tallies = ids.map((id): [PromiseId, Tally] => [id, { times: 0, isSafety: /^[SR]\d/.test(id) }]);
  return Object.fromEntries(tallies) as Record<PromiseId, Tally>;
}

/** How often each promise was judged, of those that were. */
export function judgements({ tallies }: PromiseBook): Map<PromiseId, number> {
  const all = Object.entries(tallies) as [PromiseId, Tally][];
  return new Map(all.filter(([, { times }]) => times > 0).map(([promise, { times }]) => [promise, times]));
}

/** Judges one case: `detail` is only asked for when the promise is broken, and only the first breach is kept. */
export function judge(book: PromiseBook, promise: PromiseId, holds: boolean, detail: () => string): void {
  if (!upheld(book, book.tallies[promise], holds)) breach(book, promise, detail());
}

/**
 * Judges one case where packets pass, of the promise whose tally this is, and answers whether there is nothing to say; else the
 * breach has to be told to {@link breach}. A function that could tell it would be made anew for each packet, with all that it
 * speaks of.
 */
export function upheld(book: PromiseBook, tally: Tally, holds: boolean): boolean {
  if (book.safetyAlone && !tally.isSafety) return true;
  tally.times++;
  return holds || book.broken !== undefined;
}

/** Notes the breach that {@link upheld} has found. */
export function breach(book: PromiseBook, promise: PromiseId, detail: string): void {
  book.broken = { promise, detail, time: book.clock.now, event: book.clock.ran };
}
