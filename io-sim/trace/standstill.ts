/**
 * Where in a run a picture or a voice stood still for so long that a promise was broken.
 *
 * Promises about what somebody perceives are judged when the story is over, by how long the longest pause was. Whoever
 * looks at the run wants to see the pause itself. The sentence names the viewer, the source and the length, and the strips
 * have the moment.
 */
import { peopleNamed } from "../inspection/people-named.ts";
import type { Strip } from "./strips.ts";
import type { Trace } from "./trace.ts";

/** A pause in what a viewer got of a source. */
export interface Standstill {
  readonly viewer: string;
  readonly source: string;
  readonly from: number;
  readonly to: number;
}

/** A pause is the one that a sentence speaks of when its length differs from that by a tenth at most, or by so much. */
const ALIKE_MICROS = 300_000;

/** The pause that a broken promise speaks of, or undefined when it speaks of none. */
export function standstillOf({ broken, strips, peers }: Trace): Standstill | undefined {
  const length = Number(/(\d+) µs/.exec(broken?.detail ?? "")?.[1] ?? Number.NaN);
  if (broken === undefined || Number.isNaN(length)) return undefined;
  const { detail, time } = broken;
  const named = new Set(peopleNamed(peers, detail).map(({ name }) => name));
  const pauses = strips
    .filter(({ viewer, source }) => named.has(viewer) && detail.includes(source))
    .flatMap((strip) => pausesOf(strip, time));
  const off = ({ from, to }: Standstill) => Math.abs(to - from - length);
  const [closest] = pauses.sort((a, b) => off(a) - off(b));
  return closest !== undefined && off(closest) <= Math.max(ALIKE_MICROS, length / 10) ? closest : undefined;
}

/** The stretches before `end` in which a strip does not play, whatever the reason. */
function pausesOf({ viewer, source, segments }: Strip, end: number): Standstill[] {
  const pauses: { viewer: string; source: string; from: number; to: number }[] = [];
  for (const { from, to, state } of segments) {
    if (state === "playing" || from >= end) continue;
    const last = pauses.at(-1);
    if (last !== undefined && last.to === from) last.to = Math.min(to, end);
    else pauses.push({ viewer, source, from, to: Math.min(to, end) });
  }
  return pauses;
}
