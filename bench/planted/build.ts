/**
 * Builds the simulator around a core with a mistake in it: bundles the sources with some of their text replaced, and loads
 * what comes out as a module of its own.
 *
 * The bundle lies among the caches of `node_modules`, so that the packages which it imports are found from there.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { threadId } from "node:worker_threads";
import { build } from "esbuild";
import type { attempt } from "../../io-sim/search/attempt.ts";
import type { judge } from "../../io-sim/search/judging.ts";
import type { shrinkPlan } from "../../io-sim/search/shrink.ts";
import type { Edit, Mistake } from "./mistake.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What is taken of the simulator around the mistake: a try of a world, and what makes a world small by trying. */
const ENTRY = `
  export { attempt } from "./io-sim/search/attempt.ts";
  export { judge } from "./io-sim/search/judging.ts";
  export { shrinkPlan } from "./io-sim/search/shrink.ts";
`;

/** A simulator of its own, whose core has a mistake in it. */
export interface PlantedBuild {
  readonly attempt: typeof attempt;
  readonly judge: typeof judge;
  readonly shrinkPlan: typeof shrinkPlan;
}

/** The text of a file with its edits; throws when a text that is to be replaced does not stand there exactly once. */
export function edited(file: string, text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const edit of edits) {
    if (edit.file !== file) continue;
    const times = result.split(edit.from).length - 1;
    if (times !== 1) throw new Error(`In ${file} this text stands ${times} times, not once: ${edit.from}`);
    result = result.replace(edit.from, () => edit.to);
  }
  return result;
}

/** The sources that a mistake changes, as they are with it. */
export function plantedSources({ edits }: Mistake): Map<string, string> {
  const files = new Set(edits.map(({ file }) => file));
  return new Map([...files].map((file) => [file, edited(file, readFileSync(`${ROOT}${file}`, "utf8"), edits)]));
}

/** Builds the simulator with this mistake, and loads it. */
export async function buildPlanted(mistake: Mistake): Promise<PlantedBuild> {
  const file = await writePlanted(mistake);
  try {
    return await loadPlanted(file);
  } finally {
    rmSync(file);
  }
}

/** Builds the simulator with this mistake, and answers the file that it lies in then, which is to be removed. */
export async function writePlanted(mistake: Mistake): Promise<string> {
  const sources = plantedSources(mistake);
  const bundle = await build({
    stdin: { contents: ENTRY, resolveDir: ROOT },
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    write: false,
    plugins: [
      {
        name: "planted",
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const contents = sources.get(path.slice(ROOT.length));
            return contents === undefined ? null : { contents, loader: "ts" };
          });
        },
      },
    ],
  });
  const folder = `${ROOT}node_modules/.cache/lockstep`;
  // Several threads may build the same at a time.
  const file = `${folder}/${mistake.id}-${process.pid}-${threadId}.mjs`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, bundle.outputFiles[0]!.text);
  return file;
}

/** The simulator that was built into this file. */
export function loadPlanted(file: string): Promise<PlantedBuild> {
  return import(pathToFileURL(file).href) as Promise<PlantedBuild>;
}
