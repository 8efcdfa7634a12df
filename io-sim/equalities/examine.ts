/**
 * Puts an equality to the test with one plan and one seed: runs the base and its variants, and says where clients first got
 * something else.
 */
import type { Plan } from "../plan.ts";
import { type RunOptions, run } from "../run.ts";
import type { Equality, Likeness, Variant } from "./equalities.ts";
import { type Perceived, type Perception, watchPerception } from "./perception.ts";

/** What an equality has come to in one variant. */
export interface Comparison {
  readonly variant: string;
  /** The first difference in a sentence, or "" when there is none. */
  readonly difference: string;
  /** Whether the server was told anything else at all. When it was not, nothing was put to the test but the bits. */
  readonly inputsDiffer: boolean;
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

/** Compares all variants of an equality with its base. */
export function examine(equality: Equality, plan: Plan, seed: number): Comparison[] {
  const base = equality.base?.(plan) ?? plan;
  const first = perceivedRun(base, seed);
  return equality.variants(base).map((variant) => compareVariant(equality.likeness, base, seed, first, variant));
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

/** The first difference between what clients got in two runs, in a sentence; "" when they are as alike as they have to be. */
export function differenceOf(likeness: Likeness, first: PerceivedRun, second: PerceivedRun): string {
  if (first.broken !== second.broken) {
    return `The one run ${outcome(first)}, the other ${outcome(second)}`.replace(/\.?$/, ".");
  }
  if (likeness === "bits") {
    const same = first.fingerprint === second.fingerprint;
    return same ? "" : `The fingerprints are ${first.fingerprint} and ${second.fingerprint}.`;
  }
  return differenceOfMaps(likeness, first, second, "streams") || differenceOfMaps(likeness, first, second, "bindings");
}

function compareVariant(
  likeness: Likeness,
  base: Plan,
  seed: number,
  first: PerceivedRun,
  { what, plan = base, options = {} }: Variant,
): Comparison {
  const second = perceivedRun(plan, seed, options);
  const inputsDiffer = first.fingerprint !== second.fingerprint;
  return { variant: what, difference: differenceOf(likeness, first, second), inputsDiffer };
}

function outcome({ broken }: PerceivedRun): string {
  return broken === "" ? "holds" : `breaks ${broken}`;
}

function differenceOfMaps(
  likeness: Likeness,
  first: PerceivedRun,
  second: PerceivedRun,
  what: keyof Perception,
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
