/**
 * Where the command line finds stories: the files of `sim-scenarios/`, by file name, by the story's own name, or by path.
 * A path may also name a plan as JSON.
 */
import { existsSync, readdirSync } from "node:fs";
import { basename, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { LockstepError } from "../../core/index.ts";
import type { Plan } from "../story/plan.ts";
import { planFromJson } from "../story/plan-json.ts";
import { kindOf, looksLikeJournal, readOrMisuse } from "./files.ts";
import { Misuse, wholeNumber } from "./misuse.ts";
import { didYouMean } from "./nearest.ts";

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
  if (name.endsWith(".json") && kindOf(name) === "file") return { file: resolve(name), plan: readPlan(name) };
  if (/\.m?ts$/.test(name) && kindOf(name) === "file") return loadStory(resolve(name));
  const stories = await allStories();
  return stories.find(({ file, plan }) => plan.name === name || basename(file, ".ts") === basename(name, ".ts"));
}

/** The story that is meant by `name`; there has to be one. */
export async function theStory(name: string): Promise<Story> {
  const story = await findStory(name);
  if (story === undefined) throw new Misuse(await noSuchStory(name));
  return story;
}

/** The sentence that says that there is no such story, and which one may have been meant. */
export async function noSuchStory(name: string): Promise<string> {
  const kind = kindOf(name);
  if (kind === "folder") return `"${name}" is a folder: name one of the stories in it.`;
  if (kind === "file" && looksLikeJournal(readOrMisuse(name))) {
    return `"${name}" is a journal, which has no clients to look at: name the story that it came from, or play it with "lockstep replay".`;
  }
  if (kind === "file") return `"${name}" is no story and no plan: those end in .ts, .mts or .json.`;
  const isPath = /[\\/]/.test(name);
  if (isPath && /\.(m?ts|json)$/.test(name)) return `There is no file "${name}".`;
  const what = isPath || /\.\w+$/.test(name) ? "file and no story" : "story";
  const question = didYouMean(
    name,
    (await allStories()).map(({ plan }) => plan.name),
  );
  const help = question === "" ? ' "lockstep sim --help" says how stories are named.' : question;
  return `There is no ${what} called "${name}" in sim-scenarios/.${help}`;
}

/** The seed of one run: the text behind `--seed`, or the only seed that is committed. */
export function theSeed({ plan }: Story, text: string | undefined): number {
  if (text !== undefined) return wholeNumber(text, "--seed");
  const { name, seeds } = plan;
  if (seeds.length === 1) return seeds[0]!.seed;
  const committed = seeds.map(({ seed }) => seed).join(", ");
  throw new Misuse(`Which run of "${name}"? Name its seed with --seed N; committed are ${committed}.`);
}

/** What the command line finds the story by: its name when it is committed, its path from here otherwise. */
export function replayName({ file, plan }: Story): string {
  if (file.startsWith(FOLDER)) return plan.name;
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}

function storyFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((file) => `${folder}${file}`);
}

/** The plan in a file; what is wrong with it is said with the file's name. */
function readPlan(file: string): Plan {
  const text = readOrMisuse(file);
  if (looksLikeJournal(text)) throw new Misuse(`"${file}" is a journal and no plan: call it otherwise than .json.`);
  try {
    return planFromJson(text.toString("utf8"));
  } catch (error) {
    throw new Misuse(`Can't read a plan from "${file}": ${(error as Error).message}`);
  }
}

async function loadStory(file: string): Promise<Story> {
  const module = await importOrMisuse(file);
  if (module.default?.peers === undefined) throw new Misuse(`"${file}" exports no story by default.`);
  return { file, plan: module.default };
}

/** What a person's own file throws is that person's to mend. */
async function importOrMisuse(file: string): Promise<{ default?: Plan }> {
  try {
    return (await import(pathToFileURL(file).href)) as { default?: Plan };
  } catch (error) {
    if (error instanceof LockstepError) throw error;
    const { message, code } = error as NodeJS.ErrnoException;
    // Node takes a .ts file for an old kind of module when no package.json above it says otherwise.
    if (code === "ERR_REQUIRE_CYCLE_MODULE")
      throw new Misuse(`Outside of the project a story's name ends in .mts, not "${file}".`);
    throw new Misuse(`Can't load "${file}": ${firstSentence(message)}${placeIn(error, file)}`);
  }
}

/** What a message of several lines begins with; where a compiler counts its errors first, the first of them. */
function firstSentence(message: string): string {
  const [first = "", second = first] = message.split("\n").flatMap((line) => line.trim() || []);
  return first.endsWith(":") ? second : first;
}

/** Where in the file it was thrown, as " (line 3)"; nothing when the message says it, or nobody knows. */
function placeIn(error: unknown, file: string): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const place = stack.split("\n").find((line) => line.trimStart().startsWith("at ") && line.includes(file));
  const line = place === undefined ? undefined : /:(\d+):\d+\)?$/.exec(place)?.[1];
  return line === undefined ? "" : ` (line ${line})`;
}
