/**
 * `lockstep sim`: runs stories, each with its committed seeds or with those that are named.
 *
 * Runs are shared among worker threads and told in the order of the stories, whoever is ready first; a run depends on its
 * plan and its seed alone, so the number of workers changes nothing but the time. A single run, a trace and a journal are
 * the main thread's.
 */
import { cover, coverageText, createCoverage, excusesText } from "../search/coverage.ts";
import { type Crew, createCrew, readWorkers } from "./crew.ts";
import { compareRuns } from "./equalities.ts";
import { writeOrMisuse } from "./files.ts";
import { EXIT, Misuse, readRegime, wholeNumber } from "./misuse.ts";
import { type RunningOptions, runOne } from "./running.ts";
import {
  readScoreboard,
  SCOREBOARD_FILE,
  SCOREBOARD_SEEDS,
  type StoryLines,
  scoreboardLines,
  scoreboardText,
  storiesOnScoreboard,
} from "./scoreboard.ts";
import { SIMULATING, type SimAnswer, type SimTask } from "./sim-worker.ts";
import { allStories, replayName, type Story, theStory } from "./stories.ts";
import { answer, createSubcommand } from "./subcommand.ts";
import { tableHead, tableRow } from "./table.ts";

interface SimOptions extends RunningOptions {
  readonly seed?: string;
  readonly seeds?: string;
  readonly workers?: string;
  readonly regime: string;
  readonly scoreboard?: boolean;
  readonly equalities?: boolean;
}

interface StoryRuns {
  readonly story: Story;
  readonly seeds: readonly number[];
}

/** Seeds of one range. */
const SEEDS_MAX = 100_000;

/** Runs `sim …`. */
export function sim(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "sim",
    "Run stories in the simulator, each with its committed seeds or with the seeds that you name.",
    'lockstep sim "a tunnel" --seeds 1..20',
  )
    .argument(
      "[stories...]",
      "file names in sim-scenarios/, names of stories, or paths; all of them when none is given",
    )
    .option("--seed <N>", "one seed instead of the committed ones")
    .option("--seeds <A..B>", "seeds: a range with both ends included, or several between commas, as in 5,9,20..30")
    .option("--regime <REGIME>", "torture judges safety alone, realistic what was promised too", "realistic")
    .option("--workers <N>", "worker threads; 0 works in the main thread (default: one for each core)")
    .option("--json", "one JSON object a line, one for each run")
    .option("--trace", "print what happened in each run")
    .option("--journal <FILE>", "write the journal of the run to a file (one story, one seed)")
    .option("--equalities", "compare each run with variants of it that may make no difference to anybody")
    .option("--scoreboard", "measure twenty seeds of each story and write sim-scenarios/scoreboard.md");
  return answer(command, words, simulate);
}

async function simulate(names: readonly string[], options: SimOptions): Promise<number> {
  const safetyAlone = readRegime(options.regime) === "torture";
  const workers = readWorkers(options.workers);
  const stories = names.length === 0 ? await allStories() : await Promise.all(names.map(theStory));
  if (options.scoreboard === true) return makeScoreboard(stories, workers, options);
  const runs = stories.map((story) => ({ story, seeds: seedsOf(story, options) }));
  const count = runs.reduce((sum, { seeds }) => sum + seeds.length, 0);
  if (options.equalities === true) return compare(runs, workers, options);
  if (options.journal !== undefined && count !== 1) {
    throw new Misuse("--journal writes one run: name one story and one seed (--seed N).");
  }
  const held =
    count === 1 || options.trace === true
      ? runHere(runs, { ...options, safetyAlone })
      : await runInCrew(runs, workers, safetyAlone, options.json === true);
  // One run speaks for itself, and a broken one ends with the command that shows it again.
  if (options.json !== true && count > 1) process.stdout.write(`${held} of ${count} runs held.\n`);
  return held === count ? EXIT.HELD : EXIT.BROKEN;
}

/** Puts the equalities to the test. What a story promises is compared and not judged. */
async function compare(runs: readonly StoryRuns[], workers: number, options: SimOptions): Promise<number> {
  if (options.journal !== undefined || options.trace !== undefined) {
    throw new Misuse("--equalities compares runs: give it no --journal and no --trace, which tell of one.");
  }
  const all = runs.flatMap(({ story: { plan }, seeds }) => seeds.map((seed) => ({ plan, seed })));
  return (await compareRuns(all, workers, options.json === true)) ? EXIT.HELD : EXIT.BROKEN;
}

/** One run after the other, each reported on in full; answers how many held. */
function runHere(runs: readonly StoryRuns[], options: RunningOptions): number {
  let held = 0;
  for (const { story, seeds } of runs) {
    for (const seed of seeds) if (runOne(story, seed, options).verdict === "held") held++;
  }
  return held;
}

/** All runs on the workers; tells them as a table or as lines of JSON, and answers how many held. */
async function runInCrew(
  runs: readonly StoryRuns[],
  workers: number,
  safetyAlone: boolean,
  json: boolean,
): Promise<number> {
  const names = runs.map(({ story }) => story.plan.name);
  if (!json) process.stdout.write(`${tableHead(names)}\n`);
  const answers = await askAll(runs, workers, { safetyAlone, withoutDrain: false, measures: false }, (ofStory) => {
    process.stdout.write(json ? ofStory.map(jsonLine).join("") : `${tableRow(names, ofStory)}\n`);
  });
  if (!json) for (const { report } of answers.flat()) if (report.length > 0) process.stdout.write(reportText(report));
  if (!json) process.stdout.write(`${coveredByAll(answers.flat())}\n`);
  return answers.flat().filter(({ verdict }) => verdict === "held").length;
}

