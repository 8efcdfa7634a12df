/**
 * Puts an equality to the test with one plan and one seed: runs the base and its variants, and says where clients first got
 * something else.
 */
import { TUNABLES } from "../../core/index.ts";
import type { Plan } from "../story/plan.ts";
import { type RunOptions, run } from "../world/run.ts";
import type { Equality, Likeness } from "./equalities.ts";
import { type Perceived, type Perception, watchPerception } from "./perception.ts";

/** What an equality has come to in one variant. */
export interface Comparison {
  readonly variant: string;
  /** The first difference in a sentence, or "" when there is none. */
  readonly difference: string;
  /** Whether the server was told anything else at all. When it was not, nothing was put to the test but the bits. */
  readonly inputsDiffer: boolean;
  /** Up to when the runs were compared: to the end of the shorter one, unless the equality ends before it. */
  readonly comparedMicros: number;
  readonly endsEarly: boolean;
}

/** A run and what clients got in it. */
export interface PerceivedRun {
  readonly fingerprint: string;
  readonly perception: Perception;
  readonly storyEndsAtMicros: number;
  /** The promise that it broke, with what was seen, or "". */
  readonly broken: string;
}

/** Before the end of a story something may be under way that another run has delivered. */
const UNDER_WAY_MICROS = 1_000_000;

/** The longest that a wish for a keyframe waits for a turn: one of the publisher's, and one of a shard that passes it on. */
const TURNS_MICROS = TUNABLES.mediaTickMicros.usual + TUNABLES.nackReorderMicros.usual;

/** Compares all variants of an equality with its base. */
export function examine(equality: Equality, plan: Plan, seed: number): Comparison[] {
  const base = equality.base?.(plan) ?? plan;
  const guise = equality.guise?.(plan) ?? {};
  const first = perceivedRun(base, seed, { guise });
  return equality.variants(base).map(({ what, plan: other = base, options = {} }) => {
    const second = perceivedRun(other, seed, { ...options, guise: { ...guise, ...options.guise } });
    const inputsDiffer = first.fingerprint !== second.fingerprint;
    const whole = Math.min(first.storyEndsAtMicros, second.storyEndsAtMicros);
    const comparison = { variant: what, inputsDiffer, comparedMicros: whole, endsEarly: false };
    const difference = differenceOf(equality.likeness, first, second, whole);
    if (difference === "" || equality.endsWithRequests !== true) return { ...comparison, difference };
    const comparedMicros = Math.min(whole, firstRequestApart(first, second));
    const before = differenceOf(equality.likeness, first, second, comparedMicros);
    return { ...comparison, comparedMicros, endsEarly: comparedMicros < whole, difference: before };
  });
}

/**
 * When a keyframe was first asked for at different moments, if these are no more than a turn of a publisher and one of the
 * shard that passes the wish on apart; else never.
 */
export function firstRequestApart(first: PerceivedRun, second: PerceivedRun): number {
  const [ones, others] = [first.perception.requests, second.perception.requests];
  let apart = Number.POSITIVE_INFINITY;
  for (const name of new Set([...ones.keys(), ...others.keys()])) {
    const [one, other] = [ones.get(name) ?? [], others.get(name) ?? []];
    const at = one.findIndex(({ atMicros }, index) => atMicros !== other[index]?.atMicros);
    const [a, b] = [one[at]?.atMicros ?? 0, other[at]?.atMicros ?? Number.POSITIVE_INFINITY];
    if (at >= 0 && Math.abs(a - b) <= TURNS_MICROS) apart = Math.min(apart, a, b);
  }
  return apart;
}

/** Runs a plan until its story is over, and writes down what clients get. */
export function perceivedRun(plan: Plan, seed: number, options: RunOptions = {}): PerceivedRun {
  let perceived: (() => Perception) | undefined;
  const verdict = run(plan, seed, {
    ...options,
    withoutDrain: true,
    onWorld: (world, book) => {
      options.onWorld?.(world, book);
      perceived = watchPerception(world);
    },
  });
  const { fingerprint, broken, world } = verdict;
  return {
    fingerprint,
    perception: perceived!(),
    storyEndsAtMicros: world.loop.now - world.startsAt,
    broken: broken === undefined ? "" : `${broken.promise}: ${broken.detail}`,
  };
}

