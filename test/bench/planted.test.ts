/**
 * The mistakes that are planted into copies of the core: that each fits the text as it stands, that each is found by its
 * story, and that worlds are made small around them.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { describeMachine } from "../../bench/machine.ts";
import { buildPlanted, edited, plantedSources } from "../../bench/planted/build.ts";
import { edit } from "../../bench/planted/mistake.ts";
import { MISTAKES } from "../../bench/planted/mistakes.ts";
import { faultsOf, huntReport, wasFound } from "../../bench/planted/report.ts";
import { theStory } from "../../io-sim/cli/stories.ts";
import { attempt } from "../../io-sim/search/attempt.ts";
import type { Plan } from "../../io-sim/story/plan.ts";
import { benchCommand } from "../support/commands/command.ts";

/** Seeds that a story may take here beside its own; how many each takes is what the benchmark tells. */
const SEEDS_MAX = 3;

describe("a change of the text", () => {
  const from = "a = 1;";

  it("replaces what stands there once", () => {
    expect(edited("core/a.ts", "let a = 1;", [edit("a.ts", from, "a = $&;")])).toBe("let a = $&;");
    expect(edited("core/b.ts", "let a = 1;", [edit("a.ts", from, "a = 2;")])).toBe("let a = 1;");
  });

  it.each(["let a = 2;", "a = 1; a = 1;"])("is refused in %j", (text) => {
    expect(() => edited("core/a.ts", text, [edit("a.ts", from, "a = 3;")])).toThrow("not once");
  });
});

describe("the planted mistakes", () => {
  it("are many, and each has a name of its own", () => {
    expect(MISTAKES.length).toBeGreaterThanOrEqual(40);
    expect(new Set(MISTAKES.map(({ id }) => id)).size).toBe(MISTAKES.length);
  });

  it.each(MISTAKES.map((mistake) => [mistake.id, mistake] as const))(
    "fit the core as it stands: %s",
    (_id, mistake) => {
      expect(plantedSources(mistake).size).toBeGreaterThan(0);
    },
  );

  it.each(MISTAKES.map((mistake) => [mistake.id, mistake] as const))("are found: %s", async (_id, mistake) => {
    const build = await buildPlanted(mistake);
    const { plan } = await theStory(mistake.story);
    const seeds = [
      ...plan.seeds.map(({ seed }) => seed),
      ...Array.from({ length: SEEDS_MAX }, (_, index) => index + 1),
    ];
    let found: string = "";
    for (const seed of new Set(seeds)) if (found === "") found = build.attempt(plan, seed).promise;
    expect(found).toBe(mistake.promise);
  });
});

describe("a world around a mistake", () => {
  it.each(["route-leak", "round-trip-unchecked"])("is made small: %s", async (id) => {
    const build = await buildPlanted(MISTAKES.find((mistake) => mistake.id === id)!);
    const { plan } = await theStory(MISTAKES.find((mistake) => mistake.id === id)!.story);
    const goesOn = (events: number) => events < 60_000;
    const small = (await build.shrinkPlan(plan, 1, { goesOn, isFair: () => true })).plan;
    expect(build.attempt(small, 1).key).toBe(build.attempt(plan, 1).key);
    expect(attempt(small, 1).key).toBe("");
    expect([small.peers.length <= 3, faultsOf(small) <= 3]).toEqual([true, true]);
    expect(small.runForMicros).toBeLessThan(plan.runForMicros);
  });
});

/** Made by `lockstep bench planted MISTAKE --shrink --out sim-scenarios/planted`, and no part of the gate. */
const SHRUNK = fileURLToPath(new URL("../../sim-scenarios/planted/", import.meta.url));

describe("the worlds that were made small", () => {
  const files = readdirSync(SHRUNK).sort((a, b) => (a < b ? -1 : 1));

  it("are ten at least", () => {
    expect(files.length).toBeGreaterThanOrEqual(10);
  });

  it.each(files)("break with the mistake and hold without: %s", async (file) => {
    const { plan } = await theStory(`${SHRUNK}${file}`);
    const { seed } = plan.seeds[0]!;
    const mistake = MISTAKES.find(({ id }) => id === plan.name)!;
    expect([plan.peers.length <= 3, faultsOf(plan) <= 3]).toEqual([true, true]);
    const { attempt: tryPlanted } = await buildPlanted(mistake);
    expect([tryPlanted(plan, seed).promise, attempt(plan, seed).key]).toEqual([mistake.promise, ""]);
  });
});

describe("bench planted", () => {
  it("lists the mistakes", async () => {
    const { status, out } = await benchCommand("planted", "--list");
    expect([status, out.trim().split("\n").length]).toEqual([0, MISTAKES.length]);
  });

  it("counts the seeds from each start, for people and for machines", async () => {
    const words = ["planted", "own-media-echoed", "--seeds", "2", "--starts", "2", "--workers", "0"];
    const { status, out } = await benchCommand(...words, "--no-worlds");
    expect([status, out]).toEqual([
      0,
      expect.stringMatching(/own-media-echoed +1 +S15\n\n1 of 1 mistakes were found\.\n$/),
    ]);
    const { mistakes } = JSON.parse((await benchCommand(...words, "--no-worlds", "--json")).out);
    expect(mistakes[0].inStory).toEqual({
      median: 1,
      starts: [1, 1_001].map((seed) => ({ tries: 1, seed, promise: "S15" })),
    });
    expect(mistakes[0].inWorlds).toBeNull();
  });

  it("tells which mistake was not found, and how far each start looked", () => {
    const mistake = MISTAKES[0]!;
    const found = { tries: 2, seed: 2, promise: "S2", detail: "", plan: {} as Plan, shrinkTries: 0 } as const;
    const [missed, once] = [
      { mistake, inStory: [undefined, undefined], inWorlds: [undefined, undefined] },
      { mistake, inStory: [undefined, undefined], inWorlds: [undefined, found] },
    ];
    expect([missed, once].map(wasFound)).toEqual([false, true]);
    const report = huntReport(describeMachine(), { seeds: 4, starts: 2 }, [missed, once]);
    expect(report).toMatch(/ +>4 +>4\n.* +>4 +2 \(2 to >4\) +S2\n\n1 of 2 mistakes were found\.\n$/);
  });

  it.each([
    [["planted", "no-such"], 'No mistake is called "no-such"; "lockstep bench planted --list" lists them.'],
    [["planted", "--seeds", "0"], '--seeds takes whole numbers of 1 to 1000, not "0".'],
    [["planted", "--out", "."], "--out says where --shrink writes; add it."],
  ])("says what to do otherwise: %j", async (words, sentence) => {
    expect(await benchCommand(...words)).toEqual({ status: 2, out: "", err: `${sentence}\n` });
  });
});
