/**
 * `lockstep shrink`: makes a world in which a promise breaks as small as it can be, and writes it as a story.
 *
 * The status is 1 when something broke, as in a run of the story itself; 0 says that there was nothing to shrink.
 */
import { resolve } from "node:path";
import { letOut } from "../base/guards.ts";
import { shrinkPlan } from "../search/shrink.ts";
import type { Plan } from "../story/plan.ts";
import { planToJson } from "../story/plan-json.ts";
import { mustTakeFolder } from "./files.ts";
import { EXIT, wholeNumber } from "./misuse.ts";
import { createProgress } from "./progress.ts";
import { theSeed, theStory } from "./stories.ts";
import { foundStory, foundText, writeStory } from "./story-files.ts";
import { answer, createSubcommand } from "./subcommand.ts";

interface ShrinkCommandOptions {
  readonly seed?: string;
  readonly within: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Events of a try between two looks at the clock: some milliseconds. */
const EVENTS_BETWEEN_LOOKS = 500;

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
    .option("--out <DIR>", "where the story is written (default: standard output)")
    .option("--json", "one JSON object that holds the plan, whether it broke or not");
  return answer(command, words, shrinkStory);
}

async function shrinkStory(name: string, options: ShrinkCommandOptions): Promise<number> {
  const until = performance.now() + 1_000 * wholeNumber(options.within, "--within");
  const story = await theStory(name);
  if (options.out !== undefined) mustTakeFolder(options.out);
  const seed = theSeed(story, options.seed);
  const { plan } = story;
  const progress = createProgress(options);
  let small = plan;
  let made = 0;
  const say = () => progress.say(() => `${made} tries: ${sizeOf(small)}`);
  say();
  let isLate = false;
  const lookAtClock = () => {
    isLate ||= performance.now() >= until;
  };
  const shrunk = shrinkPlan(plan, seed, {
    goesOn: () => {
      say();
      lookAtClock();
      return !isLate;
    },
    // A try of a large world takes seconds: it is given up when the time is up, not when it comes to its end.
    haltBefore: ({ loop, guard }) => {
      if (loop.ran % EVENTS_BETWEEN_LOOKS === 0) letOut(guard, lookAtClock);
      return isLate;
    },
    isFair: () => true,
    onSmaller: (smaller, tries) => {
      small = smaller;
      made = tries;
    },
  });
  progress.end();
  const { key, tries } = shrunk;
  if (key === "") {
    if (options.json === true) process.stdout.write(`${JSON.stringify({ key, tries, seed, plan })}\n`);
    else process.stderr.write(`With seed ${seed} every promise of "${plan.name}" holds: there is nothing to shrink.\n`);
    return EXIT.HELD;
  }
  await tell(shrunk.plan, seed, options, { key, tries, isComplete: !isLate });
  if (options.json === true) return EXIT.BROKEN;
  process.stderr.write(`After ${tries} tries: ${sizeOf(shrunk.plan)}; it was ${sizeOf(plan)}.\n`);
  if (isLate) {
    process.stderr.write(`The time was up before all was tried: a longer --within may make it smaller still.\n`);
  }
  return EXIT.BROKEN;
}

/** How large a world is, in words. */
function sizeOf({ peers, steps, runForMicros }: Plan): string {
  const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;
  const parts = [count(peers.length, "person", "people"), count(steps.length, "step", "steps")];
  return `${parts.join(", ")}, ${runForMicros / 1_000_000} s`;
}

async function tell(
  plan: Plan,
  seed: number,
  options: ShrinkCommandOptions,
  made: { key: string; tries: number; isComplete: boolean },
): Promise<void> {
  const found = foundStory(plan, seed);
  const file = options.out === undefined ? undefined : await writeStory(found, resolve(options.out));
  if (options.json === true) process.stdout.write(`${JSON.stringify({ ...made, seed, file, plan: found.plan })}\n`);
  else process.stdout.write(file === undefined ? (foundText(found) ?? planToJson(found.plan)) : `${file}\n`);
}
