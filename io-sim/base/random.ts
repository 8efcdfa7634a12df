/**
 * The simulator's only source of chance.
 *
 * Nothing shares a generator. A stream belongs to one (seed, site, entity): `site` names the place in the code that asks,
 * `entity` who it asks for, and the n-th draw of a stream is its ordinal n. So a new draw in one place moves no other, two
 * links never meet, and adjacent seeds have nothing in common, because the string key goes through ARC4's key schedule.
 *
 * `seedrandom` makes the streams. They are drawn as 32-bit words; probabilities are integer ratios, spreads are sums and
 * comparisons of integers, so no logarithm and no float is ever asked for (engines differ in the last bit of those).
 */
import seedrandom from "seedrandom";
import { createTap, type DecisionBook } from "./decisions.ts";

/** One stream of random words; make it with {@link createStream}. */
export interface Stream {
  /** The next 32 random bits as an unsigned number. */
  readonly next: () => number;
  /** Hears each answer that the functions below give and says which one counts; see ./decisions.ts. */
  readonly tap?: ((answer: number) => number) | undefined;
}

/** What all chance of a run hangs on: its seed, with the book of its decisions and with its turn when it has them. */
export type Seed = number | { readonly seed: number; readonly decisions?: DecisionBook; readonly turn?: ChanceTurn };

/** From some moment of a run on, every stream draws from another seed: what was before is the same, what follows is not. */
export interface ChanceTurn {
  readonly seed: number;
  readonly hasCome: () => boolean;
}

/** A probability as a whole number of millionths, 0 to 1,000,000. */
export type Ppm = number;

/** Certainty, in {@link Ppm}. */
const PPM_ONE = 1_000_000;

/** The stream of one (seed, site, entity). Two calls with equal arguments make two streams with equal words. */
export function createStream(seed: Seed, site: string, entity: string): Stream {
  const number = typeof seed === "number" ? seed : seed.seed;
  const generator = seedrandom(`lockstep|${number}|${site}|${entity}`);
  if (typeof seed === "number") return { next: () => generator.int32() >>> 0 };
  const { decisions, turn } = seed;
  const tap = decisions === undefined ? undefined : createTap(decisions, site, entity);
  if (turn === undefined) return { next: () => generator.int32() >>> 0, tap };
  let turned: { int32(): number } | undefined;
  const next = () => {
    if (turned === undefined && turn.hasCome())
      turned = seedrandom(`lockstep|${number}|${turn.seed}|${site}|${entity}`);
    return (turned ?? generator).int32() >>> 0;
  };
  return { next, tap };
}

/** The answer that counts, whatever was drawn. */
function settle(stream: Stream, answer: number): number {
  return stream.tap === undefined ? answer : stream.tap(answer);
}

/** A whole number in 0 to `bound` - 1; `bound` is 1 to 2^32. */
export function below(stream: Stream, bound: number): number {
  return settle(stream, drawBelow(stream, bound));
}

function drawBelow(stream: Stream, bound: number): number {
  // Both factors are exact and the product is rounded once, the same way by every engine (IEEE 754 multiplication).
  return Math.floor((stream.next() * bound) / 0x1_0000_0000);
}

/** A whole number in `least` to `greatest`, both included. */
export function between(stream: Stream, least: number, greatest: number): number {
  return settle(stream, least + drawBelow(stream, greatest - least + 1));
}

/** Whether something of this probability happens. Nothing is drawn for 0 and for certainty. */
export function chance(stream: Stream, probability: Ppm): boolean {
  if (probability <= 0) return false;
  if (probability >= PPM_ONE) return true;
  return settle(stream, drawBelow(stream, PPM_ONE) < probability ? 1 : 0) !== 0;
}

/**
 * A number spread around 0 like a Gaussian with the given standard deviation, cut at three of them: the sum of twelve
 * uniform 16-bit numbers has a variance of 2^32, near enough, so dividing by 2^16 leaves a deviation of one.
 */
export function spread(stream: Stream, deviation: number): number {
  if (deviation <= 0) return 0;
  let sum = -6 * 0xffff;
  for (let i = 0; i < 6; i++) {
    const word = stream.next();
    sum += (word >>> 16) + (word & 0xffff);
  }
  const value = Math.trunc((sum * deviation) / 0x1_0000);
  return settle(stream, Math.max(-3 * deviation, Math.min(3 * deviation, value)));
}

/**
 * A waiting time with an exponential distribution around `mean`, by von Neumann's method of comparing uniform numbers: the
 * length of a falling run decides, and no logarithm is needed.
 */
export function dwell(stream: Stream, mean: number): number {
  for (let whole = 0; ; whole++) {
    const first = stream.next();
    let last = first;
    let length = 1;
    for (let word = stream.next(); word < last; word = stream.next()) {
      last = word;
      length++;
    }
    if (length % 2 === 1) return settle(stream, whole * mean + Math.floor((first * mean) / 0x1_0000_0000));
  }
}

/** `count` random bytes. */
export function randomBytes(stream: Stream, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i += 4) {
    const word = stream.next();
    for (let j = 0; j < 4 && i + j < count; j++) bytes[i + j] = word >>> (24 - 8 * j);
  }
  return bytes;
}

/** `count` random letters and digits that SDP and ICE allow (RFC 8839 §5.4). */
export function randomToken(stream: Stream, count: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  let text = "";
  for (let i = 0; i < count; i++) text += alphabet[drawBelow(stream, alphabet.length)]!;
  return text;
}
