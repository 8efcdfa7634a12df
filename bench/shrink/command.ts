/**
 * `lockstep bench shrink`: how long it takes to make worlds of ten people small, and how small they become.
 *
 * Each world breaks by a planted mistake. What becomes of it depends on the sources alone; times are this machine's.
 */
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { readWorkers } from "../../io-sim/cli/crew.ts";
import { mustTakeFolder } from "../../io-sim/cli/files.ts";
import type { JudgeTask } from "../../io-sim/cli/judge-task.ts";
import { hireJudgesOf } from "../../io-sim/cli/judges.ts";
import { EXIT, Misuse } from "../../io-sim/cli/misuse.ts";
import { createProgress } from "../../io-sim/cli/progress.ts";
import { SHRINKERS_CALLED_MILLIS } from "../../io-sim/cli/shrink.ts";
import { writeStory } from "../../io-sim/cli/story-files.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import type { PromiseId } from "../../io-sim/oracles/promises.ts";
import { storyText } from "../../io-sim/search/story-text.ts";
import type { Plan } from "../../io-sim/story/plan.ts";
import { describeMachine, type Machine, machineLine } from "../machine.ts";
import { loadPlanted, writePlanted } from "../planted/build.ts";
import { faultsOf } from "../planted/report.ts";
import { plantedStory } from "../planted/story.ts";
import { FLAGS } from "../words.ts";
import { CASES, type Case } from "./cases.ts";
import { JUDGING_PLANTED } from "./judge-planted.ts";

/** Shrinking ends after so much time with what there is. */
const SECONDS_MAX = 60;

/** Every world has one seed. */
const SEED = 1;

interface Flags {
  readonly workers?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** What came of one world. */
interface Measured {
  readonly world: string;
  readonly mistake: string;
  readonly promise: PromiseId | "";
  /** What was seen in the small world. */
  readonly detail: string;
  /** When it broke in the world of ten, in its story's time. */
  readonly brokeAtMicros: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  /** Whether it came to its end in time. */
  readonly isComplete: boolean;
  readonly tries: number;
  readonly plan: Plan;
  readonly clients: number;
  readonly faults: number;
  /** Lines of the story; 0 where words do not suffice. */
  readonly lines: number;
}

/** Runs `bench shrink …`. */
export function benchShrink(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "bench shrink",
    "Make worlds of ten people small in which planted mistakes break promises, and tell how long it takes.",
    "lockstep bench shrink route-leak --out small",
  )
    .argument("[mistakes...]", "the worlds that these mistakes break; all of them when none is given")
    .option("--workers <N>", "worker threads; 0 works in the main thread (default: one for each core)")
    .option("--out <DIR>", "where the small worlds are written as stories")
    .option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(names: readonly string[], { out, json, ...flags }: Flags): Promise<number> {
  const workers = readWorkers(flags.workers);
  const unknown = names.find((name) => !CASES.some(({ mistake }) => mistake.id === name));
  if (unknown !== undefined) {
    const known = CASES.map(({ mistake }) => mistake.id).join(", ");
    throw new Misuse(`No world of ten is broken by "${unknown}"; there are ${known}.`);
  }
  if (out !== undefined) mustTakeFolder(out);
  const cases = names.length === 0 ? CASES : CASES.filter(({ mistake }) => names.includes(mistake.id));
  const progress = createProgress({ json });
  const measured: Measured[] = [];
  for (const one of cases) {
    progress.say(() => `${measured.length} of ${cases.length} worlds are small`);
    measured.push(await measureCase(one, workers));
  }
  progress.end();
  const machine = describeMachine();
  if (json === true)
    process.stdout.write(`${JSON.stringify({ benchmark: "shrink", machine, workers, worlds: measured })}\n`);
  else process.stdout.write(report(machine, workers, measured));
  if (out !== undefined) {
    for (const [index, { promise, detail, plan }] of measured.entries()) {
      const found = { plan, seed: SEED, promise, detail };
      await writeStory(plantedStory(cases[index]!.mistake, found), resolve(out));
    }
  }
  return measured.every(({ promise, isComplete }) => promise !== "" && isComplete) ? EXIT.HELD : EXIT.BROKEN;
}

async function measureCase({ world, mistake }: Case, workers: number): Promise<Measured> {
  const file = await writePlanted(mistake);
  const build = await loadPlanted(file);
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const secondsNow = () => (performance.now() - startedAt) / 1_000;
  const isOver = () => secondsNow() >= SECONDS_MAX;
  const whole = build.judge({ plan: world, seed: SEED, withoutDrain: false })!;
  const trade = { judge: build.judge, trade: JUDGING_PLANTED, taskOf: (task: JudgeTask) => ({ ...task, build: file }) };
  const judges = hireJudgesOf(trade, { workers, startedAt, calledAfterMillis: SHRINKERS_CALLED_MILLIS, isOver });
  try {
    const options = { whole, judges, goesOn: () => !isOver(), isFair: () => true };
    const { promise, detail, plan, tries, isComplete } = await build.shrinkPlan(world, SEED, options);
    const { user, system } = process.cpuUsage(before);
    const cost = { seconds: secondsNow(), processorSeconds: (user + system) / 1_000_000, isComplete, tries };
    const text = storyText(plan, { why: detail, importFrom: "../io-sim/index.ts" });
    const size = { clients: plan.peers.length, faults: faultsOf(plan), lines: text?.trim().split("\n").length ?? 0 };
    const brokeAtMicros = whole.atMicros;
    return { world: world.name, mistake: mistake.id, promise, detail, brokeAtMicros, ...cost, plan, ...size };
  } finally {
    await judges.close();
    rmSync(file);
  }
}

/** The report as text. */
function report(machine: Machine, workers: number, measured: readonly Measured[]): string {
  const names = measured.map(({ world, mistake }) => `${world}, ${mistake}`);
  const width = Math.max(...names.map((name) => name.length));
  const heading = `${"world of ten, mistake".padEnd(width)}  breaks  at      time    processor  tries  clients  faults  story   lines`;
  const rows = measured.map((one, index) => {
    const cells = [
      names[index]!.padEnd(width),
      one.promise.padEnd(6),
      seconds(one.brokeAtMicros / 1_000_000).padStart(6),
      seconds(one.seconds).padStart(6),
      seconds(one.processorSeconds).padStart(9),
      String(one.tries).padStart(5),
      String(one.clients).padStart(7),
      String(one.faults).padStart(6),
      seconds(one.plan.runForMicros / 1_000_000).padStart(6),
      String(one.lines).padStart(5),
    ];
    return `${cells.join("  ")}${one.isComplete ? "" : "  (not all was tried)"}`;
  });
  return [`Machine     ${machineLine(machine)}`, `Workers     ${workers}`, "", heading, ...rows, ""].join("\n");
}

function seconds(count: number): string {
  return `${count.toFixed(1)} s`;
}
