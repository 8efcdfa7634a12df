/**
 * `lockstep bench planted`: how many seeds it takes until each of the planted mistakes is found, and how small the world
 * can be in which it shows.
 *
 * Seeds are tried one after the other from several starts, and from each until one breaks a promise: those of the story
 * that the mistake names, and the worlds that `explore` generates. Figures depend on the sources alone, not on the machine.
 */
import { resolve } from "node:path";
import { createCrew, readWorkers } from "../../io-sim/cli/crew.ts";
import { mustTakeFolder } from "../../io-sim/cli/files.ts";
import { EXIT, Misuse } from "../../io-sim/cli/misuse.ts";
import { createProgress } from "../../io-sim/cli/progress.ts";
import { theStory } from "../../io-sim/cli/stories.ts";
import { writeStory } from "../../io-sim/cli/story-files.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import type { Plan } from "../../io-sim/story/plan.ts";
import { describeMachine } from "../machine.ts";
import { boundedNumber } from "../numbers.ts";
import { FLAGS } from "../words.ts";
import { type Found, HUNTING, type HuntTask } from "./hunt.ts";
import type { Mistake } from "./mistake.ts";
import { MISTAKES } from "./mistakes.ts";
import { faultsOf, type Hunted, huntReport, medianTries, shrinkReport, wasFound } from "./report.ts";
import { plantedStory } from "./story.ts";

/** How far the starts lie apart: more seeds than are ever tried from one. */
const START_STEP = 1_000;

interface Flags {
  readonly seeds: string;
  readonly starts: string;
  readonly worlds: boolean;
  readonly workers?: string;
  readonly shrink?: boolean;
  readonly out?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

/** Runs `bench planted …`. */
export function benchPlanted(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "bench planted",
    "Plant mistakes into copies of the core, and count the seeds until each is found.",
    "lockstep bench planted keyframe-request-lost --seeds 50",
  )
    .argument("[mistakes...]", "mistakes by name; all of them when none is given")
    .option("--list", "list the mistakes, and do nothing else")
    .option("--seeds <N>", "the most seeds that are tried from one start", "20")
    .option("--starts <N>", "how often the hunt begins anew, somewhere else among the seeds", "3")
    .option("--no-worlds", "look in the mistakes' stories alone, and not in generated worlds")
    .option("--shrink", "make the world in which each is found small, in place of counting seeds")
    .option("--out <DIR>", "with --shrink: where these worlds are written as stories")
    .option("--workers <N>", "worker threads; 0 works in the main thread (default: one for each core)")
    .option(...FLAGS.json);
  return answer(command, words, measure);
}

/** Does tasks on a crew, and shows how far it is. */
type Ask = (tasks: readonly HuntTask[]) => Promise<(Found | undefined)[]>;

async function measure(names: readonly string[], flags: Flags): Promise<number> {
  const mistakes = names.length === 0 ? MISTAKES : names.map(theMistake);
  const options = {
    seeds: boundedNumber(flags.seeds, "--seeds", 1, START_STEP),
    starts: boundedNumber(flags.starts, "--starts", 1, 1_000),
  };
  const workers = readWorkers(flags.workers);
  if (flags.out !== undefined && flags.shrink !== true) throw new Misuse("--out says where --shrink writes; add it.");
  if (flags.out !== undefined) mustTakeFolder(flags.out);
  if (flags.list === true) {
    if (flags.json === true)
      process.stdout.write(`${JSON.stringify(mistakes.map(({ id, what }) => ({ id, what })))}\n`);
    else for (const { id, what } of mistakes) process.stdout.write(`${id.padEnd(28)} ${what}\n`);
    return EXIT.HELD;
  }
  const plans = new Map<string, Plan>();
  for (const { story } of mistakes) plans.set(story, (await theStory(story)).plan);
  const crew = createCrew(HUNTING, workers);
  try {
    const ask = createAsk((task) => crew.ask(task), flags);
    if (flags.shrink === true) return await shrinkAll(mistakes, plans, options.seeds, ask, flags);
    return await huntAll(mistakes, plans, options, ask, flags);
  } finally {
    await crew.close();
  }
}

