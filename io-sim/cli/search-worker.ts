/**
 * What a worker of `lockstep explore` does: runs worlds by number and shrinks those that broke.
 *
 * A worker knows nothing of the others. Its answers depend on the number alone, so that it does not matter which of them
 * took it, nor how many there are; even shrinking is bounded by events and not by the clock. Only an interrupt ends it before.
 */
import type { PromiseId } from "../oracles/promises.ts";
import { attempt } from "../search/attempt.ts";
import type { Covered } from "../search/coverage.ts";
import { generatePlan, type Regime } from "../search/generate.ts";
import { type Judges, oneJudge } from "../search/judging.ts";
import { promisesFollow } from "../search/settling.ts";
import { shrinkPlan } from "../search/shrink.ts";
import type { Plan } from "../story/plan.ts";
import type { Trade } from "./crew.ts";
import { judgeHere } from "./judges.ts";

/** Events that shrinking one finding may cost: some tens of seconds, or so many times what a large world costs. */
const SHRINK_EVENTS_MAX = 600_000;
const SHRINK_WORLDS_MAX = 3;

/** A world that is to be run. */
interface RunTask {
  readonly kind: "run";
  readonly number: number;
  readonly regime: Regime;
}

/** A world that is to be made small, and what it was found to break. */
interface ShrinkTask extends Pick<RunAnswer, "number" | "key" | "promise" | "detail"> {
  readonly kind: "shrink";
  readonly regime: Regime;
  /** Holds 1 once it is to end with what there is. */
  readonly interrupted: Int32Array;
}

/** What a worker is asked. */
export type Task = RunTask | ShrinkTask;

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
async function work(task: Task): Promise<Answer> {
  return task.kind === "run" ? runWorld(task) : shrinkWorld(task);
}

function runWorld({ kind, number, regime }: RunTask): RunAnswer {
  const plan = generatePlan(number, regime);
  const { key, promise, detail, fingerprint, simulatedMicros, judged, excused, sites } = attempt(plan, number);
  const covered = { judged: [...judged], excused: [...excused], sites: [...sites] };
  return { kind, number, key, promise, detail, fingerprint, simulatedMicros, ...covered };
}

async function shrinkWorld(task: ShrinkTask): Promise<ShrinkAnswer> {
  const { kind, number, regime, interrupted } = task;
  const plan = generatePlan(number, regime);
  const isOver = () => Atomics.load(interrupted, 0) === 1;
  if (isOver()) return { kind, number, key: task.key, promise: task.promise, detail: task.detail, plan, tries: 0 };
  // Without workers this is the thread that is interrupted.
  const judges: Judges = { ...oneJudge(), judge: (trial) => judgeHere(trial, isOver) };
  const goesOn = (events: number, ofWorld: number) =>
    !isOver() && events < Math.max(SHRINK_EVENTS_MAX, SHRINK_WORLDS_MAX * ofWorld);
  const options = { goesOn, isFair: promisesFollow, judges };
  const { key, promise, detail, plan: small, tries } = await shrinkPlan(plan, number, options);
  return { kind, number, key, promise, detail, plan: small, tries };
}

/** The trade of those who search. */
export const SEARCHING: Trade<Task, Answer> = { module: import.meta.url, name: "SEARCHING", work };
