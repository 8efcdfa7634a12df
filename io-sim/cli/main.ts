/**
 * The simulator's command line: `lockstep sim` runs stories, `lockstep replay` shows one of them, or a journal, again, and
 * `lockstep diff` finds where two runs part.
 *
 * Results go to standard output, one line each; a progress line for people goes to standard error while it is a terminal.
 * The exit status is 0 when everything held, 1 when a promise was broken or a journal came out differently, and 2 when the
 * command was used wrongly, with one sentence that says how. This is the only place that looks at a real clock.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { createChecksumCrypto, createNodeCrypto } from "../../io-crypto/index.ts";
import { failureReport, traceLines } from "../failure-report.ts";
import { replayJournal } from "../journal.ts";
import { diffJournals } from "../journal-diff.ts";
import { run, type Verdict } from "../run.ts";
import { type LookingOptions, look, looksCloser, readFork, wholeNumber } from "./looking.ts";
import { EXIT, explain, Misuse } from "./misuse.ts";
import { allStories, findStory, type Story } from "./stories.ts";

interface SimOptions extends LookingOptions {
  readonly seed?: string;
  readonly seeds?: string;
  readonly json?: boolean;
  readonly trace?: boolean;
  readonly journal?: string;
}

/** Runs `sim …` or `replay …`: `argv` begins with the command. Answers the exit status. */
export async function main(argv: string[]): Promise<number> {
  let status: number = EXIT.HELD;
  const program = new Command("lockstep").exitOverride().showHelpAfterError(false);
  program.configureOutput({ writeErr: () => {} });
  program
    .command("sim")
    .description("Run stories in the simulator, each with its committed seeds or with the seeds that you name.")
    .argument(
      "[stories...]",
      "file names in sim-scenarios/, names of stories, or paths; all of them when none is given",
    )
    .option("--seed <N>", "one seed instead of the committed ones")
    .option("--seeds <A..B>", "a range of seeds, both ends included")
    .option("--json", "one JSON object a line")
    .option("--trace", "print what happened in each run")
    .option("--journal <FILE>", "write the journal of the run to a file (one story, one seed)")
    .action(async (names: string[], options: SimOptions) => {
      status = await simulate(names, options);
    });
  program
    .command("replay")
    .description("Run one story again with its seed, or feed a journal to the core and compare every effect.")
    .argument("<story-or-journal>", "a story (with --seed), or the path of a journal")
    .option("--seed <N>", "the seed of the run")
    .option("--json", "one JSON object a line")
    .option("--trace", "print what happened in the run")
    .option("--journal <FILE>", "write the journal of the run to a file")
    .option("--until <EVENT|TIME>", "stop after so many events (1200) or at a time of the story (12.5s)")
    .option("--back <K>", "stop K events earlier")
    .option("--state", "print the state there as JSON, without secrets")
    .option("--step", "go on event by event, each time a line is read")
    .option("--fork <SITE/ENTITY/ORDINAL=VALUE>", "with one decision of chance changed")
    .option("--decisions", "list the decisions of chance that the run makes")
    .action(async (name: string, options: SimOptions) => {
      status = await replay(name, options);
    });
  program
    .command("diff")
    .description("Find the first event in which two runs part.")
    .argument("<a>", "a run as STORY@SEED, or the path of a journal")
    .argument("<b>", "the other one")
    .option("--fork <SITE/ENTITY/ORDINAL=VALUE>", "the other one with one decision of chance changed")
    .option("--json", "one JSON object")
    .action(async (a: string, b: string, options: SimOptions) => {
      status = await diff(a, b, options);
    });
  try {
    await program.parseAsync(argv, { from: "user" });
    return status;
  } catch (error) {
    return explain(error);
  }
}

async function simulate(names: readonly string[], options: SimOptions): Promise<number> {
  const stories = names.length === 0 ? await allStories() : await Promise.all(names.map(theStory));
  const runs = stories.flatMap((story) => seedsOf(story, options).map((seed) => ({ story, seed })));
  if (options.journal !== undefined && runs.length !== 1) {
    throw new Misuse("--journal writes one run: name one story and one seed (--seed N).");
  }
  let held = 0;
  for (const { story, seed } of runs) if (runOne(story, seed, options).verdict === "held") held++;
  if (options.json !== true) process.stdout.write(`${held} of ${runs.length} runs held.\n`);
  return held === runs.length ? EXIT.HELD : EXIT.BROKEN;
}

async function replay(name: string, options: SimOptions): Promise<number> {
  const story = await findStory(name);
  if (story !== undefined) {
    const seed = replaySeed(story, options);
    if (looksCloser(options)) return (await look(story, seed, options)) ? EXIT.HELD : EXIT.BROKEN;
    return runOne(story, seed, options).verdict === "held" ? EXIT.HELD : EXIT.BROKEN;
  }
  if (!existsSync(name)) throw new Misuse(`There is no story and no file called "${name}".`);
  if (looksCloser(options)) throw new Misuse("A journal has no world to look into: name a story and its seed.");
  return replayFile(name, options);
}

