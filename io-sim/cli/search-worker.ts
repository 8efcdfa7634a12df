/**
 * What a worker of `lockstep explore` does: runs worlds by number and shrinks those that broke.
 *
 * A worker knows nothing of the others. Its answers depend on the number alone, so that it does not matter which of them
 * took it, nor how many there are; even shrinking is bounded by events and not by the clock.
 */
import type { PromiseId } from "../oracles/promises.ts";
import { attempt } from "../search/attempt.ts";
import type { Covered } from "../search/coverage.ts";
import { generatePlan, type Regime } from "../search/generate.ts";
import { promisesFollow } from "../search/settling.ts";
import { shrinkPlan } from "../search/shrink.ts";
import type { Plan } from "../story/plan.ts";
import type { Trade } from "./crew.ts";

/** Events that shrinking one finding may cost: some tens of seconds, or so many times what a large world costs. */
const SHRINK_EVENTS_MAX = 600_000;
const SHRINK_WORLDS_MAX = 3;

/** What a worker is asked. */
export interface Task {
  readonly kind: "run" | "shrink";
  readonly number: number;
  readonly regime: Regime;
}

/** What a world has come to. */
export interface RunAnswer extends Covered {
  readonly kind: "run";
  readonly number: number;
  readonly key: string;
  readonly promise: PromiseId | "";
  readonly detail: string;
  readonly fingerprint: string;
  readonly simulatedMicros: number;
}

/** A world made small. */
export interface ShrinkAnswer {
  readonly kind: "shrink";
  readonly number: number;
  readonly key: string;
  readonly promise: PromiseId | "";
  /** What was seen in the small world. */
  readonly detail: string;
  readonly plan: Plan;
  readonly tries: number;
}

/** What a worker answers; of the same kind as its task. */
export type Answer = RunAnswer | ShrinkAnswer;

/** Does one task. */
async function work({ kind, number, regime }: Task): Promise<Answer> {
  const plan = generatePlan(number, regime);
  if (kind === "shrink") {
    const goesOn = (events: number, ofWorld: number) =>
      events < Math.max(SHRINK_EVENTS_MAX, SHRINK_WORLDS_MAX * ofWorld);
    const options = { goesOn, isFair: promisesFollow };
    const { key, promise, detail, plan: small, tries } = await shrinkPlan(plan, number, options);
    return { kind, number, key, promise, detail, plan: small, tries };
  }
  const { key, promise, detail, fingerprint, simulatedMicros, judged, excused, sites } = attempt(plan, number);
  const covered = { judged: [...judged], excused: [...excused], sites: [...sites] };
  return { kind, number, key, promise, detail, fingerprint, simulatedMicros, ...covered };
}

/** The trade of those who search. */
export const SEARCHING: Trade<Task, Answer> = { module: import.meta.url, name: "SEARCHING", work };
