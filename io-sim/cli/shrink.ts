/**
 * `lockstep shrink`: makes a world in which a promise breaks as small as it can be, and writes it as a story.
 *
 * Several candidates are tried at once, one on each core; the small world is the same with any number of workers. Whoever has
 * no time, or interrupts the search, gets the smallest world yet. The status is 1 when something broke, as in a run of the
 * story itself; 0 says that there was nothing to shrink.
 */
import { resolve } from "node:path";
import { judge } from "../search/judging.ts";
import { type ShrinkOptions, type Shrunk, shrinkPlan } from "../search/shrink.ts";
import type { Plan } from "../story/plan.ts";
import { planToJson } from "../story/plan-json.ts";
import { readWorkers } from "./crew.ts";
import { mustTakeFolder } from "./files.ts";
import { hearInterrupt } from "./interrupt.ts";
import { hireJudges } from "./judges.ts";
import { EXIT, wholeNumber } from "./misuse.ts";
import { createProgress, type Progress } from "./progress.ts";
import { theSeed, theStory } from "./stories.ts";
import { foundStory, foundText, writeStory } from "./story-files.ts";
import { answer, createSubcommand } from "./subcommand.ts";

interface ShrinkCommandOptions {
  readonly seed?: string;
  readonly within: string;
  readonly workers?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** When workers are called: late, as most questions hang on the answer before, and two of them save a quarter of the time. */
export const SHRINKERS_CALLED_MILLIS = 6_000;

/** Runs `shrink …`. */
export function shrink(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "shrink",
    "Make a world in which a promise breaks as small as it can be, and write it as a story.",
    "lockstep shrink sim-scenarios/found/a-copied-check.ts --seed 1 --out found",
  )
    .argument("<story>", "a story, or a plan as JSON")
    .option("--seed <N>", "the seed of the run (default: the only one that is committed)")
    .option("--within <SECONDS>", "stop after so many seconds with what there is", "50")
    .option("--workers <N>", "worker threads; 0 works in the main thread (default: one for each core)")
    .option("--out <DIR>", "where the story is written (default: standard output)")
    .option("--json", "one JSON object that holds the plan, whether it broke or not");
  return answer(command, words, shrinkStory);
}

async function shrinkStory(name: string, options: ShrinkCommandOptions): Promise<number> {
  const startedAt = performance.now();
  const until = startedAt + 1_000 * wholeNumber(options.within, "--within");
  const workers = readWorkers(options.workers);
  const story = await theStory(name);
  if (options.out !== undefined) mustTakeFolder(options.out);
  const seed = theSeed(story, options.seed);
  const { plan } = story;
  const whole = judge({ plan, seed, withoutDrain: false })!;
  const { key } = whole;
  if (key === "") {
    if (options.json === true) process.stdout.write(`${JSON.stringify({ key, tries: 1, seed, plan })}\n`);
    else process.stderr.write(`With seed ${seed} every promise of "${plan.name}" holds: there is nothing to shrink.\n`);
    return EXIT.HELD;
  }
  const progress = createProgress(options);
  const interrupt = hearInterrupt(progress);
  const isOver = () => interrupt.isHeard() || performance.now() >= until;
  const judges = hireJudges({ workers, startedAt, calledAfterMillis: SHRINKERS_CALLED_MILLIS, isOver });
  try {
    const shrunk = await shrinkPlan(plan, seed, {
      whole,
      judges,
      isFair: () => true,
      ...followed(plan, progress, isOver),
    });
    progress.end();
    await tell(shrunk, seed, options);
    if (options.json === true) return EXIT.BROKEN;
    process.stderr.write(`After ${tries(shrunk.tries)}: ${sizeOf(shrunk.plan)}; it was ${sizeOf(plan)}.\n`);
    if (!shrunk.isComplete) process.stderr.write(`${whatIsMissing(interrupt.isHeard())}\n`);
    return EXIT.BROKEN;
  } finally {
    interrupt.stop();
    progress.end();
    await judges.close();
  }
}

/** Options of a search whose progress is shown, and which goes on until it is over. */
function followed(plan: Plan, progress: Progress, isOver: () => boolean): Pick<ShrinkOptions, "goesOn" | "onSmaller"> {
  let small = plan;
  let made = 1;
  const say = () => progress.say(() => `${tries(made)}: ${sizeOf(small)}`);
  say();
  return {
    goesOn: () => {
      say();
      return !isOver();
    },
    onSmaller: (smaller, count) => {
      small = smaller;
      made = count;
    },
  };
}

function whatIsMissing(isInterrupted: boolean): string {
  return isInterrupted
    ? "It was interrupted before all was tried, and may become smaller still."
    : "The time was up before all was tried: a longer --within may make it smaller still.";
}

function tries(count: number): string {
  return count === 1 ? "1 try" : `${count} tries`;
}

/** How large a world is, in words. */
function sizeOf({ peers, steps, runForMicros }: Plan): string {
  const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;
  const parts = [count(peers.length, "person", "people"), count(steps.length, "step", "steps")];
  return `${parts.join(", ")}, ${runForMicros / 1_000_000} s`;
}

async function tell(shrunk: Shrunk, seed: number, options: ShrinkCommandOptions): Promise<void> {
  const { key, tries, isComplete } = shrunk;
  const found = foundStory(shrunk.plan, seed, shrunk);
  const file = options.out === undefined ? undefined : await writeStory(found, resolve(options.out));
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ key, tries, isComplete, seed, file, plan: found.plan })}\n`);
  } else process.stdout.write(file === undefined ? (foundText(found) ?? planToJson(found.plan)) : `${file}\n`);
}
