/**
 * Which packets of one inbound stream are missing, and when to ask for them again (RFC 4585 §6.2.1).
 *
 * Picture a short list in the order of the sequence numbers. A gap puts numbers on it, a packet that comes after all
 * (late, or through RTX) takes its number off. A number is asked for first when it can no longer just be out of order:
 * after `nackReorderPackets` newer packets or `nackReorderMicros`; then once a round trip. It is given up
 * after `nackTriesMax` questions, or when nobody would keep the packet any longer (`packetCacheAgeMicros`).
 * A gap that is too long for the list is not worth asking for: the list is emptied, and a keyframe is what helps.
 *
 * Repetitions take the same way as the packets. Where that is narrow, losses come of its being full, and asking again and
 * again keeps it full for good. So questions have a budget: each new packet earns a share of one
 * (`nackSharePercent`), each answer gives one back, up to `nackSavedMax`. Losses by chance are mended whatever
 * their share, because what is asked for comes; where it does not come, they cease.
 */
import { after, earliest, type Micros, NEVER } from "../base/micros.ts";
import { seqDistance16, seqUnwrap16 } from "../base/sequence.ts";
import type { Tunables } from "../tunables.ts";

/** What {@link nackPacket} answers besides a count. */
export const NACK = {
  /** More is missing than `nackMissingMax`: all was forgotten; ask for a keyframe. */
  OVERFLOW: -1,
} as const;

/** What a question costs. */
const QUESTION = 100;

/** The missing packets of one stream. Others may read the three counters. */
export interface NackGenerator {
  readonly tunables: Tunables;
  /** The highest sequence number so far, unwrapped; -1 before the first packet. */
  highest: number;
  /** Packets newer than all before them, so far. */
  newer: number;
  /** How many of the entries below are in use; they stand in the order of their sequence numbers. */
  missing: number;
  sequences: Float64Array;
  missingSince: Float64Array;
  /** What `newer` was when the packet was found missing. */
  newerAt: Float64Array;
  nextAskAt: Float64Array;
  tries: Uint8Array;
  /** Questions that may still be asked, in hundredths. */
  credit: number;
  /** Since the start: packets that came after all, packets given up, and times that the list ran over. */
  recovered: number;
  givenUp: number;
  overflows: number;
}

/** A generator for a stream that nothing has come from yet. */
export function createNackGenerator(tunables: Tunables): NackGenerator {
  const { nackMissingMax } = tunables;
  return {
    tunables,
    highest: -1,
    newer: 0,
    missing: 0,
    sequences: new Float64Array(nackMissingMax),
    missingSince: new Float64Array(nackMissingMax),
    newerAt: new Float64Array(nackMissingMax),
    nextAskAt: new Float64Array(nackMissingMax),
    tries: new Uint8Array(nackMissingMax),
    credit: QUESTION * tunables.nackSavedMax,
    recovered: 0,
    givenUp: 0,
    overflows: 0,
  };
}

/**
 * Takes note of a packet, however it came; for RTX the sequence number is the original one. Answers how many packets are
 * newly missing, or {@link NACK}.OVERFLOW. Some may be due right now: look at {@link nackNextTimeout}.
 */
export function nackPacket(generator: NackGenerator, now: Micros, sequence: number): number {
  if (generator.highest < 0) {
    // Counted from one round up, so that a packet from before the first one has no negative number.
    generator.highest = 0x1_0000 + sequence;
    return 0;
  }
  const distance = seqDistance16(generator.highest & 0xffff, sequence);
  if (distance <= 0) {
    if (generator.missing > 0) takeOff(generator, generator.highest + distance);
    return 0;
  }
  const { tunables } = generator;
  const first = generator.highest + 1;
  const added = distance - 1;
  generator.highest += distance;
  generator.newer++;
  earn(generator, tunables.nackSharePercent);
  if (generator.missing + added > tunables.nackMissingMax) {
    generator.missing = 0;
    generator.overflows++;
    return NACK.OVERFLOW;
  }
  for (let i = 0; i < added; i++) {
    const entry = generator.missing++;
    generator.sequences[entry] = first + i;
    generator.missingSince[entry] = now;
    generator.newerAt[entry] = generator.newer - 1;
    generator.nextAskAt[entry] = after(now, tunables.nackReorderMicros);
    generator.tries[entry] = 0;
  }
  if (generator.missing > 0) hurry(generator, now);
  return added;
}

