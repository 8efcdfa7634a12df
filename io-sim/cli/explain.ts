/**
 * `lockstep explain`: says why a promise broke: when the die was cast, what would have had to be otherwise, and what led to
 * the very event.
 *
 * Several runs are made at once, one on each core, and what they come to is the same with any number of workers. Whoever has
 * no time, or interrupts it, is told what is known by then, and that it is not all.
 */
import { readableTimes } from "../base/readable-times.ts";
import { decisionName } from "../inspection/inspection.ts";
import { replayCommand } from "../inspection/replay-command.ts";
import { PROMISES, type PromiseId } from "../oracles/promises.ts";
import type { Accident } from "../search/accidents.ts";
import type { Cause } from "../search/causal-chain.ts";
import { type Breaking, type Culprits, culprits, type ForkPoint, forkCurve, isJudgedAtEnd } from "../search/explain.ts";
import { historyIn, watchedUpToBreach } from "../search/history.ts";
import { type Judgement, judge } from "../search/judging.ts";
import { standstillOf } from "../trace/standstill.ts";
import type { Trace } from "../trace/trace.ts";
import { rowAsJson, showRow } from "../world/rows.ts";
import { readWorkers } from "./crew.ts";
import { hearInterrupt } from "./interrupt.ts";
import { type HiredJudges, hireJudges } from "./judges.ts";
import { EXIT, wholeNumber } from "./misuse.ts";
import { createProgress, type Progress } from "./progress.ts";
import { replayName, theSeed, theStory } from "./stories.ts";
import { answer, createSubcommand } from "./subcommand.ts";

/** Columns of a full bar, and links of the chain that are shown. */
const BAR_COLUMNS = 40;
const CHAIN_LINKS = 16;

/** Accidents that are named one by one. */
const ACCIDENTS_SHOWN = 20;

/** Forks of which not one holds, from which on chance is said to have no say. */
const FORKS_THAT_CONVINCE = 16;

/** The share of the time that looking for culprits may take; the curve has the rest. */
const CULPRITS_SHARE = 0.6;

/** When workers are called: soon, as no fork has to do with another, and two of them save nearly half of the time. */
const CALLED_AFTER_MILLIS = 3_000;

interface ExplainCommandOptions {
  readonly seed?: string;
  readonly points: string;
  readonly forks: string;
  readonly within: string;
  readonly workers?: string;
  readonly json?: boolean;
}

/** Runs `explain …`. */
export function explain(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "explain",
    "Say why a promise broke: from where on it was likely, what would have saved it, and what led to it.",
    'lockstep explain "a tunnel" --seed 7 --points 5',
  )
    .argument("<story>", "a story, or a plan as JSON")
    .option("--seed <N>", "the seed of the run (default: the only one that is committed)")
    .option("--points <N>", "moments from which chance is tried anew", "9")
    .option("--forks <N>", "forks at each of them", "8")
    .option("--within <SECONDS>", "stop after so many seconds with what there is", "120")
    .option("--workers <N>", "worker threads; 0 works in the main thread (default: one for each core)")
    .option("--json", "one JSON object, whether it broke or not");
  return answer(command, words, explainStory);
}

async function explainStory(name: string, options: ExplainCommandOptions): Promise<number> {
  const startedAt = performance.now();
  const wanted = { points: wholeNumber(options.points, "--points"), forks: wholeNumber(options.forks, "--forks") };
  const millis = 1_000 * wholeNumber(options.within, "--within");
  const workers = readWorkers(options.workers);
  const story = await theStory(name);
  const seed = theSeed(story, options.seed);
  const { plan } = story;
  const breach = judge({ plan, seed, withoutDrain: false, logsChance: true })!;
  const { key, promise, detail, atMicros } = breach;
  if (key === "") {
    if (options.json === true) process.stdout.write(`${JSON.stringify({ seed, key, promise, detail })}\n`);
    else
      process.stderr.write(`With seed ${seed} every promise of "${plan.name}" holds: there is nothing to explain.\n`);
    return EXIT.HELD;
  }
  if (breach.hasThrown) {
    const told = thrown(replayName(story), seed, breach);
    if (options.json === true) process.stdout.write(`${JSON.stringify({ seed, key, promise, detail, atMicros })}\n`);
    else process.stdout.write(told.map((line) => `${line}\n`).join(""));
    return EXIT.BROKEN;
  }
  const progress = createProgress(options);
  const { trace, chain } = watchedUpToBreach(plan, seed);
  const interrupt = hearInterrupt(progress);
  const hurry = { startedAt, millis, share: CULPRITS_SHARE, isInterrupted: interrupt.isHeard };
  const judges = hireJudges({
    workers,
    startedAt,
    calledAfterMillis: CALLED_AFTER_MILLIS,
    isOver: () => isOver(hurry),
  });
  try {
    const breaking = { plan, seed, breach };
    const moment = momentOf(trace, breach);
    const found = await searched(breaking, moment, wanted, { judges, hurry, progress });
    progress.end();
    if (options.json === true) {
      const history = historyIn(trace).map((row) => rowAsJson(trace, row));
      const told = { seed, key, promise, detail, atMicros, ...found, history, chain };
      process.stdout.write(`${JSON.stringify(told)}\n`);
    } else {
      const told = explanation(breaking, found, trace, chain, interrupt.isHeard());
      for (const line of [...told, ...nextSteps(replayName(story), seed, moment, found)]) {
        process.stdout.write(`${line}\n`);
      }
    }
    return EXIT.BROKEN;
  } finally {
    interrupt.stop();
    progress.end();
    await judges.close();
  }
}

