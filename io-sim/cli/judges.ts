/**
 * Judges for a search that somebody waits for: this thread at first, and a crew of workers once the search has gone on for so
 * long that it is worth their coming.
 *
 * To load their code takes workers longer than a small search takes as a whole, so they are called when some time has passed.
 * From then on this thread only waits, and hears an interrupt at once. What is found is the same with any number of them
 * (../search/judging.ts).
 */
import { type Judgement, type Judges, judge, type Trial } from "../search/judging.ts";
import { type Crew, createCrew, type Trade } from "./crew.ts";
import type { JudgeTask } from "./judge-task.ts";
import { JUDGING } from "./judge-worker.ts";

/** How often it is looked whether the search is over. */
const LOOK_MILLIS = 50;

/** Judges who have to be sent home. */
export interface HiredJudges extends Judges {
  readonly close: () => Promise<void>;
}

/** How judges are hired. */
export interface Hiring {
  /** Workers, of whom this thread is none; with 0 it goes on alone. */
  readonly workers: number;
  /** When the search began, as `performance.now()` tells it. */
  readonly startedAt: number;
  /**
   * When workers are called: a search that has gone on for so long will go on for longer. They take a second or two until they
   * are ready, so the less is gained by them the later this is.
   */
  readonly calledAfterMillis: number;
  /** Whether the search is over; then what is being tried is given up. */
  readonly isOver: () => boolean;
}

/** What judges do: a run in this thread, which is given up when the second argument says so, and the same in a worker. */
export interface JudgingTrade<Task extends JudgeTask> {
  readonly judge: typeof judge;
  readonly trade: Trade<Task, Judgement | undefined>;
  readonly taskOf: (task: JudgeTask) => Task;
}

/** The trade of those who judge with the core as it is. */
const USUAL: JudgingTrade<JudgeTask> = { judge, trade: JUDGING, taskOf: (task) => task };

/** Judges for a search. */
export function hireJudges(hiring: Hiring): HiredJudges {
  return hireJudgesOf(USUAL, hiring);
}

/** A run in this thread, which first hears what it was told meanwhile, such as an interrupt; undefined when it is given up. */
export async function judgeHere(
  trial: Trial,
  isOver: () => boolean,
  judgeOne: typeof judge = judge,
): Promise<Judgement | undefined> {
  await new Promise((turn) => setImmediate(turn));
  return isOver() ? undefined : judgeOne(trial, isOver);
}

/** Judges of this trade. */
export function hireJudgesOf<Task extends JudgeTask>(
  { judge, trade, taskOf }: JudgingTrade<Task>,
  { workers, startedAt, calledAfterMillis, isOver }: Hiring,
): HiredJudges {
  let crew: Crew<Task, Judgement | undefined> | undefined;
  const firstWanted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  let number = 0;
  const giveUp = () => Atomics.store(firstWanted, 0, number);
  const looking = setInterval(() => {
    if (isOver()) giveUp();
  }, LOOK_MILLIS);
  const callWorkers = () => {
    if (workers > 0 && performance.now() - startedAt >= calledAfterMillis) crew ??= createCrew(trade, workers);
  };
  // While the search looks at what it has to before any trial, they may come already.
  callWorkers();
  const judgeOne = async (trial: Trial) => {
    callWorkers();
    if (crew === undefined) return judgeHere(trial, isOver, judge);
    return isOver() ? undefined : crew.ask(taskOf({ trial, number: number++, firstWanted }));
  };
  return {
    size: () => crew?.size ?? 1,
    judge: judgeOne,
    giveUp,
    close: async () => {
      clearInterval(looking);
      await crew?.close();
    },
  };
}
