/**
 * The code of a shard's thread, put together in one piece from the modules that it consists of.
 *
 * A new thread knows no TypeScript, and one that is taught it (tsx) and loads module after module takes half a second of
 * processor time before it serves: each time, while calls wait for the shard that takes the place of a dead one. Modules in
 * one piece take a tenth of that. The piece is made once, from the sources as they lie there, and kept in memory.
 *
 * What a thread says of its errors names lines of the piece; {@link restoreLines} says where these come from.
 */
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

/** What the piece is called in a stack of calls. */
const NAME = "lockstep-shard.js";

/** The folder that sources are named from. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Code for a `Worker` that evaluates it, and where its lines come from. */
export interface ThreadCode {
  readonly text: string;
  readonly map: string;
}

/** Pieces by the module that they begin with: the shards of a server have one, and tests have others. */
const codes = new Map<string, ThreadCode>();

/** The code of a thread that runs a module. Throws with a sentence when there is no such module. */
export function threadCode(entry: URL): ThreadCode {
  const known = codes.get(entry.href);
  if (known !== undefined) return known;
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(entry)],
    absWorkingDir: ROOT,
    outfile: NAME,
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    target: `node${process.versions.node}`,
    // Packages that are looked up at run time are looked up from here, as they would be by the modules.
    define: { "import.meta.url": JSON.stringify(import.meta.url) },
    sourcemap: "external",
    logLevel: "silent",
  });
  const textOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))!.text;
  const code = { text: `${textOf(NAME)}\n//# sourceURL=${NAME}\n`, map: textOf(`${NAME}.map`) };
  codes.set(entry.href, code);
  return code;
}

/** Puts into the stack of an error that a thread has told where its lines come from. Anything else is left as it is. */
export function restoreLines({ map }: ThreadCode, error: unknown): void {
  if (!(error instanceof Error) || error.stack?.includes(NAME) !== true) return;
  const sources = new SourceMap(JSON.parse(map));
  error.stack = error.stack.replace(new RegExp(`${NAME}:(\\d+):(\\d+)`, "g"), (place, line, column) => {
    const entry = sources.findEntry(Number(line) - 1, Number(column) - 1);
    if (!("originalSource" in entry)) return place;
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}
