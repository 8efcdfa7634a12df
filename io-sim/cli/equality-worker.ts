/**
 * What a worker of `lockstep sim --equalities` does: puts one equality to the test with one story and seed.
 */
import { EQUALITIES } from "../equalities/equalities.ts";
import { examine } from "../equalities/examine.ts";
import type { Plan } from "../story/plan.ts";
import type { Trade } from "./crew.ts";

/** One equality that is asked for, by its name. */
export interface EqualityTask {
  readonly plan: Plan;
  readonly seed: number;
  readonly equality: string;
}

/** What it has come to. */
export interface EqualityAnswer {
  readonly story: string;
  readonly seed: number;
  readonly equality: string;
  readonly verdict: "held" | "excused" | "differs";
  /** Why the equality says nothing of the story, or "". */
  readonly excuse: string;
  /** The first variant in which clients got something else, and what, or "". */
  readonly variant: string;
  readonly difference: string;
  /** Up to when the runs were compared, in the variant in which that was the shortest time; 0 when none was. */
  readonly comparedMicros: number;
  /** Whether that is less than the whole story. */
  readonly endsEarly: boolean;
}

/** Puts an equality to the test, unless it has an excuse. */
function work({ plan, seed, equality: name }: EqualityTask): EqualityAnswer {
  const equality = EQUALITIES.find((each) => each.name === name)!;
  const answer = {
    story: plan.name,
    seed,
    equality: name,
    excuse: "",
    variant: "",
    difference: "",
    comparedMicros: 0,
    endsEarly: false,
  };
  const excuse = equality.excuse(plan);
  if (excuse !== "") return { ...answer, verdict: "excused", excuse };
  const comparisons = examine(equality, plan, seed);
  const comparedMicros = Math.min(...comparisons.map((each) => each.comparedMicros));
  const endsEarly = comparisons.some((each) => each.endsEarly);
  const found = comparisons.find(({ difference }) => difference !== "");
  const told = { ...answer, comparedMicros, endsEarly };
  if (found === undefined) return { ...told, verdict: "held" };
  return { ...told, verdict: "differs", variant: found.variant, difference: found.difference };
}

/** The trade of those who compare runs. */
export const COMPARING = { module: import.meta.url, name: "COMPARING", work } satisfies Trade<
  EqualityTask,
  EqualityAnswer
>;
