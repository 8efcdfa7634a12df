/**
 * Writes a world that was found as a story file.
 *
 * A text that the words of stories suffice for is read back before it is trusted: only when it compiles to the very plan
 * that it was made of does it stay; otherwise the plan is kept as JSON.
 */

import { rmSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { readableTimes } from "../base/readable-times.ts";
import { PROMISES, type PromiseId } from "../oracles/promises.ts";
import { storyText } from "../search/story-text.ts";
import { tellStory } from "../search/telling.ts";
import type { Plan } from "../story/plan.ts";
import { planToJson } from "../story/plan-json.ts";
import { makeFolder, writeOrMisuse } from "./files.ts";
import { findStory } from "./stories.ts";

const PROJECT_FOLDER = fileURLToPath(new URL("../../", import.meta.url));
const INDEX = fileURLToPath(new URL("../index.ts", import.meta.url));

/** Where stories live that a search has found; they are part of the gate. */
export const FOUND_FOLDER = fileURLToPath(new URL("../../sim-scenarios/found/", import.meta.url));

/** A world in the shape of a story: told, with its one seed, and with a reason why it was written down. */
export interface FoundStory {
  readonly plan: Plan;
  /** What is wrong, a sentence or two. */
  readonly why: string;
  /** How the file is called, without its ending. */
  readonly fileName: string;
}

/** How worlds are called that a search has made, and those that were made from them. */
const NUMBERED = /\bworld \d+$/;

/** What is said of the name of a story that somebody has written, when it was made small. */
const MADE_SMALL = ", made small";

/** The story of a world that breaks this promise with this seed; `detail` is what was seen of it. */
export function foundStory(
  plan: Plan,
  seed: number,
  { promise, detail }: { readonly promise: PromiseId | ""; readonly detail: string },
): FoundStory {
  const id = promise === "" ? "nothing" : promise;
  const isNumbered = NUMBERED.test(plan.name);
  const told: Plan = {
    ...plan,
    name: isNumbered ? `${id} in world ${seed}` : `${plan.name.replace(MADE_SMALL, "")}${MADE_SMALL}`,
    story: tellStory(plan, promise),
    seeds: [{ seed, why: isNumbered ? "the world in which it was found" : "the seed that it broke with" }],
  };
  const why = `${promise === "" ? "" : `${promise}: ${PROMISES[promise]} `}${readableTimes(detail)}`;
  return { plan: told, why, fileName: told.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-") };
}

/** The text of the story for a file in `folder`, or undefined when its words do not suffice. */
export function foundText({ plan, why }: FoundStory, folder = FOUND_FOLDER): string | undefined {
  const path = relative(folder, INDEX).replaceAll("\\", "/");
  return storyText(plan, { why, importFrom: path.startsWith(".") ? path : `./${path}` });
}

/** Writes the story into the folder and answers the path. */
export async function writeStory(found: FoundStory, folder: string): Promise<string> {
  const { plan, fileName } = found;
  makeFolder(folder);
  // Outside of the project nothing says that a .ts file is a module.
  const outside = relative(PROJECT_FOLDER, folder).startsWith("..");
  const file = join(folder, `${fileName}.${outside ? "mts" : "ts"}`);
  const text = foundText(found, folder);
  if (text !== undefined) {
    writeOrMisuse(file, text);
    const written = await findStory(file);
    if (JSON.stringify(sorted(written?.plan)) === JSON.stringify(sorted(plan))) return file;
    rmSync(file);
  }
  const json = join(folder, `${fileName}.json`);
  writeOrMisuse(json, planToJson(plan));
  return json;
}

/** The same with the fields of each object in one order. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
