/**
 * `lockstep explore`: looks for worlds in which a promise breaks, makes them small and writes them as stories.
 *
 * Worlds have numbers and are tried in order, by as many workers as there are cores. What they find is merged in the order
 * of the numbers, so that the same range gives the same findings on any machine with any number of workers; only how far a
 * search by the clock gets differs.
 */

import { relative, resolve } from "node:path";
import { replayCommand } from "../inspection/replay-command.ts";
import { coverageNumbers, coverageText, excusesText, never, neverText } from "../search/coverage.ts";
import type { Regime } from "../search/generate.ts";
import { createTally, isFull, merge, shapeOfPlan, type Tally } from "../search/tally.ts";
import { findingText } from "../search/telling.ts";
import { type Crew, createCrew, readWorkers } from "./crew.ts";
import { mustTakeFolder } from "./files.ts";
import { hearInterrupt } from "./interrupt.ts";
import { EXIT, Misuse, readRegime, wholeNumber } from "./misuse.ts";
import { createProgress } from "./progress.ts";
import { type Answer, type RunAnswer, SEARCHING, type ShrinkAnswer, type Task } from "./search-worker.ts";
import { FOUND_FOLDER, foundStory, writeStory } from "./story-files.ts";
import { answer, createSubcommand } from "./subcommand.ts";

interface ExploreOptions {
  readonly minutes?: string;
  readonly seeds?: string;
  readonly from: string;
  readonly regime: string;
  readonly workers?: string;
  readonly findings: string;
  readonly out: string;
  readonly shrink: boolean;
  readonly json?: boolean;
}

/** Runs `explore …`. */
export function explore(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "explore",
    "Search new worlds for broken promises; each finding is made small and written as a story.",
    "lockstep explore --minutes 5 --out found",
  )
    .option("--minutes <M>", "stop after so many minutes (default: 1, unless --seeds is given)")
    .option("--seeds <N>", "stop after so many worlds")
    .option("--from <N>", "the number of the first world", "0")
    .option("--regime <REGIME>", "torture or realistic", "torture")
    .option("--workers <N>", "worker threads; 0 works in the main thread (default: one for each core)")
    .option("--findings <N>", "stop after so many different findings", "10")
    .option("--out <DIR>", "where findings are written", FOUND_FOLDER)
    .option("--no-shrink", "only report what was found")
    .option("--json", "one JSON object, with the findings in it");
  return answer(command, words, search);
}

async function search(options: ExploreOptions): Promise<number> {
  const first = wholeNumber(options.from, "--from");
  const most = options.seeds === undefined ? Number.MAX_SAFE_INTEGER : wholeNumber(options.seeds, "--seeds");
  const regime = readRegime(options.regime);
  const millis = readMinutes(options) * 60_000;
  const workers = readWorkers(options.workers);
  if (options.shrink) mustTakeFolder(options.out);
  const tally = createTally<RunAnswer>(first, wholeNumber(options.findings, "--findings"));
  const startedAt = performance.now();
  const progress = createProgress(options);
  const crew = createCrew(SEARCHING, workers);
  const interrupt = hearInterrupt(progress);
  try {
    const goesOn = (number: number) =>
      number - first < most && performance.now() - startedAt < millis && !isFull(tally) && !interrupt.isHeard();
    await searchWorlds(crew, first, goesOn, regime, tally, () => progress.say(() => sentence(tally, startedAt)));
    interrupt.stop();
    progress.end();
    const summary = summaryOf(tally, startedAt);
    const tells = options.json === true ? () => {} : (line: string) => process.stdout.write(`${line}\n`);
    for (const line of [sentence(tally, startedAt), ...excusesText(tally), ...neverText(tally)]) tells(line);
    const told: FindingTold[] = [];
    for await (const finding of findingsOf(crew, tally.findings, regime, options)) {
      told.push(finding.object);
      for (const line of finding.lines) tells(line);
    }
    if (options.json === true) process.stdout.write(`${JSON.stringify({ ...summary, findings: told })}\n`);
    return tally.findings.length === 0 ? EXIT.HELD : EXIT.BROKEN;
  } finally {
    interrupt.stop();
    progress.end();
    await crew.close();
  }
}

function readMinutes({ minutes, seeds }: ExploreOptions): number {
  if (minutes === undefined) return seeds === undefined ? 1 : Number.POSITIVE_INFINITY;
  if (!/^\d{1,5}(\.\d+)?$/.test(minutes)) throw new Misuse(`--minutes takes a number such as 5, not "${minutes}".`);
  return Number(minutes);
}

