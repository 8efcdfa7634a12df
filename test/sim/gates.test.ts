/**
 * The gate: every committed story holds with every committed seed, and comes out the same, bit for bit, when it is run
 * again, in the same process or in a fresh one, whole or cut by snapshots, live or from its journal.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCrew } from "../../io-sim/cli/crew.ts";
import { allStories } from "../../io-sim/cli/stories.ts";
import { PROMISES } from "../../io-sim/oracles/promises.ts";
import { CUT_INPUTS, GATE, type GateAnswer, type GateTask } from "../support/stories/gate.ts";

const stories = await allStories();
const runs = stories.flatMap(({ plan }) =>
  plan.seeds.map(({ seed }, index) => ({ plan, seed, thoroughly: index === 0, name: plan.name })),
);
const firstRuns = runs.filter(({ thoroughly }) => thoroughly);
const otherRuns = runs.filter(({ thoroughly }) => !thoroughly);
const crew = createCrew<GateTask, GateAnswer>(GATE, availableParallelism());
const answers = new Map<string, Promise<GateAnswer>>();
let freshProcess: Promise<Map<string, string>>;

/** What came of this story with this seed. */
function answerOf(name: string, seed: number): Promise<GateAnswer> {
  return answers.get(`${name}/${seed}`)!;
}

/** Runs everything with the command line in a process of its own; answers the fingerprints. */
function runInFreshProcess(): Promise<Map<string, string>> {
  const command = fileURLToPath(new URL("../../lockstep.mjs", import.meta.url));
  const child = spawn(process.execPath, [command, "sim", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += String(chunk);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => {
      const lines = text.trim().split("\n");
      const verdicts = lines.map((line) => JSON.parse(line) as { story: string; seed: number; fingerprint: string });
      resolve(new Map(verdicts.map(({ story, seed, fingerprint }) => [`${story}/${seed}`, fingerprint])));
    });
  });
}

beforeAll(() => {
  for (const { plan, seed, thoroughly, name } of runs) {
    const answer = crew.ask({ plan, seed, thoroughly });
    // Whoever fails before his turn must not count as forgotten.
    answer.catch(() => {});
    answers.set(`${name}/${seed}`, answer);
  }
  freshProcess = runInFreshProcess();
});

afterAll(() => crew.close());

describe("every committed story", () => {
  it.each(runs)("$name holds with seed $seed", async ({ name, seed }) => {
    const { report, verdict } = await answerOf(name, seed);
    expect(report).toBe("");
    expect(verdict).toBe("held");
  });

  it.each(firstRuns)("$name differs between its seeds", async ({ name, plan }) => {
    const seeds = await Promise.all(plan.seeds.map(({ seed }) => answerOf(name, seed)));
    expect(new Set(seeds.map(({ fingerprint }) => fingerprint)).size).toBe(plan.seeds.length);
  });
});

describe("all stories together", () => {
  it("have judged every promise, so that none holds for want of a case", async () => {
    const judged = new Set((await Promise.all(answers.values())).flatMap((answer) => answer.judged));
    expect(Object.keys(PROMISES).filter((id) => !judged.has(id))).toEqual([]);
  });
});

describe("the same bits", () => {
  it.each(otherRuns)("come from $name, seed $seed, run again in its process", async ({ name, seed }) => {
    const { fingerprint, fingerprintAgain } = await answerOf(name, seed);
    expect(fingerprintAgain).toBe(fingerprint);
  });

  it.each(firstRuns)(
    "come from $name, seed $seed, run again and cut at every hundredth input",
    async ({ name, seed }) => {
      const { fingerprint, fingerprintAgain, cuts } = await answerOf(name, seed);
      expect(cuts.length).toBeGreaterThan(0);
      for (const { restarts, inputs } of cuts) expect(restarts).toBeGreaterThanOrEqual(Math.floor(inputs / CUT_INPUTS));
      expect(fingerprintAgain).toBe(fingerprint);
    },
  );

  it.each(firstRuns)("come from the journals of $name, seed $seed", async ({ name, seed }) => {
    const { replays, effectFingerprint, inputs } = await answerOf(name, seed);
    expect(replays.length).toBeGreaterThan(0);
    expect(replays.map(({ same }) => same)).toEqual(replays.map(() => true));
    expect(replays[0]!.fingerprint).toBe(effectFingerprint);
    expect(replays.reduce((sum, each) => sum + each.inputs, 0)).toBe(inputs);
  });

  it("come from a fresh process, for every story and seed", async () => {
    const elsewhere = await freshProcess;
    const here = await Promise.all(
      runs.map(async ({ name, seed }) => [`${name}/${seed}`, (await answerOf(name, seed)).fingerprint] as const),
    );
    expect(elsewhere).toEqual(new Map(here));
  });
});
