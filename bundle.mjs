/**
 * Modules in one piece: TypeScript and all that it imports as one text of JavaScript, which begins to run in a tenth of the
 * time that loading hundreds of files takes. A piece is made by esbuild from the sources as they lie there, and kept in
 * memory: there is nothing to build beforehand, nothing to write, and nothing that could be out of date.
 *
 * Whoever runs a piece sees its lines in the stacks of errors; {@link restoreLines} says which lines of the sources they are.
 * This file is plain JavaScript because the launcher needs it before anything here understands TypeScript.
 */
import { createRequire, SourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import { compileFunction } from "node:vm";

const ROOT = new URL("./", import.meta.url);
const require = createRequire(import.meta.url);

/** Packages that can be required as they lie there. The others are ES modules, and become part of the piece. */
const APART = ["@hono/*", "commander", "esbuild", "hono", "hono/*", "koffi", "pino", "prom-client", "zod"];

/** The piece that begins with the module `entry` (a URL), called `name` in stacks. Throws when there is no such module. */
export function bundle(entry, name) {
  const { outputFiles } = require("esbuild").buildSync({
    entryPoints: [fileURLToPath(entry)],
    absWorkingDir: fileURLToPath(ROOT),
    outfile: name,
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    target: `node${process.versions.node}`,
    external: APART,
    // A piece has no place of its own. Whoever asks for one (program.ts, for files; createRequire, for packages) lies on top.
    define: { "import.meta.url": JSON.stringify(new URL("program.ts", ROOT).href) },
    sourcemap: "external",
    logLevel: "silent",
  });
  const textOf = (end) => outputFiles.find(({ path }) => path.endsWith(end)).text;
  return { name, text: textOf(name), map: textOf(`${name}.map`) };
}

/** Runs the module `entry` in one piece, with its lines restored in every stack; answers with what it exports. */
export function runBundled(entry, name) {
  const piece = bundle(entry, name);
  Error.prepareStackTrace = (error, sites) =>
    restoreLines(piece, [String(error), ...sites.map((site) => `    at ${site}`)].join("\n"));
  const module = { exports: {} };
  compileFunction(piece.text, ["require", "module", "exports"], { filename: name })(require, module, module.exports);
  return module.exports;
}

/** A stack of calls in which the lines of a piece are those of the sources. */
export function restoreLines({ name, map }, stack) {
  if (!stack.includes(name)) return stack;
  const sources = new SourceMap(JSON.parse(map));
  return stack.replace(new RegExp(`${name}:(\\d+):(\\d+)`, "g"), (place, line, column) => {
    const entry = sources.findEntry(Number(line) - 1, Number(column) - 1);
    if (!("originalSource" in entry)) return place;
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}
