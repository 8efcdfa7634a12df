/**
 * `lockstep diff`: finds the first event in which two runs, or journals, part. As with `diff`, the status is 0 for the same
 * and 1 for a difference.
 */
import { isJournal } from "../../core/index.ts";
import { thisProgram } from "../../program.ts";
import { diffJournals } from "../journal/journal-diff.ts";
import { run } from "../world/run.ts";
import { kindOf, looksLikeJournal, readOrMisuse } from "./files.ts";
import { readFork } from "./looking.ts";
import { EXIT, Misuse, wholeNumber } from "./misuse.ts";
import { theStory } from "./stories.ts";
import { answer, createSubcommand } from "./subcommand.ts";

interface DiffOptions {
  readonly fork?: string;
  readonly json?: boolean;
}

/** Runs `diff …`. */
export function diff(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "diff",
    "Find the first event in which two runs part.",
    'lockstep diff "a tunnel@1" yesterday.journal',
  )
    .argument("<a>", "a run as STORY@SEED, or the path of a journal")
    .argument("<b>", "the other one")
    .option("--fork <SITE/ENTITY/ORDINAL=VALUE>", "the other one with one decision of chance changed")
    .option("--json", "one JSON object");
  return answer(command, words, compare);
}

async function compare(a: string, b: string, options: DiffOptions): Promise<number> {
  const [first, second] = [await journalOf(a), await journalOf(b, options.fork)];
  const result = diffJournals(first, second);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ a, b, ...result })}\n`);
  else {
    for (const line of result.before) process.stdout.write(`  ${line}\n`);
    if (!result.same) process.stdout.write(`a ${result.first}\nb ${result.second}\n`);
    process.stdout.write(`${result.detail}\n`);
  }
  return result.same ? EXIT.HELD : EXIT.BROKEN;
}

async function journalOf(name: string, fork?: string): Promise<string> {
  const at = name.lastIndexOf("@");
  if (at > 0) {
    const story = await theStory(name.slice(0, at));
    const seed = wholeNumber(name.slice(at + 1), "The seed behind @");
    const decisions = fork === undefined ? [] : [readFork(story, seed, fork)];
    return run(story.plan, seed, { journal: true, program: thisProgram(), decisions }).journal ?? "";
  }
  if (fork !== undefined) throw new Misuse("--fork changes a run: name it as STORY@SEED.");
  if (kindOf(name) === "nothing") {
    throw new Misuse(`There is no file called "${name}"; a run is named as STORY@SEED.`);
  }
  const file = readOrMisuse(name);
  if (isJournal(new Uint8Array(file))) {
    throw new Misuse(`"${name}" is a server's journal: "lockstep replay ${name}" says where this core parts from it.`);
  }
  if (!looksLikeJournal(file)) throw new Misuse(`"${name}" is no journal; a run is named as STORY@SEED.`);
  return file.toString("utf8");
}
