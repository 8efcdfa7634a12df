/**
 * What a shard does when there is more work than time: first it lets nobody else in, then it leaves out video, and audio
 * never; when there is time again, it takes both back in the other order.
 *
 *     core  0 ......... 0.75 ....... 0.85 ........ 0.95 ....... 1
 *           video returns | as it is  | no joins     | video goes, an eighth at a time
 *
 * Joins are refused at once, since the handshakes of a storm of them are what would push the calls aside. Video goes only
 * while nobody is let in, and an eighth of it with each look, so that a short peak costs little; it comes back more
 * slowly than it went, and more slowly still when what came back last was too much, so that the load does not swing.
 * Plain data and functions: a host measures, the server obeys.
 */

import { VIDEO_PARTS } from "../core/index.ts";

/** How often a shard is looked at, in milliseconds. */
export const LOOK_MILLIS = 250;

const BUSY_CALM = 0.75;
const BUSY_FULL = 0.85;
const BUSY_OVER = 0.95;

/** Datagrams dropped between two looks that mean too much work; a few may just have had nowhere to go any more. */
const DROPS_OVER = 8;

/**
 * Looks for which it must be calm before a part of the video comes back, or before joins are taken again: a second, twice
 * as long each time that this was too much, and half as long each time that it was not.
 */
const CALM_LOOKS = 4;
const CALM_LOOKS_MAX = 16;

/** Looks for which nobody is let in before video goes: a second. */
const PATIENCE_LOOKS = 4;

/** How a shard fares; make it with {@link createOverload}. */
export interface Overload {
  /** Its processor time as a part of one core's, 0 to 1, smoothed over about a second. */
  busy: number;
  refusesJoins: boolean;
  /** How many of {@link VIDEO_PARTS} are left out. */
  videoPartsLeftOut: number;
  calmLooks: number;
  /** How many of them it takes now. */
  calmLooksNeeded: number;
  /** Something was given back, and has not been too much so far. */
  gaveBack: boolean;
  refusingLooks: number;
}

/** A shard with nothing to do. */
export function createOverload(): Overload {
  const calm = { calmLooks: 0, calmLooksNeeded: CALM_LOOKS, gaveBack: false };
  return { busy: 0, refusesJoins: false, videoPartsLeftOut: 0, ...calm, refusingLooks: 0 };
}

/**
 * Looks at a shard: its processor time since the last look, as a part of what one core has, and how many datagrams it had to
 * drop.
 */
export function lookAtLoad(overload: Overload, busy: number, dropped: number): void {
  overload.busy += (Math.min(Math.max(busy, 0), 1) - overload.busy) / 4;
  const isOver = overload.busy >= BUSY_OVER || dropped >= DROPS_OVER;
  overload.calmLooks = overload.busy < BUSY_CALM && dropped < DROPS_OVER ? overload.calmLooks + 1 : 0;
  if (isOver && overload.gaveBack) {
    overload.gaveBack = false;
    overload.calmLooksNeeded = Math.min(2 * overload.calmLooksNeeded, CALM_LOOKS_MAX);
  }
  overload.refusingLooks = overload.refusesJoins ? overload.refusingLooks + 1 : 0;
  if (isOver && overload.refusingLooks >= PATIENCE_LOOKS) {
    overload.videoPartsLeftOut = Math.min(overload.videoPartsLeftOut + 1, VIDEO_PARTS);
  }
  if (isOver || overload.busy >= BUSY_FULL) overload.refusesJoins = true;
  if (overload.calmLooks >= overload.calmLooksNeeded && overload.refusesJoins) giveBack(overload);
}

function giveBack(overload: Overload): void {
  overload.calmLooks = 0;
  if (overload.gaveBack) overload.calmLooksNeeded = Math.max(overload.calmLooksNeeded / 2, CALM_LOOKS);
  overload.gaveBack = true;
  if (overload.videoPartsLeftOut > 0) overload.videoPartsLeftOut -= 1;
  else overload.refusesJoins = false;
}