function theMistake(name: string): Mistake {
  const found = MISTAKES.find(({ id }) => id === name);
  if (found === undefined)
    throw new Misuse(`No mistake is called "${name}"; "lockstep bench planted --list" lists them.`);
  return found;
}

function createAsk(askOne: (task: HuntTask) => Promise<Found | undefined>, { json }: Flags): Ask {
  return async (tasks) => {
    const progress = createProgress({ json });
    let done = 0;
    const say = () => progress.say(() => `hunting: ${done} of ${tasks.length} hunts are over`);
    say();
    const answers = tasks.map(async (task) => {
      const found = await askOne(task);
      done++;
      say();
      return found;
    });
    try {
      return await Promise.all(answers);
    } finally {
      progress.end();
    }
  };
}

async function huntAll(
  mistakes: readonly Mistake[],
  plans: ReadonlyMap<string, Plan>,
  options: { seeds: number; starts: number },
  ask: Ask,
  { worlds, json }: Flags,
): Promise<number> {
  const machine = describeMachine();
  const { seeds, starts } = options;
  const tasks = mistakes.flatMap(({ id, story }): HuntTask[] => {
    const from = Array.from({ length: starts }, (_, index) => index * START_STEP);
    const hunt = { mistake: id, most: seeds, shrinks: false };
    const inStory = from.map((start) => ({ ...hunt, plan: plans.get(story), first: start + 1 }));
    return worlds ? [...inStory, ...from.map((start) => ({ ...hunt, plan: undefined, first: start }))] : inStory;
  });
  const found = await ask(tasks);
  const each = worlds ? 2 * starts : starts;
  const hunted = mistakes.map((mistake, index): Hunted => {
    const own = found.slice(index * each, (index + 1) * each);
    return { mistake, inStory: own.slice(0, starts), inWorlds: own.slice(starts) };
  });
  if (json === true) {
    const rows = hunted.map((one) => huntedAsJson(one, seeds));
    process.stdout.write(`${JSON.stringify({ benchmark: "planted", machine, options, mistakes: rows })}\n`);
  } else process.stdout.write(huntReport(machine, options, hunted));
  return hunted.every(wasFound) ? EXIT.HELD : EXIT.BROKEN;
}

function huntedAsJson({ mistake: { id, what, story, promise }, inStory, inWorlds }: Hunted, most: number) {
  const told = (found: readonly (Found | undefined)[]) => {
    const median = medianTries(found, most);
    return {
      median: median > most ? null : median,
      starts: found.map((one) =>
        one === undefined ? null : { tries: one.tries, seed: one.seed, promise: one.promise },
      ),
    };
  };
  return { id, what, story, promise, inStory: told(inStory), inWorlds: inWorlds.length === 0 ? null : told(inWorlds) };
}

async function shrinkAll(
  mistakes: readonly Mistake[],
  plans: ReadonlyMap<string, Plan>,
  seeds: number,
  ask: Ask,
  { out, json }: Flags,
): Promise<number> {
  const machine = describeMachine();
  const answers = await ask(
    mistakes.map(({ id, story }) => ({ mistake: id, plan: plans.get(story), first: 1, most: seeds, shrinks: true })),
  );
  const shrunk = mistakes.map((mistake, index) => ({ mistake, found: answers[index] }));
  if (json === true) {
    const rows = shrunk.map(({ mistake: { id }, found }) => {
      if (found === undefined) return { id, found: null };
      const { promise, seed, plan, shrinkTries } = found;
      return { id, promise, seed, clients: plan.peers.length, faults: faultsOf(plan), tries: shrinkTries, plan };
    });
    process.stdout.write(`${JSON.stringify({ benchmark: "planted", machine, shrunk: rows })}\n`);
  } else process.stdout.write(shrinkReport(machine, shrunk));
  if (out !== undefined) {
    for (const { mistake, found } of shrunk) {
      if (found !== undefined) await writeStory(plantedStory(mistake, found), resolve(out));
    }
  }
  return answers.every((found) => found !== undefined) ? EXIT.HELD : EXIT.BROKEN;
}
