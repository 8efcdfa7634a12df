/**
 * Makes a world in which a promise breaks as small as it can be, while the same promise breaks in the same way.
 *
 * What is asked, and in which order, stands in ./smaller.ts; here candidates are tried. One counts only when it makes sense,
 * when `isFair` says that its promises may be made at all, and when its run breaks under the same key (./attempt.ts).
 */
import type { Plan } from "../story/plan.ts";
import type { World } from "../world/world.ts";
import { type Attempt, attempt, isSound } from "./attempt.ts";
import { type Answer, type Broken, type Search, smaller } from "./smaller.ts";

/** How a world is shrunk. */
export interface ShrinkOptions {
  /**
   * Asked before each try, with the events that all tries together have run, and those of the whole world; false ends the
   * search with what there is.
   */
  readonly goesOn: (events: number, worldEvents: number) => boolean;
  /** Whether a candidate's promises may be made; see ./settling.ts. */
  readonly isFair: (plan: Plan) => boolean;
  /** Asked before each event of a try whether it is given up: for who has no time to see its end. */
  readonly haltBefore?: (world: World) => boolean;
  /** Hears of each step forward. */
  readonly onSmaller?: (plan: Plan, tries: number) => void;
}

/** What came of it. */
export interface Shrunk {
  /** What breaks, before as after; see ./attempt.ts. */
  readonly key: string;
  readonly plan: Plan;
  /** Runs that were made. */
  readonly tries: number;
  /** Events of all those runs. */
  readonly events: number;
}

/** Plans that were tried; none is tried twice, so changes that undo each other come to an end. */
type Tried = Set<string>;

/** Shrinks a plan that breaks with this seed; the key is "" when it does not. */
export function shrinkPlan(plan: Plan, seed: number, options: ShrinkOptions): Shrunk {
  const { search, key } = beginSearch(plan, seed);
  const tried: Tried = new Set([JSON.stringify(plan)]);
  const worldEvents = search.events;
  let tries = 1;
  const isOver = () => key === "" || !options.goesOn(search.events, worldEvents);
  /** The first candidate that breaks in the same way. */
  const tryAll = (candidates: Iterable<Plan>): Answer => {
    let index = -1;
    for (const candidate of candidates) {
      index++;
      if (!isNew(candidate, tried) || !isSound(candidate) || !options.isFair(candidate)) continue;
      if (isOver()) return undefined;
      tries++;
      const one = attempt(candidate, seed, {
        withoutDrain: search.withoutDrain,
        haltBefore: options.haltBefore ?? (() => false),
      });
      search.events += one.events;
      if (one.key !== key) continue;
      options.onSmaller?.(candidate, tries);
      return { index, broken: brokenOf(candidate, one) };
    }
    return undefined;
  };
  const questions = smaller(search);
  for (let asked = questions.next(); asked.done !== true && !isOver(); ) asked = questions.next(tryAll(asked.value));
  return { key, plan: search.best.plan, tries, events: search.events };
}

/** The first run of all, without the drain if the breach comes before it. */
function beginSearch(plan: Plan, seed: number): { search: Search; key: string } {
  const early = attempt(plan, seed, { withoutDrain: true });
  const withoutDrain = early.key !== "";
  const whole = withoutDrain ? early : attempt(plan, seed);
  const { key, events } = whole;
  return { key, search: { seed, withoutDrain, best: brokenOf(plan, whole), events } };
}

function brokenOf(plan: Plan, { detail, atMicros, involved }: Attempt): Broken {
  return { plan, detail, atMicros, involved };
}

/** Whether the candidate was not asked for before; it is now. */
function isNew(candidate: Plan, tried: Tried): boolean {
  const text = JSON.stringify(candidate);
  if (tried.has(text)) return false;
  tried.add(text);
  return true;
}
