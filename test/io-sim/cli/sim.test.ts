/** Whether many runs come out the same on any number of workers, and what the table and the scoreboard say of them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { figuresOf, percentile } from "../../../io-sim/cli/figures.ts";
import { readLines, SCOREBOARD_SEEDS, scoreboardLines, scoreboardText } from "../../../io-sim/cli/scoreboard.ts";
import { SIMULATING, type SimAnswer } from "../../../io-sim/cli/sim-worker.ts";
import { joinFingerprints, tableHead, tableRow } from "../../../io-sim/cli/table.ts";
import { EQUALITIES } from "../../../io-sim/equalities/equalities.ts";
import { at, mute } from "../../../io-sim/index.ts";
import { planToJson } from "../../../io-sim/story/plan-json.ts";
import { command } from "../../support/commands/command.ts";
import broken from "../../support/stories/broken-story.ts";
import small, { smallStory } from "../../support/stories/small-story.ts";

const SMALL = fileURLToPath(new URL("../../support/stories/small-story.ts", import.meta.url));
const BROKEN = fileURLToPath(new URL("../../support/stories/broken-story.ts", import.meta.url));

const sim = (...words: string[]) => command("sim", ...words);

const answerOf = (more: Partial<SimAnswer>): SimAnswer => ({
  story: "a story",
  seed: 1,
  verdict: "held",
  promise: "",
  detail: "",
  fingerprint: "00000001000000ff",
  judged: [],
  excused: [],
  sites: [],
  simulatedMicros: 1_000_000,
  wallMillis: 1,
  quality: [],
  figures: undefined,
  report: [],
  ...more,
});

const picture = (firstAfterMicros: number, longestGapMicros: number) => ({
  viewer: "bob",
  source: "ana/camera",
  count: 1,
  firstAfterMicros,
  longestGapMicros,
});

/** A story that is over at once, for what runs it forty times. */
const TINY = join(mkdtempSync(join(tmpdir(), "lockstep-sim-")), "tiny.json");
const TINY_PEERS = { ana: { sends: { microphone: true } }, bob: { receives: { audio: 1 } } } as const;
writeFileSync(TINY, planToJson(smallStory({ name: "tiny", peers: TINY_PEERS, runFor: 300_000 })));
afterAll(() => rmSync(dirname(TINY), { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
});

describe("the equalities of runs", () => {
  it("are told as a table with a legend, and hold", async () => {
    const { status, out } = await sim(TINY, "--equalities", "--workers", "0");
    const [head, row, ...rest] = out.trim().split("\n");
    expect(head).toMatch(/^story +seed +1 +2 +3 .* 14$/);
    expect(row).toMatch(/^tiny +1( +[=-]){14}$/);
    expect(rest).toContain(" 1  one shard or many");
    expect(rest.at(-1)).toMatch(/^(\d+) of \1 comparisons held, \d+ were excused\.$/);
    expect(status).toBe(0);
  });

  it("are told one a line of JSON, by workers too", async () => {
    const { out } = await sim(TINY, "--equalities", "--json", "--workers", "2");
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const silent = { excuse: "", variant: "", difference: "", endsEarly: false, comparedMicros: expect.any(Number) };
    expect(lines).toEqual(
      EQUALITIES.map(({ name }) => ({ story: "tiny", seed: 1, equality: name, ...silent, verdict: "held" })),
    );
    // More than the story itself, as it takes time until everyone is there.
    for (const { comparedMicros } of lines) expect(comparedMicros).toBeGreaterThan(200_000);
  });

  it("refuse what tells of a single run", async () => {
    const { status, err } = await sim(TINY, "--equalities", "--trace");
    expect([status, err]).toEqual([2, expect.stringMatching(/^--equalities compares runs/)]);
  });

  it("that do not hold are told with story, equality, variant and place, and the exit status is 1", async () => {
    vi.spyOn(EQUALITIES[0]!, "variants").mockImplementation((plan) => [
      { what: "without a word", plan: { ...plan, steps: [at(0, "ana is silent", mute("ana", "microphone"))] } },
    ]);
    const { status, out } = await sim(TINY, "--equalities", "--workers", "0");
    expect(status).toBe(1);
    expect(out).toMatch(/^tiny +1 +X( +[=-]){13}$/m);
    expect(out).toMatch(
      /^DIFFERENT {2}tiny, seed 1: one shard or many \(without a word\)\n {2}bob < ana\/microphone: /m,
    );
    expect(out).toMatch(/^(\d+) of \d+ comparisons held, \d+ were excused\.$/m);
  });
});

describe("many runs", () => {
  it("have the seeds and ranges of seeds that are named, each once", async () => {
    const { out } = await sim(SMALL, "--seeds", "5,2..4,3", "--json", "--workers", "0");
    const lines = out.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).seed)).toEqual([5, 2, 3, 4]);
  });

  it.each(["1..", "4..2", "1...3", "1..2..3", "5,,6", "0..2000000"])(
    "are refused when the seeds are %s",
    async (seeds) => {
      const { status, err } = await sim(SMALL, "--seeds", seeds);
      expect(status).toBe(2);
      expect(err).toMatch(/^--seeds takes /m);
    },
  );

  it("give the same table in the same order with and without workers", async () => {
    const words = [BROKEN, SMALL, "--seed", "1", "--workers"];
    const alone = await sim(...words, "0");
    expect(alone.status).toBe(1);
    expect(await sim(...words, "3")).toEqual(alone);
  });

  it("are told as a table, and each broken one ends with the command that replays it", async () => {
    const { out } = await sim(BROKEN, SMALL, "--seeds", "1..2", "--workers", "0");
    const [head, first, second, ...rest] = out.trim().split("\n");
    expect(head).toMatch(/^story +seeds +simulated +verdict +worst freeze +first picture +fingerprint$/);
    expect(first).toMatch(/^a broken story +1, 2 +[\d.]+ s +2\/2 BROKEN +\d+ ms +\d+ ms +[0-9a-f]{16}$/);
    expect(second).toMatch(/^a small story +1, 2 +[\d.]+ s +held +\d+ ms +\d+ ms +[0-9a-f]{16}$/);
    expect(rest.filter((line) => /replay +node lockstep\.mjs replay .*--seed \d --trace$/.test(line))).toHaveLength(2);
    expect(rest.at(-2)).toMatch(/^Of \d+ fault sites 0 reached and 0 fired, \d\d of \d+ promises judged\.$/);
    expect(rest.at(-1)).toBe("2 of 4 runs held.");
  });

  it("are judged by safety alone in the regime of torture", async () => {
    expect((await sim(BROKEN, "--seeds", "1..2", "--regime", "torture", "--workers", "0")).status).toBe(0);
    expect((await sim(BROKEN, "--seed", "1", "--regime", "torture")).status).toBe(0);
    expect((await sim(BROKEN, "--seeds", "1..2", "--regime", "realistic", "--workers", "0")).status).toBe(1);
  });

  it("keep the fingerprint in either regime", () => {
    const task = { plan: small, seed: 1, replayName: "x", withoutDrain: false, measures: false };
    const [all, safe] = [true, false].map((safetyAlone) => SIMULATING.work({ ...task, safetyAlone }));
    expect(all!.fingerprint).toBe(safe!.fingerprint);
  });

  it("are reported on when they break, and only then", () => {
    const task = { seed: 7, replayName: "x", withoutDrain: false, measures: false, safetyAlone: false };
    const told = SIMULATING.work({ ...task, plan: broken });
    expect([told.verdict, told.promise]).toEqual(["broken", "STORY"]);
    expect(told.report.length).toBeLessThanOrEqual(12);
    expect(told.report.at(-1)).toContain("replay x --seed 7 --trace");
    expect(SIMULATING.work({ ...task, plan: small }).report).toEqual([]);
  });
});