/** A plan in a file that names one seed needs no other word. */
function replaySeed(story: Story, options: SimOptions): number {
  if (options.seed !== undefined) return wholeNumber(options.seed, "--seed");
  const { name, seeds } = story.plan;
  if (!story.file.endsWith(".json") || seeds.length !== 1) {
    throw new Misuse(`Which run of "${name}"? Name its seed with --seed N.`);
  }
  return seeds[0]!.seed;
}

/** Compares two runs, or journals; statuses as of `diff`: 0 for the same, 1 for a difference. */
async function diff(a: string, b: string, options: SimOptions): Promise<number> {
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
    return run(story.plan, seed, { journal: true, decisions }).journal ?? "";
  }
  if (fork !== undefined) throw new Misuse("--fork changes a run: name it as STORY@SEED.");
  if (!existsSync(name)) throw new Misuse(`There is no file called "${name}"; a run is named as STORY@SEED.`);
  return readFileSync(name, "utf8");
}

function replayFile(file: string, options: SimOptions): number {
  const startedAt = performance.now();
  const result = replayJournal(readFileSync(file, "utf8"), (cipher) =>
    cipher === "real" ? createNodeCrypto() : createChecksumCrypto(createNodeCrypto()),
  );
  const wallMillis = Math.round(performance.now() - startedAt);
  const verdict = result.same ? "held" : "broken";
  const { fingerprint, simulatedMicros, inputs, detail } = result;
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ journal: file, verdict, detail, fingerprint, inputs, simulatedMicros, wallMillis })}\n`,
    );
  } else {
    process.stdout.write(`${verdict.padEnd(6)}  ${file}  ${inputs} inputs  ${fingerprint}  ${detail}\n`);
  }
  return result.same ? EXIT.HELD : EXIT.BROKEN;
}

async function theStory(name: string): Promise<Story> {
  const story = await findStory(name);
  if (story === undefined) throw new Misuse(`There is no story called "${name}" in sim-scenarios/.`);
  return story;
}

function seedsOf(story: Story, options: SimOptions): number[] {
  if (options.seed !== undefined && options.seeds !== undefined) {
    throw new Misuse("Give either --seed or --seeds, not both.");
  }
  if (options.seed !== undefined) return [wholeNumber(options.seed, "--seed")];
  if (options.seeds === undefined) return story.plan.seeds.map(({ seed }) => seed);
  const [first, last, ...rest] = options.seeds.split("..");
  if (first === undefined || last === undefined || rest.length > 0) {
    throw new Misuse(`--seeds takes a range such as 1..20, not "${options.seeds}".`);
  }
  const from = wholeNumber(first, "--seeds");
  const to = wholeNumber(last, "--seeds");
  if (to < from || to - from >= 100_000)
    throw new Misuse("--seeds takes a range of 1 to 100000 seeds, smaller one first.");
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function runOne(story: Story, seed: number, options: SimOptions): Verdict {
  const { plan } = story;
  const startedAt = performance.now();
  const shows = process.stderr.isTTY === true && options.json !== true;
  let shownAt = 0;
  const onProgress = (simulatedMicros: number) => {
    if (!shows || performance.now() - shownAt < 200) return;
    shownAt = performance.now();
    process.stderr.write(`\r\u001b[K${plan.name}, seed ${seed}: ${Math.floor(simulatedMicros / 1_000_000)} s`);
  };
  const verdict = run(plan, seed, { journal: options.journal !== undefined, onProgress });
  const wallMillis = Math.round(performance.now() - startedAt);
  if (shows) process.stderr.write("\r\u001b[K");
  if (options.journal !== undefined) writeFileSync(options.journal, verdict.journal ?? "");
  if (options.trace === true) for (const line of traceLines(verdict)) process.stdout.write(`${line}\n`);
  report(verdict, wallMillis, options);
  return verdict;
}

function report(verdict: Verdict, wallMillis: number, options: SimOptions): void {
  const { story, seed, promise, fingerprint, simulatedMicros } = verdict;
  if (options.json === true) {
    const line = { story, seed, verdict: verdict.verdict, promise, fingerprint, simulatedMicros, wallMillis };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } else if (verdict.verdict === "held") {
    const times = `${(simulatedMicros / 1_000_000).toFixed(1)} s in ${(wallMillis / 1_000).toFixed(1)} s`;
    process.stdout.write(`held    ${story.padEnd(28)} seed ${String(seed).padEnd(5)} ${fingerprint}  ${times}\n`);
  } else process.stdout.write(`${failureReport(verdict).join("\n")}\n`);
}
