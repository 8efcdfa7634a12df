/**
 * Makes a world in which a promise breaks as small as it can be, while the same promise breaks in the same way.
 *
 * What is asked, and in which order, stands in ./smaller.ts; here candidates are tried, by as many judges as there are
 * (./judging.ts). One counts only when it makes sense, when `isFair` says that its promises may be made at all, and when its
 * run breaks under the same key (./attempt.ts). The small world does not depend on the number of judges.
 */
import type { PromiseId } from "../oracles/promises.ts";
import type { Plan } from "../story/plan.ts";
import { isSound } from "./attempt.ts";
import { type Judgement, type Judges, judge, oneJudge, type Trial, tryInOrder } from "./judging.ts";
import { type Answer, type Broken, type Question, type Search, smaller } from "./smaller.ts";

/** How a world is shrunk. */
export interface ShrinkOptions {
  /**
   * Asked before each try, with the events that all tries that were looked at have run, and those of the whole world; false
   * ends the search with what there is. Several judges are ahead of what was looked at.
   */
  readonly goesOn: (events: number, worldEvents: number) => boolean;
  /** Whether a candidate's promises may be made; see ./settling.ts. */
  readonly isFair: (plan: Plan) => boolean;
  /** What came of the world as it is, drain and all, when it was tried already. */
  readonly whole?: Judgement;
  /** Who tries candidates, when it is not done here and now. A try that is given up ends the search with what there is. */
  readonly judges?: Judges;
  /** Hears of each step forward. */
  readonly onSmaller?: (plan: Plan, tries: number) => void;
}

/** What came of it. */
export interface Shrunk {
  /** What breaks, before as after; see ./attempt.ts. "" when nothing does. */
  readonly key: string;
  readonly promise: PromiseId | "";
  /** What was seen in the small world. */
  readonly detail: string;
  readonly plan: Plan;
  /** Whether all was tried, and nobody said stop. */
  readonly isComplete: boolean;
  /** Runs that were made, without those that were in vain because somebody was ahead. */
  readonly tries: number;
  /** Events of all those runs. */
  readonly events: number;
}

/** A search, and what was done for it. */
interface Trying {
  readonly search: Search;
  readonly seed: number;
  readonly key: string;
  readonly withoutDrain: boolean;
  readonly worldEvents: number;
  readonly judges: Judges;
  readonly options: ShrinkOptions;
  /** Plans that were tried; none is tried twice, so changes that undo each other come to an end. */
  readonly tried: Set<string>;
  tries: number;
  events: number;
  isOver: boolean;
}

/** Shrinks a plan that breaks with this seed. */
export async function shrinkPlan(plan: Plan, seed: number, options: ShrinkOptions): Promise<Shrunk> {
  const whole = options.whole ?? judge({ plan, seed, withoutDrain: false })!;
  const { key, events, isInDrain } = whole;
  const trying: Trying = {
    search: { best: brokenOf(plan, whole) },
    seed,
    key,
    withoutDrain: !isInDrain,
    worldEvents: events,
    judges: options.judges ?? oneJudge(),
    options,
    tried: new Set([JSON.stringify(plan)]),
    tries: 1,
    events,
    isOver: false,
  };
  const questions = smaller(trying.search);
  for (let asked = questions.next(); key !== "" && asked.done !== true && goesOn(trying); ) {
    asked = questions.next(await answerTo(asked.value, trying));
  }
  const { tries, isOver } = trying;
  const { plan: small, promise, detail } = trying.search.best;
  return { key, promise, detail, plan: small, isComplete: !isOver, tries, events: trying.events };
}

/** Whether there is time for another try. */
function goesOn(trying: Trying): boolean {
  trying.isOver ||= !trying.options.goesOn(trying.events, trying.worldEvents);
  return !trying.isOver;
}

function answerTo(question: Question, trying: Trying): Promise<Answer> {
  return "candidates" in question ? firstThatBreaks(trying, question.candidates) : chanceOf(trying, question.chanceOf);
}

/** What a candidate is tried as, and its place in the list. */
interface Candidate {
  readonly plan: Plan;
  readonly index: number;
  readonly text: string;
}

/** The first candidate that breaks in the same way. */
async function firstThatBreaks(trying: Trying, plans: Iterable<Plan>): Promise<Answer> {
  const { judges, key } = trying;
  const ahead = new Set<string>();
  const begin = ({ plan, text }: Candidate) => {
    ahead.add(text);
    return trialOf(trying, plan);
  };
  let taken: Answer["taken"];
  await tryInOrder(judges, worthTrying(trying, plans), begin, (candidate, judgement) => {
    ahead.delete(candidate.text);
    trying.isOver ||= judgement === undefined;
    if (judgement === undefined) return true;
    trying.tries++;
    trying.events += judgement.events;
    if (judgement.key !== key) return false;
    trying.options.onSmaller?.(candidate.plan, trying.tries);
    taken = { index: candidate.index, broken: brokenOf(candidate.plan, judgement) };
    return true;
  });
  // Nobody has looked at what came of those behind it, and they may be asked for again.
  for (const text of ahead) trying.tried.delete(text);
  return taken === undefined ? {} : { taken };
}

/** Those that were not tried yet and may be, each while there is time for it. */
function* worthTrying(trying: Trying, plans: Iterable<Plan>): Generator<Candidate> {
  let index = -1;
  for (const plan of plans) {
    index++;
    const text = JSON.stringify(plan);
    if (trying.tried.has(text)) continue;
    trying.tried.add(text);
    if (!isSound(plan) || !trying.options.isFair(plan)) continue;
    if (!goesOn(trying)) return;
    yield { plan, index, text };
  }
}

/** What the world asks of chance. */
async function chanceOf(trying: Trying, plan: Plan): Promise<Answer> {
  const judgement = await trying.judges.judge({ ...trialOf(trying, plan), logsChance: true });
  trying.isOver ||= judgement === undefined;
  trying.events += judgement?.events ?? 0;
  return judgement?.chance === undefined ? {} : { chance: judgement.chance };
}

function trialOf({ seed, withoutDrain }: Trying, plan: Plan): Trial {
  return { plan, seed, withoutDrain };
}

function brokenOf(plan: Plan, { promise, detail, atMicros, involved }: Judgement): Broken {
  return { plan, promise, detail, atMicros, involved };
}
