/**
 * The gate: every committed story holds with every committed seed, and comes out the same, bit for bit, when it is run
 * again, in this process or in a fresh one, whole or cut by snapshots, live or from its journal.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { createChecksumCrypto, createNodeCrypto } from "../../io-crypto/index.ts";
import { allStories } from "../../io-sim/cli/stories.ts";
import { failureReport } from "../../io-sim/failure-report.ts";
import { replayJournal } from "../../io-sim/journal.ts";
import { PROMISES, type PromiseId } from "../../io-sim/oracles/promises.ts";
import { run, type Verdict } from "../../io-sim/run.ts";

const stories = await allStories();
const runs = stories.flatMap(({ plan }) => plan.seeds.map(({ seed }) => ({ plan, seed, name: plan.name })));
const firstRuns = stories.map(({ plan }) => ({ plan, seed: plan.seeds[0]!.seed, name: plan.name }));
const otherRuns = runs.filter(({ plan, seed }) => plan.seeds[0]!.seed !== seed);
const verdicts = new Map<string, Verdict>();
let freshProcess: Promise<Map<string, string>>;

/** The run of this story and seed in this process, done once for all tests of this file. */
function first(plan: (typeof runs)[number]["plan"], seed: number): Verdict {
  const key = `${plan.name}/${seed}`;
  const verdict = verdicts.get(key) ?? run(plan, seed, { journal: plan.seeds[0]!.seed === seed });
  verdicts.set(key, verdict);
  return verdict;
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
  freshProcess = runInFreshProcess();
});

describe("every committed story", () => {
  it.each(runs)("$name holds with seed $seed", ({ plan, seed }) => {
    const verdict = first(plan, seed);
    expect(failureReport(verdict).join("\n")).toBe("");
    expect(verdict.verdict).toBe("held");
  });

  it.each(stories.map(({ plan }) => ({ name: plan.name, plan })))("$name differs between its seeds", ({ plan }) => {
    const prints = plan.seeds.map(({ seed }) => first(plan, seed).fingerprint);
    expect(new Set(prints).size).toBe(plan.seeds.length);
  });
});

describe("all stories together", () => {
  it("have judged every promise, so that none holds for want of a case", () => {
    const judged = new Set(runs.flatMap(({ plan, seed }) => [...first(plan, seed).judged.keys()]));
    expect(Object.keys(PROMISES).filter((id) => !judged.has(id as PromiseId))).toEqual([]);
  });
});

describe("the same bits", () => {
  it.each(otherRuns)("come from $name, seed $seed, run again in this process", ({ plan, seed }) => {
    expect(run(plan, seed).fingerprint).toBe(first(plan, seed).fingerprint);
  });

  it.each(firstRuns)("come from $name, seed $seed, run again and cut at every hundredth input", ({ plan, seed }) => {
    const cut = run(plan, seed, { restartBefore: (input) => input % 100 === 99 });
    for (const { restarts, inputs } of cut.world.shards.all) {
      expect(restarts).toBeGreaterThanOrEqual(Math.floor(inputs / 100));
    }
    expect(cut.fingerprint).toBe(first(plan, seed).fingerprint);
  });

  it.each(firstRuns)("come from the journals of $name, seed $seed", ({ plan, seed }) => {
    const { journals, effectFingerprint, inputs } = first(plan, seed);
    const replayed = journals.map((journal) =>
      replayJournal(journal, (cipher) =>
        cipher === "real" ? createNodeCrypto() : createChecksumCrypto(createNodeCrypto()),
      ),
    );
    expect(replayed.map(({ same }) => same)).toEqual(journals.map(() => true));
    expect(replayed[0]!.fingerprint).toBe(effectFingerprint);
    expect(replayed.reduce((sum, each) => sum + each.inputs, 0)).toBe(inputs);
  });

  it("come from a fresh process, for every story and seed", async () => {
    const elsewhere = await freshProcess;
    const here = new Map(runs.map(({ plan, seed }) => [`${plan.name}/${seed}`, first(plan, seed).fingerprint]));
    expect(elsewhere).toEqual(here);
  });
});
