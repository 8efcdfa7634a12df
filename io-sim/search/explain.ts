/**
 * Why a run broke: from where on it was likely, and the fewest things without which it would not have been.
 *
 * A fork is the same run up to a moment and other chance after it (../random.ts), so the share of forks that break in the
 * same way, moment by moment, says when the die was cast. Accidents are the answers of chance that are not harmless; those
 * that flip the verdict when they do not happen are narrowed down by delta debugging, and when no accident matters the
 * steps of the story are.
 */
import { asksForAccidents, type Decision, type DecisionPlan } from "../base/decisions.ts";
import type { Plan, StepPlan } from "../story/plan.ts";
import type { RunOptions } from "../world/run.ts";
import type { World } from "../world/world.ts";
import { type Attempt, attempt } from "./attempt.ts";

/** How likely the same breach is when chance is new from a moment on. */
export interface ForkPoint {
  /** Of the story. */
  readonly atMicros: number;
  readonly broken: number;
  readonly forks: number;
}

/** An answer of chance that was not harmless, and when it was given. */
export interface Accident extends Decision {
  /** Of the story; negative before it. */
  readonly atMicros: number;
}

/** The fewest things without which the run holds. */
export interface Culprits {
  readonly accidents: readonly Accident[];
  readonly steps: readonly StepPlan[];
  /** Whether nobody said stop before all was tried; otherwise fewer may do, or others. */
  readonly isComplete: boolean;
}

/** What bounds an explanation. */
export interface ExplainOptions {
  readonly points: number;
  /** Forks at each point. */
  readonly forks: number;
  /** Asked before each run; false leaves the rest out. */
  readonly goesOn: () => boolean;
  /** Asked before each event of a run whether it is given up, and nothing known of it. */
  readonly haltBefore?: (world: World) => boolean;
}

/**
 * The fork curve, from the beginning of the story to its breach; empty when the breach comes before the story. Every point
 * gets its first fork before any gets its second, so that a curve that was stopped is a whole one with fewer forks.
 */
export function forkCurve(plan: Plan, seed: number, breach: Attempt, options: ExplainOptions): ForkPoint[] {
  if (breach.atMicros < 0) return [];
  const curve = Array.from({ length: options.points }, (_, point) => {
    return { atMicros: Math.floor((breach.atMicros * point) / Math.max(1, options.points - 1)), broken: 0, forks: 0 };
  });
  for (let fork = 1; fork <= options.forks; fork++) {
    for (const point of curve) {
      if (!options.goesOn()) return curve.filter(({ forks }) => forks > 0);
      const turn = { atMicros: point.atMicros, seed: fork };
      const breaks = breaksLikewise(plan, seed, breach, options, { turn });
      if (breaks === undefined) continue;
      if (breaks) point.broken++;
      point.forks++;
    }
  }
  return curve.filter(({ forks }) => forks > 0);
}

/** Whether a run breaks in the same way; undefined when it was given up. */
function breaksLikewise(
  plan: Plan,
  seed: number,
  { key, atMicros }: Attempt,
  options: ExplainOptions,
  how: RunOptions,
): boolean | undefined {
  let isGivenUp = false;
  const haltBefore = (world: World) => {
    isGivenUp ||= options.haltBefore?.(world) === true;
    return isGivenUp;
  };
  const tried = attempt(plan, seed, { ...how, haltBefore, withoutDrain: atMicros <= plan.runForMicros });
  return isGivenUp ? undefined : tried.key === key;
}

/** Steps that are left out alone before any are together: mostly it is the one before the breach. */
const STEPS_ALONE = 3;

/**
 * The smallest set of accidents that flips the verdict, or of steps when no accident does; both empty when nothing does.
 * `moment` is when in the story it went wrong, if that was before the breach.
 */
export function culprits(
  plan: Plan,
  seed: number,
  breach: Attempt,
  options: ExplainOptions,
  moment = breach.atMicros,
): Culprits {
  let isComplete = true;
  const holds = (candidate: Plan, decisions: readonly DecisionPlan[]) => {
    isComplete &&= options.goesOn();
    const breaks = isComplete ? breaksLikewise(candidate, seed, breach, options, { decisions }) : undefined;
    isComplete &&= breaks !== undefined;
    return breaks === false;
  };
  const accidents = smallest(accidentsOf(plan, seed), (some) => holds(plan, harmless(some)));
  if (accidents.length > 0) return { accidents, steps: [], isComplete };
  const without = (some: readonly StepPlan[]) => ({ ...plan, steps: plan.steps.filter((one) => !some.includes(one)) });
  const off = ({ atMicros }: StepPlan) => Math.abs(moment - atMicros);
  const nearest = [...plan.steps].sort((a, b) => off(a) - off(b)).slice(0, STEPS_ALONE);
  const alone = nearest.find((step) => holds(without([step]), []));
  const steps = alone === undefined ? smallest(plan.steps, (some) => holds(without(some), [])) : [alone];
  return { accidents, steps, isComplete };
}

/** A subset that still does it, from which nothing can be left out; empty when all together do not do it. */
export function smallest<T>(items: readonly T[], does: (some: readonly T[]) => boolean): T[] {
  let kept = [...items];
  if (kept.length === 0 || !does(kept)) return [];
  for (let chunk = kept.length >> 1; chunk >= 1; ) {
    let removed = false;
    for (let from = 0; from < kept.length && kept.length > 1; ) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + chunk)];
      if (fewer.length > 0 && does(fewer)) {
        kept = fewer;
        removed = true;
      } else from += chunk;
    }
    if (!removed || chunk > 1) chunk >>= 1;
  }
  return kept;
}

/** The accidents of a run, in order. */
function accidentsOf(plan: Plan, seed: number): Accident[] {
  const accidents: Accident[] = [];
  let world: World | undefined;
  /** Hears each decision as it is made, because only then it is known what time it is. */
  class Listener extends Array<Decision> {
    override push(...decisions: Decision[]): number {
      const time = world === undefined ? 0 : world.loop.now - world.zeroAt;
      const atMicros = world === undefined || world.zeroAt === 0 ? -1 : time;
      for (const decision of decisions) {
        if (decision.answer === 1 && asksForAccidents(decision.site)) accidents.push({ ...decision, atMicros });
      }
      return 0;
    }
  }
  const onWorld = (made: World) => {
    world = made;
  };
  attempt(plan, seed, { decisionLog: new Listener(), onWorld });
  return accidents;
}

/** Decisions under which these accidents do not happen. */
function harmless(accidents: readonly Accident[]): DecisionPlan[] {
  const plans = new Map<string, { site: string; entity: string; answers: [number, number][]; others: null }>();
  for (const { site, entity, ordinal } of accidents) {
    const key = `${site}|${entity}`;
    const plan = plans.get(key) ?? { site, entity, answers: [], others: null };
    plan.answers.push([ordinal, 0]);
    plans.set(key, plan);
  }
  return [...plans.values()];
}
