/**
 * What a worker does while a world is made small that breaks by a planted mistake: one run, around the core with the mistake.
 */
import type { Trade } from "../../io-sim/cli/crew.ts";
import { isUnwanted, type JudgeTask } from "../../io-sim/cli/judge-task.ts";
import type { Judgement } from "../../io-sim/search/judging.ts";
import { loadPlanted, type PlantedBuild } from "../planted/build.ts";

/** A trial, and the file of the simulator that tries it. */
export interface PlantedTask extends JudgeTask {
  readonly build: string;
}

const loaded = new Map<string, Promise<PlantedBuild>>();

async function work(task: PlantedTask): Promise<Judgement | undefined> {
  const build = loaded.get(task.build) ?? loadPlanted(task.build);
  loaded.set(task.build, build);
  return (await build).judge(task.trial, () => isUnwanted(task));
}

/** The trade of those who judge with a mistake in the core. */
export const JUDGING_PLANTED = { module: import.meta.url, name: "JUDGING_PLANTED", work } satisfies Trade<
  PlantedTask,
  Judgement | undefined
>;
