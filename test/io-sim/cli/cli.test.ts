/** Whether the command line of the simulator says what happened, in lines and in exit statuses. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, vi } from "vitest";
import { command } from "../../support/commands/command.ts";

const SMALL = fileURLToPath(new URL("../../support/stories/small-story.ts", import.meta.url));
const BROKEN = fileURLToPath(new URL("../../support/stories/broken-story.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lockstep-cli-"));

afterAll(() => rmSync(folder, { recursive: true }));

describe("lockstep sim", () => {
  it("answers 0 and one JSON line a run with --json", async () => {
    const { status, out } = await command("sim", SMALL, "--seeds", "1..2", "--json");
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(status).toBe(0);
    expect(lines.map(({ story, seed, verdict, promise }) => ({ story, seed, verdict, promise }))).toEqual([
      { story: "a small story", seed: 1, verdict: "held", promise: "" },
      { story: "a small story", seed: 2, verdict: "held", promise: "" },
    ]);
    expect(Object.keys(lines[0])).toEqual([
      "story",
      "seed",
      "verdict",
      "promise",
      "detail",
      "fingerprint",
      "simulatedMicros",
      "wallMillis",
    ]);
    expect(lines[0].fingerprint).not.toBe(lines[1].fingerprint);
  });

  it("answers 1 and about twelve lines that end with the command for a broken promise", async () => {
    const { status, out } = await command("sim", BROKEN, "--seed", "7");
    const lines = out.trim().split("\n");
    expect(status).toBe(1);
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(out).toContain("bob has perceived nothing of ana/camera");
    expect(lines.at(-1)).toMatch(/replay +node lockstep\.mjs replay \S+broken-story\.ts --seed 7 --trace$/);
  });

  it("shows the trace when asked to", async () => {
    expect((await command("sim", SMALL, "--seed", "1", "--trace")).out).toContain("everyone is connected: time zero");
  });
});

describe("lockstep replay", () => {
  it("shows the same fingerprint for the same story and seed", async () => {
    const first = await command("replay", SMALL, "--seed", "1", "--json");
    const second = await command("sim", SMALL, "--json");
    expect(JSON.parse(first.out).fingerprint).toBe(JSON.parse(second.out).fingerprint);
  });

  it("shows a moment, the trace up to it, and one event earlier", async () => {
    const until = ["replay", SMALL, "--seed", "1", "--until", "1s"];
    const stopped = await command(...until, "--json");
    const { event, rows } = JSON.parse(stopped.out);
    expect(rows.at(-1)).toMatchObject({ storyMicros: expect.any(Number), who: expect.any(String) });
    const back = await command(...until, "--back", "1");
    expect(back.out).toContain(`at event ${event - 1}, `);
    const traced = (await command(...until, "--trace")).out.trim().split("\n");
    expect(traced[0]).toMatch(/time +event +who +what/);
    expect(traced.some((line) => line.includes("join request"))).toBe(true);
    expect(traced.at(-1)).toContain(`at event ${event}, `);
  });

  it("gives the trace as JSON, a line each, with the verdict as the last", async () => {
    const lines = (await command("replay", SMALL, "--seed", "1", "--trace", "--json")).out.trim().split("\n");
    const objects = lines.map((line) => JSON.parse(line));
    expect(objects.at(-1)).toMatchObject({ story: "a small story", verdict: "held" });
    expect(objects.slice(0, -1).every(({ who, text }) => typeof who === "string" && text !== "")).toBe(true);
  });

  it("replays a journal that a run has written, and says when it comes out otherwise", async () => {
    const file = join(folder, "journal.jsonl");
    expect((await command("sim", SMALL, "--seed", "1", "--journal", file)).status).toBe(0);
    expect((await command("replay", file)).status).toBe(0);
    writeFileSync(file, readFileSync(file, "utf8").replace(/"randomSeed":\d+/, '"randomSeed":1'));
    const changed = await command("replay", file);
    expect([changed.status, changed.out]).toEqual([1, expect.stringContaining("other effects")]);
  });
});

describe("stepping through a run", () => {
  /** What `replay --step` says to somebody who writes these lines, from event 100 on. */
  async function stepping(...lines: string[]) {
    const stdin = vi
      .spyOn(process, "stdin", "get")
      .mockReturnValue(Readable.from(lines.map((line) => `${line}\n`)) as never);
    const { status, out, err } = await command("replay", SMALL, "--until", "100", "--step");
    stdin.mockRestore();
    return { status, err, events: [...out.matchAll(/^at event (\d+),/gm)].map(([, event]) => Number(event)) };
  }

  it("goes on, back, and to an event that is named", async () => {
    const { status, events } = await stepping("", "", "b", "400", "b", "q");
    expect([status, events]).toEqual([0, [100, 101, 102, 101, 400, 399]]);
  });

  it("takes a word that it does not know for none, and says which there are", async () => {
    const { events, err } = await stepping("x", "q");
    expect(events).toEqual([100]);
    expect(err).toContain('"x" is none of these. Enter: next event');
  });
});

