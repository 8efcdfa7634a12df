/**
 * A trial as it is handed to a worker, with what tells him that it is wanted no more.
 */
import type { Trial } from "../search/judging.ts";

/** A trial with its number, and a word that threads share: trials with lower numbers than it says are wanted no more. */
export interface JudgeTask {
  readonly trial: Trial;
  readonly number: number;
  readonly firstWanted: Int32Array;
}

/** Whether it is wanted no more. */
export function isUnwanted({ number, firstWanted }: JudgeTask): boolean {
  return number < Atomics.load(firstWanted, 0);
}