describe("figures", () => {
  it("are the worst of what anybody saw or heard", () => {
    const voice = { ...picture(5, 700), source: "ana/microphone" };
    expect(figuresOf([picture(80, 50), picture(20, 300), voice])).toEqual({
      firstPictureMicros: 80,
      worstFreezeMicros: 300,
      worstSilenceMicros: 700,
    });
    expect(figuresOf([])).toEqual({
      firstPictureMicros: undefined,
      worstFreezeMicros: undefined,
      worstSilenceMicros: undefined,
    });
  });

  it("have the percentiles of the nearest rank", () => {
    const values = Array.from({ length: 20 }, (_, index) => 20 - index);
    expect([5, 50, 95, 100].map((hundredths) => percentile(values, hundredths))).toEqual([1, 10, 19, 20]);
    expect([percentile([7], 5), percentile([], 50)]).toEqual([7, 0]);
  });
});

describe("a line of the table", () => {
  it("holds a story's runs together", () => {
    const answers = [answerOf({ quality: [picture(80_000, 50_000)] }), answerOf({ seed: 5, verdict: "broken" })];
    const row = tableRow(["a story"], answers);
    expect(row.split(/ {2,}/)).toEqual([
      "a story",
      "1, 5",
      "2.0 s",
      "1/2 BROKEN",
      "50 ms",
      "80 ms",
      expect.any(String),
    ]);
    expect(row.indexOf("1, 5")).toBe(tableHead(["a story"]).indexOf("seeds"));
  });

  it.each([
    [[1, 2], "1, 2"],
    [[1, 2, 3, 9], "1..3, 9"],
    [[1, 2, 3, 9, 20, 30], "6 seeds"],
  ])("names the seeds %j as %j", (seeds, text) => {
    const row = tableRow(
      ["a story"],
      seeds.map((seed) => answerOf({ seed })),
    );
    expect(row.split(/ {2,}/)[1]).toBe(text);
  });

  it("has the fingerprint of its run, and one of all runs that depends on their order", () => {
    expect(joinFingerprints(["0123456789abcdef"])).toBe("0123456789abcdef");
    const [one, other] = ["0123456789abcdef", "fedcba9876543210"];
    expect(joinFingerprints([one!, other!])).not.toBe(joinFingerprints([other!, one!]));
  });
});

