/**
 * Why a run broke: from where on it was likely, and the fewest things without which it would not have been.
 *
 * A fork is the same run up to a moment and other chance after it (../random.ts), so the share of forks that break in the
 * same way, moment by moment, says when the die was cast. Accidents are the answers of chance that are not harmless; those
 * that flip the verdict when they do not happen are narrowed down by delta debugging, and when no accident matters the
 * steps of the story are.
 */
import type { DecisionPlan } from "../base/decisions.ts";
import type { Plan, StepPlan } from "../story/plan.ts";
import { type Accident, streamName } from "./accidents.ts";
import { type Judgement, type Judges, type Trial, tryInOrder } from "./judging.ts";
import { LATE_MICROS } from "./sooner.ts";

/** A world that breaks, and how. */
export interface Breaking {
  readonly plan: Plan;
  readonly seed: number;
  /** What came of it, drain and all, with what it asked of chance. */
  readonly breach: Judgement;
}

/** How likely the same breach is when chance is new from a moment on. */
export interface ForkPoint {
  /** Of the story. */
  readonly atMicros: number;
  readonly broken: number;
  readonly forks: number;
}

/** The fewest things without which the run holds. */
export interface Culprits {
  readonly accidents: readonly Accident[];
  readonly steps: readonly StepPlan[];
  /** Whether nobody said stop before all was tried; otherwise fewer may do, or others. */
  readonly isComplete: boolean;
}

/** Who makes the runs of an explanation, and for how long. */
export interface ExplainOptions {
  readonly judges: Judges;
  /** Asked before each run; false leaves the rest out, and so does a run that is given up. */
  readonly goesOn: () => boolean;
}

/** A fork: chance is new from this point on, for the so manieth time. */
interface Fork {
  readonly point: { readonly atMicros: number; broken: number; forks: number };
  readonly number: number;
}

/**
 * The fork curve of so many points, from the beginning of the story to its breach; empty when the breach comes before the
 * story. Every point gets its first fork before any gets its second, so that a curve that was stopped is a whole one with
 * fewer forks.
 */
export async function forkCurve(
  breaking: Breaking,
  { points, forks }: { readonly points: number; readonly forks: number },
  { judges, goesOn }: ExplainOptions,
): Promise<ForkPoint[]> {
  const { key, atMicros } = breaking.breach;
  if (atMicros < 0) return [];
  const curve = Array.from({ length: points }, (_, point) => {
    return { atMicros: Math.floor((atMicros * point) / Math.max(1, points - 1)), broken: 0, forks: 0 };
  });
  const wanted = Array.from({ length: forks }, (_, fork) => curve.map((point): Fork => ({ point, number: fork + 1 })));
  const trialOf = ({ point, number }: Fork) =>
    trialLike(breaking, { turn: { atMicros: point.atMicros, seed: number } });
  await tryInOrder(judges, whileTrue(goesOn, wanted.flat()), trialOf, ({ point }, judgement) => {
    if (judgement === undefined) return true;
    if (judgement.key === key) point.broken++;
    point.forks++;
    return false;
  });
  return curve.filter((point) => point.forks > 0);
}

function* whileTrue<T>(goesOn: () => boolean, items: Iterable<T>): Generator<T> {
  for (const item of items) {
    if (!goesOn()) return;
    yield item;
  }
}

/**
 * The same run with something otherwise. Where the breach came before the story was over, it comes at its time or a moment
 * later, or is averted; what breaks after that says nothing about it. What is judged at the end needs the whole story.
 */
function trialLike({ plan, seed, breach }: Breaking, change: Partial<Trial>): Trial {
  const end = isJudgedAtEnd({ plan, breach }) ? {} : { untilMicros: Math.max(0, breach.atMicros) + LATE_MICROS };
  return { plan, seed, withoutDrain: !breach.isInDrain, ...end, ...change };
}

/** Whether it broke when the story was over. */
export function isJudgedAtEnd({ plan, breach }: Pick<Breaking, "plan" | "breach">): boolean {
  return breach.isInDrain || breach.atMicros >= plan.runForMicros;
}

/** Steps that are left out alone before any are together: mostly it is the one before the breach. */
const STEPS_ALONE = 3;

/** What does not happen in a run. */
type LeftOut = Pick<Culprits, "accidents" | "steps">;