/** Tries worlds until `goesOn` says no. */
async function searchWorlds(
  crew: Crew<Task, Answer>,
  first: number,
  goesOn: (number: number) => boolean,
  regime: Regime,
  tally: Tally<RunAnswer>,
  onMerged: () => void,
): Promise<void> {
  let next = first;
  const oneAfterAnother = async () => {
    while (goesOn(next)) {
      merge(tally, (await crew.ask({ kind: "run", number: next++, regime })) as RunAnswer);
      onMerged();
      // Without workers nothing else would get a turn: signals, timers.
      await new Promise((turn) => setImmediate(turn));
    }
  };
  await Promise.all(Array.from({ length: crew.size }, oneAfterAnother));
}

function summaryOf(tally: Tally<RunAnswer>, startedAt: number) {
  const wallMillis = Math.max(1, Math.round(performance.now() - startedAt));
  const { worlds, broken, simulatedMicros } = tally;
  return {
    worlds,
    seedsPerMinute: Math.round((worlds * 60_000) / wallMillis),
    simulatedHours: Math.round(simulatedMicros / 36_000_000) / 100,
    ...coverageNumbers(tally),
    excused: Object.fromEntries(tally.excused),
    ...never(tally),
    broken,
    wallMillis,
  };
}

function sentence(tally: Tally<RunAnswer>, startedAt: number): string {
  const { worlds, seedsPerMinute, simulatedHours, broken } = summaryOf(tally, startedAt);
  const speed = `${worlds} ${worlds === 1 ? "world" : "worlds"}, ${seedsPerMinute} a minute, ${simulatedHours} h simulated`;
  return `${speed}, ${coverageText(tally)}, ${broken} broken`;
}

/** A finding as it is told: what JSON holds of it, and the lines for people. */
interface Told {
  readonly object: FindingTold;
  readonly lines: readonly string[];
}

interface FindingTold {
  readonly number: number;
  readonly key: string;
  readonly promise: string;
  readonly detail: string;
  /** Of the world as it is, with --no-shrink. */
  readonly fingerprint?: string;
  /** The file that the small world was written to, and the tries that it took. */
  readonly file?: string;
  readonly tries?: number;
}

/** The findings: as they are, or each made small and written, one of each promise and shape. */
async function* findingsOf(
  crew: Crew<Task, Answer>,
  findings: readonly RunAnswer[],
  regime: Regime,
  options: ExploreOptions,
): AsyncGenerator<Told> {
  if (!options.shrink) {
    for (const finding of findings) {
      const { number, key, promise, detail, fingerprint } = finding;
      const again = `  npx lockstep explore --from ${number} --seeds 1${regime === "torture" ? "" : ` --regime ${regime}`}`;
      yield { object: { number, key, promise, detail, fingerprint }, lines: [findingText(finding), again] };
    }
    return;
  }
  const told = new Set<string>();
  for (const found of await shrinkAll(crew, findings, regime, options)) {
    const { number, key, promise, detail, plan, tries } = found;
    const shape = `${key} | ${shapeOfPlan(plan)}`;
    if (told.has(shape)) continue;
    told.add(shape);
    const file = await writeStory(foundStory(plan, number, found), resolve(options.out));
    const again = `  ${replayCommand(relative(process.cwd(), file), number)}`;
    yield { object: { number, key, promise, detail, tries, file }, lines: [findingText(found), again] };
  }
}

/** All findings made small, with progress shown; an interrupt leaves them as small as they are then. */
async function shrinkAll(
  crew: Crew<Task, Answer>,
  findings: readonly RunAnswer[],
  regime: Regime,
  options: ExploreOptions,
): Promise<ShrinkAnswer[]> {
  const progress = createProgress(options);
  const interrupt = hearInterrupt(progress, "The worlds stay as small as they are now, and are written.");
  let small = 0;
  const say = () => progress.say(() => `making worlds small: ${small} of ${findings.length}`);
  if (findings.length > 0) say();
  const shrinking = findings.map(async ({ number, key, promise, detail }) => {
    const task: Task = { kind: "shrink", number, regime, key, promise, detail, interrupted: interrupt.heard };
    const found = (await crew.ask(task)) as ShrinkAnswer;
    small++;
    say();
    return found;
  });
  try {
    return await Promise.all(shrinking);
  } finally {
    interrupt.stop();
    progress.end();
  }
}
