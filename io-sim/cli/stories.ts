/**
 * Where the command line finds stories: the files of `sim-scenarios/`, by file name, by the story's own name, or by path. A path may
 * also name a plan as JSON.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Plan } from "../plan.ts";
import { planFromJson } from "../plan-json.ts";

const FOLDER = fileURLToPath(new URL("../../sim-scenarios/", import.meta.url));

/** A story with the file it came from. */
export interface Story {
  readonly file: string;
  readonly plan: Plan;
}

/** Every committed story, in the order of the file names, those under `found/` last. */
export async function allStories(): Promise<Story[]> {
  const found = `${FOLDER}found/`;
  const files = [...storyFiles(FOLDER), ...(existsSync(found) ? storyFiles(found) : [])];
  return Promise.all(files.map(loadStory));
}

/** The story that is meant by `name`, or undefined. */
export async function findStory(name: string): Promise<Story | undefined> {
  if (name.endsWith(".json") && existsSync(name)) {
    return { file: resolve(name), plan: planFromJson(readFileSync(name, "utf8")) };
  }
  if (name.endsWith(".ts") && existsSync(name)) return loadStory(resolve(name));
  const stories = await allStories();
  return stories.find(({ file, plan }) => plan.name === name || basename(file, ".ts") === basename(name, ".ts"));
}

function storyFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((file) => `${folder}${file}`);
}

async function loadStory(file: string): Promise<Story> {
  const module = (await import(pathToFileURL(file).href)) as { default?: Plan };
  if (module.default?.peers === undefined) throw new Error(`${file} exports no story by default.`);
  return { file, plan: module.default };
}
