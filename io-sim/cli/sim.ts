/**
 * `lockstep sim`: runs stories, each with its committed seeds or with those that are named.
 */
import { EXIT, Misuse, wholeNumber } from "./misuse.ts";
import { type RunningOptions, runOne } from "./running.ts";
import { allStories, type Story, theStory } from "./stories.ts";
import { answer, createSubcommand } from "./subcommand.ts";

interface SimOptions extends RunningOptions {
  readonly seed?: string;
  readonly seeds?: string;
}

/** Seeds of one range. */
const SEEDS_MAX = 100_000;

/** Runs `sim …`. */
export function sim(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "sim",
    "Run stories in the simulator, each with its committed seeds or with the seeds that you name.",
  )
    .argument(
      "[stories...]",
      "file names in sim-scenarios/, names of stories, or paths; all of them when none is given",
    )
    .option("--seed <N>", "one seed instead of the committed ones")
    .option("--seeds <A..B>", "a range of seeds, both ends included")
    .option("--json", "one JSON object a line")
    .option("--trace", "print what happened in each run")
    .option("--journal <FILE>", "write the journal of the run to a file (one story, one seed)");
  return answer(command, words, simulate);
}

async function simulate(names: readonly string[], options: SimOptions): Promise<number> {
  const stories = names.length === 0 ? await allStories() : await Promise.all(names.map(theStory));
  const runs = stories.flatMap((story) => seedsOf(story, options).map((seed) => ({ story, seed })));
  if (options.journal !== undefined && runs.length !== 1) {
    throw new Misuse("--journal writes one run: name one story and one seed (--seed N).");
  }
  let held = 0;
  for (const { story, seed } of runs) if (runOne(story, seed, options).verdict === "held") held++;
  // One run speaks for itself, and a broken one ends with the command that shows it again.
  if (options.json !== true && runs.length > 1) process.stdout.write(`${held} of ${runs.length} runs held.\n`);
  return held === runs.length ? EXIT.HELD : EXIT.BROKEN;
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
  if (to < from || to - from >= SEEDS_MAX) {
    throw new Misuse(`--seeds takes a range of 1 to ${SEEDS_MAX} seeds, smaller one first.`);
  }
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