/**
 * The smallest set of accidents that flips the verdict, or of steps when no accident does; both empty when nothing does.
 * `moment` is when in the story it went wrong, if that was before the breach.
 */
export async function culprits(
  breaking: Breaking,
  { judges, goesOn }: ExplainOptions,
  moment = breaking.breach.atMicros,
): Promise<Culprits> {
  const { plan, breach } = breaking;
  let isComplete = true;
  const goesOnStill = () => {
    isComplete &&= goesOn();
    return isComplete;
  };
  /** The place of the first without which the run holds, or -1. */
  const firstSaviour = async (sets: Iterable<LeftOut>): Promise<number> => {
    let found = -1;
    let index = 0;
    await tryInOrder(
      judges,
      whileTrue(goesOnStill, sets),
      (set) => without(breaking, set),
      (_, judgement) => {
        isComplete &&= judgement !== undefined;
        if (judgement !== undefined && judgement.key !== breach.key) found = index;
        index++;
        return judgement === undefined || found >= 0;
      },
    );
    return found;
  };
  const ofAccidents = (accidents: readonly Accident[]): LeftOut => ({ accidents, steps: [] });
  const ofSteps = (steps: readonly StepPlan[]): LeftOut => ({ accidents: [], steps });
  const off = ({ atMicros }: StepPlan) => Math.abs(moment - atMicros);
  const nearest = [...plan.steps].sort((a, b) => off(a) - off(b)).slice(0, STEPS_ALONE);
  const accidents = breach.chance?.accidents ?? [];
  const sets = [...(accidents.length > 0 ? [ofAccidents(accidents)] : []), ...nearest.map((step) => ofSteps([step]))];
  const place = await firstSaviour(sets);
  const saviour = sets[place] ?? ofSteps([]);
  if (saviour.accidents.length > 0) {
    const fewest = await smallest(accidents, (some) => firstSaviour(mapped(some, ofAccidents)));
    return { accidents: fewest, steps: [], isComplete };
  }
  if (saviour.steps.length > 0 || plan.steps.length === 0 || (await firstSaviour([ofSteps(plan.steps)])) < 0) {
    return { ...saviour, isComplete };
  }
  const steps = await smallest(plan.steps, (some) => firstSaviour(mapped(some, ofSteps)));
  return { accidents: [], steps, isComplete };
}

function* mapped<From, To>(items: Iterable<From>, change: (item: From) => To): Generator<To> {
  for (const item of items) yield change(item);
}

/** The run in which this does not happen. */
function without(breaking: Breaking, { accidents, steps }: LeftOut): Trial {
  const { plan } = breaking;
  const left = steps.length === 0 ? plan : { ...plan, steps: plan.steps.filter((one) => !steps.includes(one)) };
  return trialLike(breaking, { plan: left, decisions: harmless(accidents) });
}

/**
 * A subset of items that still does what all of them do together, from which nothing can be left out. `first` answers the
 * place of the first set that does it, or -1.
 */
export async function smallest<T>(
  items: readonly T[],
  first: (sets: Iterable<readonly T[]>) => Promise<number>,
): Promise<T[]> {
  let kept = [...items];
  for (let chunk = kept.length >> 1; chunk >= 1; ) {
    let removed = false;
    for (let from = 0; from < kept.length && kept.length > 1; ) {
      const list = kept;
      const starts = Array.from({ length: Math.ceil((list.length - from) / chunk) }, (_, turn) => from + turn * chunk);
      const fewer = (start: number) => [...list.slice(0, start), ...list.slice(start + chunk)];
      const taken = await first(mapped(starts, fewer));
      if (taken < 0) break;
      from = starts[taken]!;
      kept = fewer(from);
      removed = true;
    }
    if (!removed || chunk > 1) chunk >>= 1;
  }
  return kept;
}

/** Decisions under which these accidents do not happen. */
function harmless(accidents: readonly Accident[]): DecisionPlan[] {
  const plans = new Map<string, { site: string; entity: string; answers: [number, number][]; others: null }>();
  for (const { site, entity, ordinal } of accidents) {
    const key = streamName({ site, entity });
    const plan = plans.get(key) ?? { site, entity, answers: [], others: null };
    plan.answers.push([ordinal, 0]);
    plans.set(key, plan);
  }
  return [...plans.values()];
}