/**
 * The first difference between what clients got in two runs, in a sentence; "" when they are as alike as they have to be. Where
 * moments count, what came at `untilMicros` or later is nobody's business.
 */
export function differenceOf(
  likeness: Likeness,
  first: PerceivedRun,
  second: PerceivedRun,
  untilMicros = Number.POSITIVE_INFINITY,
): string {
  if (first.broken !== second.broken) {
    return `The one run ${outcome(first)}, the other ${outcome(second)}`.replace(/\.?$/, ".");
  }
  if (likeness === "bits") {
    const same = first.fingerprint === second.fingerprint;
    return same ? "" : `The fingerprints are ${first.fingerprint} and ${second.fingerprint}.`;
  }
  const [one, other] =
    likeness === "moments" ? [cutOff(first, untilMicros), cutOff(second, untilMicros)] : [first, second];
  return differenceOfMaps(likeness, one, other, "streams") || differenceOfMaps(likeness, one, other, "bindings");
}

/** What clients got in a run before this moment. */
function cutOff(run: PerceivedRun, micros: number): PerceivedRun {
  const before = (map: ReadonlyMap<string, readonly Perceived[]>) => {
    const cut = [...map].map(([key, list]) => [key, list.filter(({ atMicros }) => atMicros < micros)] as const);
    return new Map(cut.filter(([, list]) => list.length > 0));
  };
  const { streams, bindings, requests } = run.perception;
  return { ...run, perception: { streams: before(streams), bindings: before(bindings), requests } };
}

function outcome({ broken }: PerceivedRun): string {
  return broken === "" ? "holds" : `breaks ${broken}`;
}

function differenceOfMaps(
  likeness: Likeness,
  first: PerceivedRun,
  second: PerceivedRun,
  what: "streams" | "bindings",
): string {
  const [one, other] = [first.perception[what], second.perception[what]];
  // In the other run there may be strangers, who are nobody's business.
  for (const key of one.keys()) {
    const found = differenceOfLists(likeness, one.get(key)!, other.get(key) ?? [], first, second);
    if (found !== "") return `${key}: ${found}`;
  }
  const more = [...other.keys()].find((key) => !one.has(key) && concerns(one, key));
  return more === undefined ? "" : `${more}: nothing in the one run, something in the other.`;
}

/** Whether a stream belongs to somebody who is there in the first run too. */
function concerns(one: ReadonlyMap<string, readonly Perceived[]>, key: string): boolean {
  const viewer = key.split(" ")[0]!;
  return [...one.keys()].some((known) => known.split(" ")[0] === viewer);
}

function differenceOfLists(
  likeness: Likeness,
  one: readonly Perceived[],
  other: readonly Perceived[],
  first: PerceivedRun,
  second: PerceivedRun,
): string {
  // In order alone: what was there a while before the end of one run has to be in the other, at the same place.
  const settled = ({ storyEndsAtMicros }: PerceivedRun, list: readonly Perceived[]) =>
    list.filter(({ atMicros }) => atMicros <= storyEndsAtMicros - UNDER_WAY_MICROS).length;
  const length =
    likeness === "order" ? Math.max(settled(first, one), settled(second, other)) : Math.max(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const [a, b] = [one[at], other[at]];
    const same = a?.what === b?.what && (likeness === "order" || a?.atMicros === b?.atMicros);
    if (!same) return `number ${at + 1} of ${one.length} and ${other.length} is ${tell(a)}, and ${tell(b)}.`;
  }
  return "";
}

function tell(perceived: Perceived | undefined): string {
  return perceived === undefined ? "nothing" : `"${perceived.what}" after ${perceived.atMicros} µs`;
}
