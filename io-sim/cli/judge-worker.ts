/**
 * What a worker does for a search that has several candidates tried at once: one run, given up when it is wanted no more.
 */
import { type Judgement, judge } from "../search/judging.ts";
import type { Trade } from "./crew.ts";
import { isUnwanted, type JudgeTask } from "./judge-task.ts";

function work(task: JudgeTask): Judgement | undefined {
  return judge(task.trial, () => isUnwanted(task));
}

/** The trade of those who judge. */
export const JUDGING = { module: import.meta.url, name: "JUDGING", work } satisfies Trade<
  JudgeTask,
  Judgement | undefined
>;