/** What there is to say of a run that threw: it has no verdict, no trace and no end. */
function thrown(name: string, seed: number, { detail, events }: Judgement): string[] {
  return [
    detail,
    "  No promise broke, so there is nothing to explain. It is a mistake in the simulator, or in a story or a core that it can't run.",
    "",
    "To see where it was thrown, and what had happened by then:",
    `  ${replayCommand(name, seed, "")}`,
    ...(events === 0 ? [] : [`  ${replayCommand(name, seed, `--until ${events - 1} --trace`)}`]),
  ];
}

/** How long somebody waits: for a share of the time, unless he interrupts it before. */
interface Hurry {
  readonly startedAt: number;
  readonly millis: number;
  share: number;
  readonly isInterrupted: () => boolean;
}

function isOver({ startedAt, millis, share, isInterrupted }: Hurry): boolean {
  return isInterrupted() || performance.now() - startedAt >= share * millis;
}

/** What was found out by trying. */
interface Found extends Culprits {
  readonly curve: readonly ForkPoint[];
  /** Whether every fork was made that was wanted. */
  readonly isCurveComplete: boolean;
}

/** Looks for culprits first, and draws the curve in the time that is left. */
async function searched(
  breaking: Breaking,
  moment: number,
  wanted: { readonly points: number; readonly forks: number },
  { judges, hurry, progress }: { judges: HiredJudges; hurry: Hurry; progress: Progress },
): Promise<Found> {
  let tries = 0;
  const options = (what: string) => ({
    judges,
    goesOn: () => {
      tries++;
      progress.say(() => `${tries} runs, ${what}`);
      return !isOver(hurry);
    },
  });
  const guilty = await culprits(breaking, options("looking for what would have saved it"), moment);
  hurry.share = 1;
  const curve = await forkCurve(breaking, wanted, options("with new chance from a moment on"));
  const made = curve.reduce((sum, point) => sum + point.forks, 0);
  const isCurveComplete = made === wanted.points * wanted.forks || breaking.breach.atMicros < 0;
  return { curve, isCurveComplete, ...guilty };
}

function explanation(
  breaking: Breaking,
  found: Found,
  trace: Trace,
  chain: readonly Cause[],
  isInterrupted: boolean,
): string[] {
  const { breach } = breaking;
  const when = breach.atMicros < 0 ? "before the story began" : `at ${seconds(breach.atMicros)}`;
  return [
    `${breach.promise}: ${PROMISES[breach.promise as PromiseId]}`,
    `  ${readableTimes(breach.detail)} (${when})`,
    "",
    "What would have saved it:",
    ...saviours(breaking, found, isInterrupted),
    "",
    "How likely it was, when chance is new from a moment on:",
    ...likelihood(found, breach, isInterrupted),
    "",
    "What those concerned went through before it:",
    ...historyIn(trace).map((row) => `  ${showRow({ ...trace, plan: trace }, row)}`),
    "",
    "The event in which it broke, and those that scheduled it:",
    ...(chain.length === 0
      ? ["  None: it was judged when the story was over, for what had not happened by then."]
      : chain.slice(-CHAIN_LINKS).map(link)),
  ];
}

const TIME_WAS_UP =
  "  The time was up before all was tried: --within gives more of it, and a world that was shrunk first needs less.";
const INTERRUPTED = "  It was interrupted before all was tried, so this is not all there is to know.";