describe("a moment that never comes", () => {
  it.each(["999999999", "9999s"])("is said to be beyond the end of the run: %s", async (until) => {
    const { status, out } = await command("replay", SMALL, "--until", until);
    expect([status, out.trim().split("\n").at(-1)]).toEqual([
      0,
      expect.stringMatching(/^the run was over before that, at /),
    ]);
    const told = await command("replay", SMALL, "--until", until, "--json");
    expect(JSON.parse(told.out)).toMatchObject({ reached: false });
  });

  it("is not said of one that comes", async () => {
    expect((await command("replay", SMALL, "--until", "2s")).out).not.toContain("was over before");
  });
});

describe("wrong use", () => {
  it.each([
    [["sim", "no-such-story"], "no story called"],
    [["sim", "a tunle"], 'Did you mean "a tunnel"?'],
    [["sim", "nowhere/a-plan.json"], 'There is no file "nowhere/a-plan.json"'],
    [["replay", "a tunle"], 'Did you mean "a tunnel"?'],
    [["sim", SMALL, "--seed", "x"], "whole number"],
    [["sim", SMALL, "--seed", "1", "--seeds", "1..2"], "not both"],
    [["sim", SMALL, "--seeds", "9..1"], "smaller one first"],
    [["sim", SMALL, "--seeds", "1..2", "--journal", "x"], "one story and one seed"],
    [["sim", "--bogus"], "unknown option"],
    [["sim", SMALL, "--sed", "7"], "Did you mean --seed?"],
    [["sim", SMALL, "--seed", "-1"], "whole number"],
    [["replay", "a clean call"], "--seed N; committed are 1, 2"],
    [["replay", "no-such-file"], "no story called"],
    [["replay", BROKEN.replace("broken-story.ts", "small-story.ts"), "--seed"], "argument missing"],
    [["replay", fileURLToPath(new URL("../../../README.md", import.meta.url))], "journal"],
    [["replay", fileURLToPath(new URL("../../../package.json", import.meta.url))], "The plan has a field"],
    [["replay", SMALL, "--seed", "1", "--until", "soon"], "--until takes"],
    [["replay", SMALL, "--seed", "1", "--until", "1s", "--journal", "x"], "--journal writes a whole run"],
    [
      ["replay", fileURLToPath(new URL("../../../io-sim/world/rows.ts", import.meta.url)), "--seed", "1"],
      "exports no story",
    ],
    [["sim", SMALL, "--journal", "/no-such-folder/x"], "no folder"],
    [["replay", SMALL, "--seed", "1", "--fork", "a/b/1=1"], "no decision"],
    [["diff", "no-such-file", "neither"], "STORY@SEED"],
  ])("%j answers 2 and one sentence", async (words, sentence) => {
    const { status, out, err } = await command(...words);
    expect(status).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(sentence);
    expect(err.trim().split("\n").length).toBe(1);
  });

  it.each([
    ["sim", "--seeds <A..B>"],
    ["replay", "--until <EVENT|TIME>"],
    ["diff", "STORY@SEED"],
    ["explain", "--forks <N>"],
    ["explore", "--minutes <M>"],
    ["shrink", "--within <SECONDS>"],
  ])("is not to ask for the help of %s, which ends with an example", async (name, word) => {
    const { status, out } = await command(name, "--help");
    expect(status).toBe(0);
    expect(out).toContain(word);
    expect(out.trim().split("\n").at(-1)).toMatch(new RegExp(`^Example: lockstep ${name} `));
  });
});
