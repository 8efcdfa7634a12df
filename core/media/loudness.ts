/**
 * Who is speaking, from the audio levels that the publishers' packets carry (RFC 6464).
 *
 * Each packet tells how loud it is, from 0 (full scale) to 127 (silence), in dB below full scale. A score follows it: up
 * quickly, down slowly, so that a word lifts it and the pause between two words does not sink it. The score counts decibels
 * above a floor that room noise does not pass, in 1/256.
 *
 * Speakers keep their slots by two rules. A newcomer must be louder by `MARGIN`, and as a score needs about
 * `LOUDNESS_ATTACK_MICROS` to rise that far, a cough or a slammed door does not win a slot, while a voice does. Whoever
 * stays keeps the slot that he has, so that no player is fed with another voice without need.
 */
import type { Micros } from "../base/micros.ts";

/** A level at or below this (in dB below full scale) counts as silence. */
const FLOOR_DB = 70;
/** Sound that the publisher does not take for a voice counts as this much quieter. */
const NO_VOICE_DB = 15;
/** The scale of scores: 1/256 dB. */
const SCALE = 256;
/** The score of full scale. */
export const LOUDNESS_MAX = FLOOR_DB * SCALE;
/** A rise covers all of the way within this time: for a steady voice that starts from silence. */
export const LOUDNESS_ATTACK_MICROS = 400_000;
/** A fall from full scale to silence takes this long. */
export const LOUDNESS_DECAY_MICROS = 4_000_000;
/** The longest span that one packet stands for; what is beyond it was silence. */
const PACKET_MICROS_MAX = 60_000;
/** By how much a newcomer must be louder than the quietest speaker: 6 dB. */
export const LOUDNESS_MARGIN = 6 * SCALE;

/** How loud one publication is; treat the fields as private. */
export interface Loudness {
  /** The score at `at`. */
  score: number;
  at: Micros;
}

/** Somebody who might be heard. */
export interface SpeakerCandidate {
  readonly publication: number;
  /** From {@link loudnessValue}. */
  readonly score: number;
}

/** Silence. */
export function createLoudness(): Loudness {
  return { score: 0, at: 0 as Micros };
}

/** Takes the level of a packet, 0 (loudest) to 127 (silent), and whether its sender thinks that it holds a voice. */
export function loudnessPacket(loudness: Loudness, now: Micros, level: number, voice: boolean): void {
  const decibels = Math.max(0, FLOOR_DB - level - (voice ? 0 : NO_VOICE_DB));
  const target = decibels * SCALE;
  const before = loudnessValue(loudness, now);
  const span = Math.min(now - loudness.at, PACKET_MICROS_MAX);
  const rise = Math.floor((span * LOUDNESS_MAX) / LOUDNESS_ATTACK_MICROS);
  loudness.score = target > before ? Math.min(target, before + rise) : Math.max(target, before);
  loudness.at = now;
}

/** The score at `now`, 0 to {@link LOUDNESS_MAX}: it falls while no packet comes, too. */
export function loudnessValue(loudness: Loudness, now: Micros): number {
  const span = Math.min(Math.max(0, now - loudness.at), LOUDNESS_DECAY_MICROS);
  return Math.max(0, loudness.score - Math.floor((span * LOUDNESS_MAX) / LOUDNESS_DECAY_MICROS));
}

/**
 * Who is heard in `slots` slots: an array of that length, publications by slot, 0 for an empty one. `current` is the last
 * answer, or empty. Those in a slot keep it as long as they are candidates; empty slots go to the loudest of the others;
 * then the loudest of the others takes the slot of the quietest when he is louder by {@link LOUDNESS_MARGIN}, and so on.
 * Among equals the earlier candidate wins.
 */
export function chooseSpeakers(
  candidates: readonly SpeakerCandidate[],
  current: readonly number[],
  slots: number,
): number[] {
  const scores = new Map<number, number>();
  for (const candidate of candidates) scores.set(candidate.publication, candidate.score);
  const chosen: number[] = [];
  const heard = new Set<number>();
  for (let slot = 0; slot < slots; slot++) {
    const holder = current[slot] ?? 0;
    const stays = scores.has(holder) && !heard.has(holder);
    chosen.push(stays ? holder : 0);
    if (stays) heard.add(holder);
  }
  const newcomers = candidates.filter((candidate) => !heard.has(candidate.publication));
  newcomers.sort((a, b) => b.score - a.score);
  for (const newcomer of newcomers) {
    const slot = weakestSlot(chosen, scores);
    if (slot < 0) break;
    const holder = chosen[slot]!;
    if (holder !== 0 && newcomer.score < scores.get(holder)! + LOUDNESS_MARGIN) break;
    chosen[slot] = newcomer.publication;
  }
  return chosen;
}

/** The first empty slot, or else the one with the quietest speaker; -1 when there are no slots. */
function weakestSlot(chosen: readonly number[], scores: ReadonlyMap<number, number>): number {
  let weakest = -1;
  let least = Number.MAX_SAFE_INTEGER;
  for (let slot = 0; slot < chosen.length; slot++) {
    const score = chosen[slot] === 0 ? -1 : scores.get(chosen[slot]!)!;
    if (score >= least) continue;
    least = score;
    weakest = slot;
  }
  return weakest;
}