/**
 * Writes the sequence numbers to ask for now into `out`, oldest first, and answers how many. Those that don't fit, and those
 * that the budget does not allow, are due still. `rttMicros` is the round trip to the publisher, 0 when it is not known.
 */
export function nackDue(generator: NackGenerator, now: Micros, rttMicros: Micros, out: Uint16Array): number {
  const { tunables } = generator;
  const wait = Math.max(rttMicros, tunables.nackRepeatMicros);
  let count = 0;
  let kept = 0;
  for (let entry = 0; entry < generator.missing; entry++) {
    const due = generator.nextAskAt[entry]! <= now;
    const tooOld = now - generator.missingSince[entry]! >= tunables.packetCacheAgeMicros;
    if (tooOld || (due && generator.tries[entry]! >= tunables.nackTriesMax)) {
      generator.givenUp++;
      continue;
    }
    moveEntry(generator, entry, kept);
    if (due && count < out.length && generator.credit >= QUESTION) {
      generator.credit -= QUESTION;
      out[count++] = generator.sequences[kept]! & 0xffff;
      generator.tries[kept]!++;
      generator.nextAskAt[kept] = now + wait;
    }
    kept++;
  }
  generator.missing = kept;
  return count;
}

/** When {@link nackDue} should be called next; {@link NEVER} when nothing is missing. */
export function nackNextTimeout(generator: NackGenerator): Micros {
  let next: Micros = NEVER;
  for (let entry = 0; entry < generator.missing; entry++) {
    const oldAt = (generator.missingSince[entry]! + generator.tunables.packetCacheAgeMicros) as Micros;
    next = earliest(next, earliest(generator.nextAskAt[entry]! as Micros, oldAt));
  }
  return next;
}

/** Forgets what is missing before this sequence number: a keyframe that starts there makes it worthless. */
export function nackForgetBefore(generator: NackGenerator, sequence: number): void {
  if (generator.missing === 0) return;
  const first = seqUnwrap16(generator.highest, sequence);
  let kept = 0;
  for (let entry = 0; entry < generator.missing; entry++) {
    if (generator.sequences[entry]! < first) continue;
    moveEntry(generator, entry, kept++);
  }
  generator.missing = kept;
}

/** Forgets everything: the next packet is taken for the first one. The counters stay. */
export function nackForget(generator: NackGenerator): void {
  generator.highest = -1;
  generator.missing = 0;
}

/** Makes those due that have been missing for enough newer packets. They stand at the end: the newest were found last. */
function hurry(generator: NackGenerator, now: Micros): void {
  const { nackReorderPackets } = generator.tunables;
  for (let entry = generator.missing - 1; entry >= 0; entry--) {
    const newer = generator.newer - generator.newerAt[entry]!;
    if (newer > nackReorderPackets) return;
    if (newer === nackReorderPackets && generator.tries[entry] === 0 && generator.nextAskAt[entry]! > now) {
      generator.nextAskAt[entry] = now;
    }
  }
}

function takeOff(generator: NackGenerator, sequence: number): void {
  let low = 0;
  let high = generator.missing;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (generator.sequences[middle]! < sequence) low = middle + 1;
    else high = middle;
  }
  if (low === generator.missing || generator.sequences[low] !== sequence) return;
  const answersQuestion = generator.tries[low]! > 0;
  for (let entry = low + 1; entry < generator.missing; entry++) moveEntry(generator, entry, entry - 1);
  generator.missing--;
  generator.recovered++;
  if (answersQuestion) earn(generator, QUESTION);
}

function earn(generator: NackGenerator, credit: number): void {
  generator.credit = Math.min(QUESTION * generator.tunables.nackSavedMax, generator.credit + credit);
}

function moveEntry(generator: NackGenerator, from: number, to: number): void {
  if (from === to) return;
  generator.sequences[to] = generator.sequences[from]!;
  generator.missingSince[to] = generator.missingSince[from]!;
  generator.newerAt[to] = generator.newerAt[from]!;
  generator.nextAskAt[to] = generator.nextAskAt[from]!;
  generator.tries[to] = generator.tries[from]!;
}