/** What these runs have covered together, in words. */
function coveredByAll(answers: readonly SimAnswer[]): string {
  const coverage = createCoverage();
  for (const answer of answers) cover(coverage, answer);
  const [first, ...rest] = coverageText(coverage);
  return [`${first!.toUpperCase()}${rest.join("")}.`, ...excusesText(coverage)].join("\n");
}

/** Does all runs; each story's answers are handed over as soon as those of all before it are. */
async function askAll(
  runs: readonly StoryRuns[],
  workers: number,
  how: Pick<SimTask, "safetyAlone" | "withoutDrain" | "measures">,
  onStory: (answers: readonly SimAnswer[]) => void,
): Promise<SimAnswer[][]> {
  const crew: Crew<SimTask, SimAnswer> = createCrew(SIMULATING, workers);
  try {
    const asked = runs.map(({ story, seeds }) => {
      const ask = (seed: number) => crew.ask({ plan: story.plan, seed, replayName: replayName(story), ...how });
      return Promise.all(seeds.map(ask));
    });
    // Whoever fails before his turn must not count as forgotten.
    for (const answers of asked) answers.catch(() => {});
    const told: SimAnswer[][] = [];
    for (const answers of asked) {
      told.push(await answers);
      onStory(told.at(-1)!);
    }
    return told;
  } finally {
    await crew.close();
  }
}

function jsonLine(answer: SimAnswer): string {
  const { story, seed, verdict, promise, detail, fingerprint, simulatedMicros, wallMillis } = answer;
  return `${JSON.stringify({ story, seed, verdict, promise, detail, fingerprint, simulatedMicros, wallMillis })}\n`;
}

function reportText(report: readonly string[]): string {
  return `\n${report.map((line) => `${line}\n`).join("")}`;
}

/** Measures the stories and writes their lines into the scoreboard. Breaches count there and are no failure here. */
async function makeScoreboard(stories: readonly Story[], workers: number, options: SimOptions): Promise<number> {
  const { seed, seeds, journal, trace, json, equalities } = options;
  if ([seed, seeds, journal, trace, json, equalities].some((option) => option !== undefined)) {
    throw new Misuse("--scoreboard has seeds and a form of its own: give it no more than stories and --workers.");
  }
  const committed = storiesOnScoreboard(await allStories()).map(({ plan }) => plan.name);
  const measured = storiesOnScoreboard(stories);
  const stranger = measured.find(({ plan }) => !committed.includes(plan.name));
  if (stranger !== undefined) throw new Misuse(`"${stranger.plan.name}" is no story of sim-scenarios/.`);
  const fresh = new Map<string, StoryLines>();
  const runs = measured.map((story) => ({ story, seeds: SCOREBOARD_SEEDS }));
  const began = performance.now();
  await askAll(runs, workers, { safetyAlone: false, withoutDrain: true, measures: true }, (answers) => {
    const story = measured[fresh.size]!;
    const { name } = story.plan;
    fresh.set(name, scoreboardLines(story, answers));
    const held = answers.filter(({ verdict }) => verdict === "held").length;
    const seconds = Math.round((performance.now() - began) / 1_000);
    process.stdout.write(
      `${fresh.size}/${measured.length}  ${name}: ${held} of ${answers.length} held (${seconds} s)\n`,
    );
    // Written after each story, so that whoever breaks it off keeps what is done and names the others next time.
    writeOrMisuse(SCOREBOARD_FILE, scoreboardText(committed, fresh, readScoreboard()));
  });
  process.stdout.write(`wrote   ${SCOREBOARD_FILE}\n`);
  return EXIT.HELD;
}

function seedsOf(story: Story, options: SimOptions): number[] {
  if (options.seed !== undefined && options.seeds !== undefined) {
    throw new Misuse("Give either --seed or --seeds, not both.");
  }
  if (options.seed !== undefined) return [wholeNumber(options.seed, "--seed")];
  if (options.seeds === undefined) return story.plan.seeds.map(({ seed }) => seed);
  return readSeeds(options.seeds);
}

/** Reads seeds and ranges of seeds between commas, each seed once. */
function readSeeds(text: string): number[] {
  const seeds = new Set<number>();
  for (const part of text.split(",")) {
    const [first, last = first, ...rest] = part.split("..");
    if (first === undefined || last === undefined || rest.length > 0) throw badSeeds(text);
    const from = wholeNumber(first, "--seeds");
    const to = wholeNumber(last, "--seeds");
    if (to < from || to - from + seeds.size >= SEEDS_MAX) throw badSeeds(text);
    for (let seed = from; seed <= to; seed++) seeds.add(seed);
  }
  return [...seeds];
}

function badSeeds(text: string): Misuse {
  return new Misuse(
    `--seeds takes up to ${SEEDS_MAX} seeds, such as 1..20 or 5,9,20..30 with the smaller one first, and not "${text}".`,
  );
}
