/**
 * The simulator's commands: each has a file of its own, which is loaded when it is called.
 *
 * Results go to standard output, for people or with `--json` as one JSON value (or one a line, where the command's help says
 * so), and nothing else goes there. Progress for people goes to standard error (./progress.ts). The exit status is 0 when
 * everything held, 1 when a promise was broken or two runs came out differently, and 2 when a command was used wrongly, with
 * one sentence on standard error that says how. Nothing but these commands looks at a real clock.
 */
import { settleEngine } from "./engine.ts";
import { EXIT } from "./misuse.ts";

/** A command gets the words behind its name and answers the exit status. */
type Subcommand = (words: readonly string[]) => Promise<number>;

const SUBCOMMANDS: ReadonlyMap<string, () => Promise<Subcommand>> = new Map([
  ["sim", async () => (await import("./sim.ts")).sim],
  ["replay", async () => (await import("./replay.ts")).replay],
  ["diff", async () => (await import("./diff.ts")).diff],
  ["export", async () => (await import("./export.ts")).exportRun],
  ["explore", async () => (await import("./explore.ts")).explore],
  ["explain", async () => (await import("./explain.ts")).explain],
  ["shrink", async () => (await import("./shrink.ts")).shrink],
]);

/** Runs `sim …`, `replay …` and the others: `argv` begins with the command. Answers the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  const [name = "", ...words] = argv;
  const load = SUBCOMMANDS.get(name);
  settleEngine();
  if (load !== undefined) return (await load())(words);
  process.stderr.write(`The simulator has no command "${name}"; it has ${[...SUBCOMMANDS.keys()].join(", ")}.\n`);
  return EXIT.MISUSED;
}