function saviours(
  breaking: Breaking,
  { accidents, steps, isComplete, curve }: Found,
  isInterrupted: boolean,
): string[] {
  const { plan } = breaking;
  const hurried = isComplete ? [] : [isInterrupted ? INTERRUPTED : TIME_WAS_UP];
  // What breaks later than the breach did is not looked for.
  const holds = isJudgedAtEnd(breaking) ? "it holds" : "it does not break then";
  const isUncertain = curve.some(({ broken, forks }) => broken < forks);
  if (accidents.length > 0) {
    const count = accidents.length === 1 ? "this accident" : `any fewer than these ${accidents.length} accidents`;
    return [
      `  Without ${isComplete ? count : `these ${accidents.length} accidents`} ${holds}:`,
      ...accidents.slice(0, ACCIDENTS_SHOWN).map((one) => `    ${accidentText(one)}`),
      ...(accidents.length > ACCIDENTS_SHOWN ? [`    and ${accidents.length - ACCIDENTS_SHOWN} more (--json)`] : []),
      ...hurried,
    ];
  }
  if (steps.length > 0 && steps.length === plan.steps.length && !isComplete) {
    return ["  No loss and no failure matters. Which steps of the story it takes was not found out.", ...hurried];
  }
  if (steps.length > 0) {
    const labels = steps.map(({ atMicros, label }) => `    ${seconds(atMicros)}  ${label}`);
    const them = steps.length === 1 ? "this step" : `any fewer than these ${steps.length} steps`;
    return [
      `  No loss and no failure matters. Without ${isComplete ? them : "these steps"} of the story ${holds}:`,
      ...labels,
      ...hurried,
      ...(isUncertain
        ? ["  Yet with other chance it held too: it hangs on a time, a size or an order that was drawn."]
        : []),
    ];
  }
  if (!isComplete) return hurried;
  const what = plan.steps.length === 0 ? "no accident" : "neither an accident nor a step";
  if (isUncertain) {
    return [
      `  Nothing that could be left out: ${what} makes a difference.`,
      "  Yet with other chance it held, as is shown below: it hangs on a time or a size that was drawn, such as that of a burst.",
    ];
  }
  return [`  Nothing: ${what} makes a difference. It is how the code, or the story, is.`];
}

/** When in the story it went wrong: when what stood still stopped, where the breach is judged by that, or at the breach. */
function momentOf(trace: Trace, { atMicros }: Judgement): number {
  const standstill = standstillOf(trace);
  return standstill === undefined ? atMicros : Math.max(0, standstill.from - trace.zeroAt);
}

/** Commands that go on from here: to the moment at which it went wrong, and to the run without the accident that mattered. */
function nextSteps(name: string, seed: number, moment: number, { accidents }: Culprits): string[] {
  const until = moment < 0 ? [] : [`--until ${(moment / 1_000_000).toFixed(6)}s`];
  const fork = accidents.length === 1 ? [`--fork ${decisionName(accidents[0]!)}=0`] : [];
  const ways = [...until, ...fork, "--trace"];
  return ["", "To go on from here:", ...ways.map((flags) => `  ${replayCommand(name, seed, flags)}`)];
}

/** The decision under which the accident does not happen, as `--fork` takes it, and when it happens. */
function accidentText(accident: Accident): string {
  const { atMicros } = accident;
  return `${decisionName(accident)}=0${atMicros < 0 ? "" : `  (at ${seconds(atMicros)})`}`;
}

/** The fork curve; where chance never had a say, that is said too. */
function likelihood({ curve, isCurveComplete }: Found, { atMicros }: Judgement, isInterrupted: boolean): string[] {
  if (atMicros < 0) return ["  It broke before the story began, so there is no moment to turn at."];
  const hurried = isCurveComplete
    ? []
    : [`  ${isInterrupted ? "It was interrupted" : "The time was up"} before all was tried.`];
  if (curve.length === 0) return hurried;
  const isCertain = curve.every(({ broken, forks }) => broken === forks);
  const tried = curve.reduce((sum, { forks }) => sum + forks, 0);
  const always =
    tried < FORKS_THAT_CONVINCE
      ? "  Always, as far as there was time to try."
      : "  Always: chance has no say in it, and any seed of the story shows it.";
  const words = isCertain ? [always] : [];
  return [...curve.map(bar), ...words, ...hurried];
}

function bar({ atMicros, broken, forks }: ForkPoint): string {
  const filled = Math.round((BAR_COLUMNS * broken) / forks);
  return `  ${seconds(atMicros).padStart(10)}  ${"█".repeat(filled)}${"·".repeat(BAR_COLUMNS - filled)}  ${broken} of ${forks}`;
}

function link({ time, text, times }: Cause): string {
  return `  ${time.padStart(10)}  ${text}${times > 1 ? `  (and ${times - 1} more like it before)` : ""}`;
}

/** Whole milliseconds that have passed, as in every other line that tells a time. */
function seconds(micros: number): string {
  return `${(Math.floor(micros / 1_000) / 1_000).toFixed(3)} s`;
}
