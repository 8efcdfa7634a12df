/**
 * Builds the simulator around a core with one file changed, for tests that plant an impurity: all sources as plain
 * JavaScript in a folder of their own among the caches of `node_modules`, where packages are found and nothing is
 * transformed once more. Each build is a set of modules of its own, with state of its own if there is any.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import type { run } from "../../../io-sim/world/run.ts";

/** The project's root, with a slash at its end. */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const CACHE = `${ROOT}node_modules/.cache/lockstep-impure-${process.pid}`;
const FOLDERS = ["core", "io-crypto", "io-sim"] as const;

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/** A simulator with a core of its own. */
export interface ImpureBuild {
  readonly run: typeof run;
}

/** The sources as JavaScript, by their paths from the root. */
export function transpileSources(): Map<string, string> {
  const sources = new Map<string, string>();
  for (const folder of FOLDERS) {
    for (const name of readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" })) {
      const path = `${folder}/${name.replaceAll("\\", "/")}`;
      if (path.endsWith(".ts")) sources.set(path, transpile(readFileSync(ROOT + path, "utf8")));
    }
  }
  return sources;
}

/** Loads the simulator out of these sources, with `text` (TypeScript) in the place of the file at `path`. */
export async function buildImpure(
  sources: ReadonlyMap<string, string>,
  name: string,
  path: string,
  text: string,
): Promise<ImpureBuild> {
  const folder = `${CACHE}/${name}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/package.json`, '{"type":"module"}');
  for (const [file, source] of [...sources, [path, transpile(text)] as const]) {
    const target = `${folder}/${file.replace(/\.ts$/, ".js")}`;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, source);
  }
  return (await import(pathToFileURL(`${folder}/io-sim/world/run.js`).href)) as ImpureBuild;
}

/** Removes all that was built. */
export function removeImpureBuilds(): void {
  rmSync(CACHE, { recursive: true, force: true });
}

function transpile(text: string): string {
  return ts.transpileModule(text, { compilerOptions: OPTIONS }).outputText;
}
