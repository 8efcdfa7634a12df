/**
 * Trying candidates: one run each, and what a search has to know of it.
 *
 * Candidates stand in an order, and a search takes the first of them that will do. Judges try several at a time, some of them
 * in vain, and yet what is taken is what one judge alone would take: answers are looked at in the order of the candidates,
 * whoever is ready first, and an answer depends on its trial alone. Trials and judgements are plain data, so that a judge may
 * sit in another thread.
 */
import type { DecisionPlan } from "../base/decisions.ts";
import { letOut } from "../base/guards.ts";
import type { PromiseId } from "../oracles/promises.ts";
import type { Plan } from "../story/plan.ts";
import type { World } from "../world/world.ts";
import { createAccidentLog, type LoggedChance } from "./accidents.ts";
import { attempt } from "./attempt.ts";

/** A run that is asked for. */
export interface Trial {
  readonly plan: Plan;
  readonly seed: number;
  /** Whether the drain is left out, and with it what is judged there. */
  readonly withoutDrain: boolean;
  /** The story's time at which the run ends, unjudged, when nothing has broken by then; else it goes on to its end. */
  readonly untilMicros?: number;
  /** Answers of chance that are told otherwise. */
  readonly decisions?: readonly DecisionPlan[];
  /** From when on chance is new. */
  readonly turn?: NonNullable<Plan["turn"]>;
  /** Whether it is told what was asked of chance. */
  readonly logsChance?: boolean;
}

/** What a run has come to; see ./attempt.ts. */
export interface Judgement {
  /** "" when everything held. */
  readonly key: string;
  readonly promise: PromiseId | "";
  readonly detail: string;
  /** Whether no promise was seen to break, but the run itself threw. */
  readonly hasThrown: boolean;
  /** The story's time of the breach, or -1 when the story had not begun. */
  readonly atMicros: number;
  /** Whether it broke when everybody was leaving, or had left. */
  readonly isInDrain: boolean;
  readonly involved: readonly string[];
  readonly events: number;
  /** When it was to be told. */
  readonly chance?: LoggedChance;
}

/** Whoever tries. */
export interface Judges {
  /** How many trials they work on at a time; it may grow. */
  readonly size: () => number;
  /** Tries; undefined when it was given up, and nothing is known. */
  readonly judge: (trial: Trial) => Promise<Judgement | undefined>;
  /** Gives up whatever is being tried. */
  readonly giveUp: () => void;
}

/** Events of a run between two looks at whether it is given up: some milliseconds. */
const EVENTS_BETWEEN_LOOKS = 500;

/** Tries here and now. Undefined when `isGivenUp`, which is asked now and then and may look at the host, has said so. */
export function judge(trial: Trial, isGivenUp: () => boolean = () => false): Judgement | undefined {
  const { plan, seed, withoutDrain, untilMicros = Number.POSITIVE_INFINITY, decisions = [], turn, logsChance } = trial;
  const log = logsChance === true ? createAccidentLog() : undefined;
  let wasGivenUp = false;
  const haltBefore = ({ loop, guard, zeroAt }: World) => {
    if (loop.ran % EVENTS_BETWEEN_LOOKS === 0) wasGivenUp ||= letOut(guard, isGivenUp);
    return wasGivenUp || (zeroAt > 0 && loop.now - zeroAt > untilMicros);
  };
  const options = { withoutDrain, haltBefore, decisions, ...(turn === undefined ? {} : { turn }), ...log?.options };
  const { key, promise, detail, hasThrown, atMicros, isInDrain, involved, events } = attempt(plan, seed, options);
  if (wasGivenUp) return undefined;
  const chance = log === undefined ? {} : { chance: log.logged };
  return { key, promise, detail, hasThrown, atMicros, isInDrain, involved, events, ...chance };
}

/** One judge, in this thread. */
export function oneJudge(isGivenUp?: () => boolean): Judges {
  return { size: () => 1, judge: (trial) => Promise.resolve(judge(trial, isGivenUp)), giveUp: () => {} };
}

/** Candidates ahead of the one that is looked at, for each judge: who is slow keeps nobody waiting. */
const AHEAD = 4;

interface Waiting<T> {
  readonly candidate: T;
  readonly judgement: Promise<Judgement | undefined>;
}

/**
 * Has candidates tried, and hands each to `take` with its judgement, in their order, until that answers true: then whatever
 * else is being tried is given up.
 */
export async function tryInOrder<T>(
  judges: Judges,
  candidates: Iterable<T>,
  trialOf: (candidate: T) => Trial,
  take: (candidate: T, judgement: Judgement | undefined) => boolean,
): Promise<void> {
  const source = candidates[Symbol.iterator]();
  const waiting: Waiting<T>[] = [];
  let unanswered = 0;
  let isOver = false;
  const goOn = () => {
    const size = judges.size();
    // One judge alone does nothing ahead: it would be before the one that may make it needless.
    while (!isOver && unanswered < size && waiting.length < (size === 1 ? 1 : AHEAD * size)) {
      const next = source.next();
      if (next.done === true) return;
      unanswered++;
      const judgement = judges.judge(trialOf(next.value)).finally(() => {
        unanswered--;
        goOn();
      });
      // Whoever fails before his turn must not count as forgotten.
      judgement.catch(() => {});
      waiting.push({ candidate: next.value, judgement });
    }
  };
  try {
    for (goOn(); waiting.length > 0; goOn()) {
      const [{ candidate, judgement }] = waiting as [Waiting<T>];
      const answer = await judgement;
      waiting.shift();
      if (take(candidate, answer)) return;
    }
  } finally {
    isOver = true;
    if (unanswered > 0) judges.giveUp();
  }
}