describe("the scoreboard", () => {
  const figures: NonNullable<SimAnswer["figures"]> = {
    freezes: 0,
    tornPermille: 3,
    lipSyncMicros: undefined,
    layerChangesPerMinute: undefined,
    bestLayerPercent: undefined,
    standingQueueMicros: undefined,
    fairnessPercent: undefined,
  };

  it("says how many held, what was said, and the 5th percentile, the median and the 95th of the figures there are", () => {
    const answers = SCOREBOARD_SEEDS.map((seed) =>
      answerOf({ seed, quality: [picture(10_000 * seed, 100_000 * seed)], figures }),
    );
    expect(scoreboardLines({ file: "/stories/small.ts", plan: small }, answers)).toEqual([
      `| [${small.name}](small.ts) | 20/20 | "${small.story}" |`,
      `| ${small.name} | 10 / 100 / 190 | 100 / 1000 / 1900 | 0 | 3 |`,
      undefined,
      undefined,
    ]);
  });

  it("rounds so that what nobody feels moves no line, and leaves out runs that broke off", () => {
    const of = (micros: number) =>
      scoreboardLines({ file: "small.ts", plan: small }, [
        answerOf({ quality: [picture(micros, 50_000)], figures }),
        answerOf({ verdict: "broken" }),
      ])[1];
    expect([of(101_000), of(104_000), of(801_000), of(2_040_000)]).toEqual(
      ["100", "100", "800", "2000"].map((wait) => `| ${small.name} | ${wait} | 50 | 0 | 3 |`),
    );
  });

  it("keeps the lines of stories that were not measured, and loses those of stories that are gone", () => {
    const lines = (name: string, held: number, voice?: string) => [
      `| [${name}](${name}.ts) | ${held}/20 | "Words, and more | of them." |`,
      undefined,
      voice === undefined ? undefined : `| ${name} | ${voice} | - |`,
      undefined,
    ];
    const before = scoreboardText(
      ["one", "two", "gone"],
      new Map(["one", "two", "gone"].map((name) => [name, lines(name, 1, "20")])),
      "",
    );
    const fresh = new Map([
      ["two", lines("two", 9)],
      ["new", lines("new", 5, "40")],
    ]);
    const after = readLines(scoreboardText(["new", "one", "two"], fresh, before));
    expect([...after]).toEqual([
      ["new", lines("new", 5, "40")],
      ["one", lines("one", 1, "20")],
      ["two", lines("two", 9)],
    ]);
  });
});
