/**
 * `lockstep explain`: says why a promise broke: when the die was cast, what would have had to be otherwise, and what led to
 * the very event.
 */

import { letOut } from "../base/guards.ts";
import { readableTimes } from "../base/readable-times.ts";
import { decisionName } from "../inspection/inspection.ts";
import { replayCommand } from "../inspection/replay-command.ts";
import { PROMISES, type PromiseId } from "../oracles/promises.ts";
import { type Attempt, attempt } from "../search/attempt.ts";
import { type Cause, causalChain } from "../search/causal-chain.ts";
import { type Accident, type Culprits, culprits, type ForkPoint, forkCurve } from "../search/explain.ts";
import { historyIn, traceUpToBreach } from "../search/history.ts";
import type { Plan } from "../story/plan.ts";
import { standstillOf } from "../trace/standstill.ts";
import type { Trace } from "../trace/trace.ts";
import { rowAsJson, showRow } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { EXIT, wholeNumber } from "./misuse.ts";
import { createProgress } from "./progress.ts";
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

interface ExplainCommandOptions {
  readonly seed?: string;
  readonly points: string;
  readonly forks: string;
  readonly within: string;
  readonly json?: boolean;
}

/** Events of a run between two looks at the clock: some milliseconds. */
const EVENTS_BETWEEN_LOOKS = 500;

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
    .option("--json", "one JSON object, whether it broke or not");
  return answer(command, words, explainStory);
}

async function explainStory(name: string, options: ExplainCommandOptions): Promise<number> {
  const startedAt = performance.now();
  const millis = 1_000 * wholeNumber(options.within, "--within");
  const points = wholeNumber(options.points, "--points");
  const forks = wholeNumber(options.forks, "--forks");
  const story = await theStory(name);
  const seed = theSeed(story, options.seed);
  const { plan } = story;
  const breach = attempt(plan, seed);
  const { key, promise, detail, atMicros } = breach;
  if (key === "") {
    if (options.json === true) process.stdout.write(`${JSON.stringify({ seed, key, promise, detail })}\n`);
    else
      process.stderr.write(`With seed ${seed} every promise of "${plan.name}" holds: there is nothing to explain.\n`);
    return EXIT.HELD;
  }
  const progress = createProgress(options);
  let tries = 0;
  const isOver = (share: number) => performance.now() - startedAt >= share * millis;
  /** Bounds that end when so much of the time has passed. */
  const within = (share: number, what: string) => ({
    points,
    forks,
    goesOn: () => {
      tries++;
      progress.say(() => `${tries} runs, ${what}`);
      return !isOver(share);
    },
    haltBefore: ({ loop, guard }: World) => loop.ran % EVENTS_BETWEEN_LOOKS === 0 && letOut(guard, () => isOver(share)),
  });
  const chain = causalChain(plan, seed);
  const trace = traceUpToBreach(plan, seed);
  const moment = momentOf(trace, breach);
  const guilty = culprits(plan, seed, breach, within(CULPRITS_SHARE, "looking for what would have saved it"), moment);
  const curve = forkCurve(plan, seed, breach, within(1, "with new chance from a moment on"));
  progress.end();
  if (options.json === true) {
    const history = historyIn(trace).map((row) => rowAsJson(trace, row));
    process.stdout.write(
      `${JSON.stringify({ seed, key, promise, detail, atMicros, curve, ...guilty, history, chain })}\n`,
    );
  } else {
    const lines = explanation(plan, breach, curve, guilty, trace, chain);
    for (const line of [...lines, ...nextSteps(replayName(story), seed, moment, guilty)]) {
      process.stdout.write(`${line}\n`);
    }
  }
  return EXIT.BROKEN;
}

function explanation(
  plan: Plan,
  breach: Attempt,
  curve: readonly ForkPoint[],
  guilty: Culprits,
  trace: Trace,
  chain: readonly Cause[],
): string[] {
  const when = breach.atMicros < 0 ? "before the story began" : `at ${seconds(breach.atMicros)}`;
  return [
    `${breach.promise}: ${PROMISES[breach.promise as PromiseId]}`,
    `  ${readableTimes(breach.detail)} (${when})`,
    "",
    "What would have saved it:",
    ...saviours(plan, guilty, curve),
    "",
    "How likely it was, when chance is new from a moment on:",
    ...likelihood(curve),
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

function saviours(plan: Plan, { accidents, steps, isComplete }: Culprits, curve: readonly ForkPoint[]): string[] {
  const hurried = isComplete
    ? []
    : [
        "  The time was up before all was tried: --within gives more of it, and a world that was shrunk first needs less.",
      ];
  const isUncertain = curve.some(({ broken, forks }) => broken < forks);
  if (accidents.length > 0) {
    const count = accidents.length === 1 ? "this accident" : `any fewer than these ${accidents.length} accidents`;
    return [
      `  Without ${isComplete ? count : `these ${accidents.length} accidents`} it holds:`,
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
      `  No loss and no failure matters. Without ${isComplete ? them : "these steps"} of the story it holds:`,
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
function momentOf(trace: Trace, { atMicros }: Attempt): number {
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
function likelihood(curve: readonly ForkPoint[]): string[] {
  if (curve.length === 0) return ["  It broke before the story began, so there is no moment to turn at."];
  const isCertain = curve.every(({ broken, forks }) => broken === forks);
  const tried = curve.reduce((sum, { forks }) => sum + forks, 0);
  const always =
    tried < FORKS_THAT_CONVINCE
      ? "  Always, as far as there was time to try."
      : "  Always: chance has no say in it, and any seed of the story shows it.";
  const words = isCertain ? [always] : [];
  return [...curve.map(bar), ...words];
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
