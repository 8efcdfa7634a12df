/**
 * Whether the commands that search do what they say, and say what was wrong with what they were told.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findStory } from "../../../io-sim/cli/stories.ts";
import { at, ms, mute, plays } from "../../../io-sim/index.ts";
import { attempt } from "../../../io-sim/search/attempt.ts";
import { generatePlan } from "../../../io-sim/search/generate.ts";
import { planToJson } from "../../../io-sim/story/plan-json.ts";
import { command } from "../../support/commands/command.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const folder = mkdtempSync(join(tmpdir(), "lockstep-search-"));
afterAll(() => rmSync(folder, { recursive: true }));

const broken = join(folder, "broken.json");
writeFileSync(
  broken,
  planToJson(
    smallStory({
      timeline: [at(ms(100), "the microphone is off", mute("ana", "microphone"))],
      finally: [plays("bob", "ana/microphone")],
      runFor: ms(1_300),
    }),
  ),
);

describe("lockstep shrink", () => {
  it("writes a story that breaks", async () => {
    const { status } = await command("shrink", broken, "--out", join(folder, "found"));
    const [file, ...rest] = readdirSync(join(folder, "found"));
    expect([status, file, rest]).toEqual([1, "a-small-story-made-small.mts", []]);
    const text = readFileSync(join(folder, "found", file!), "utf8");
    expect(text).toMatch(
      /^\/\*\*\n \* "There were two of us, then the microphone is off, and bob got nothing of ana's/,
    );
    expect(attempt((await findStory(join(folder, "found", file!)))!.plan, 1).promise).toBe("STORY");
  });

  it("says so when there is nothing to shrink", async () => {
    const sound = join(folder, "sound.json");
    writeFileSync(sound, planToJson(smallStory({ runFor: ms(200) })));
    const { status, out, err } = await command("shrink", sound);
    expect([status, out]).toEqual([0, ""]);
    expect(err).toContain("nothing to shrink");
  });
});

describe("lockstep explore", () => {
  it("gives the same with workers as without, and says what it reached", async () => {
    const failing = (number: number) =>
      generatePlan(number, "torture").steps.some((step) => step.operation.type === "buggify");
    let from = 0;
    while (!failing(from)) from++;
    const words = ["explore", "--from", String(from), "--seeds", "2", "--no-shrink", "--json", "--workers"];
    const [alone, together] = [await command(...words, "0"), await command(...words, "2")];
    const { wallMillis, seedsPerMinute, ...rest } = JSON.parse(alone.out.trim().split("\n")[0]!);
    expect(JSON.parse(together.out.trim().split("\n")[0]!)).toMatchObject(rest);
    expect([alone.status, rest.worlds]).toEqual([together.status, 2]);
    expect(rest.promisesJudged).toBeGreaterThan(10);
    expect(rest.sitesReached).toBeGreaterThan(10);
  });
});

describe("lockstep explain", () => {
  it("names the step that flips the verdict, and shows the curve", async () => {
    const { status, out } = await command("explain", broken, "--points", "2", "--forks", "1");
    expect(status).toBe(1);
    expect(out).toContain("Without this step of the story it holds:");
    expect(out).toContain("0.100 s  the microphone is off");
    expect(out).toMatch(/0\.000 s {2}█{40} {2}1 of 1/);
    expect(out).toContain("it was judged when the story was over");
    expect(out).toMatch(
      /To go on from here:\n {2}node lockstep\.mjs replay \S+broken\.json --seed 1 --until 0\.100000s\n/,
    );
  });

  it("says so when the simulated world itself throws, and how that is seen again", async () => {
    const throwing = join(folder, "throwing.mts");
    const plan = smallStory({ runFor: ms(300) });
    // No story compiles to a change of a link that says nothing of it.
    const step = { atMicros: ms(100), label: "nonsense", operation: { type: "link", peer: "ana" } };
    writeFileSync(throwing, `export default ${JSON.stringify({ ...plan, steps: [step] })};`);
    const { status, out, err } = await command("explain", throwing);
    expect([status, err]).toEqual([1, ""]);
    expect(out).toMatch(/^The run threw: .+\n {2}No promise broke/);
    const [, again, before] = /by then:\n {2}node lockstep.mjs (.+)\n {2}node lockstep.mjs (.+)\n$/.exec(out)!;
    await expect(command(...again!.split(" "))).rejects.toThrow("undefined");
    expect((await command(...before!.split(" "))).out).toContain("every promise held so far");
    const { promise, detail } = JSON.parse((await command("explain", throwing, "--json")).out);
    expect([promise, detail]).toEqual(["S0", out.split("\n")[0]]);
  });
});

describe("an interrupted search", () => {
  it("ends, and tells what it has found", async () => {
    const listeners = process.listenerCount("SIGINT");
    const search = command("explore", "--seeds", "100000", "--workers", "0", "--no-shrink");
    setTimeout(() => process.emit("SIGINT"), 100);
    const { status, out, err } = await search;
    expect([0, 1]).toContain(status);
    expect(err).toContain("The search ends here");
    expect(out).toMatch(/^\d+ worlds?, /);
    expect(process.listenerCount("SIGINT")).toBe(listeners);
  });
});

describe("whoever interrupts", () => {
  /** Runs a command, and interrupts it as soon as it hears that. */
  const interrupted = async (...words: string[]) => {
    const listeners = process.listenerCount("SIGINT");
    const interrupt = (event: string | symbol) => {
      if (event === "SIGINT") queueMicrotask(() => process.emit("SIGINT"));
    };
    process.on("newListener", interrupt);
    const outcome = await command(...words, "--workers", "0");
    process.off("newListener", interrupt);
    expect(process.listenerCount("SIGINT")).toBe(listeners);
    expect(outcome.err).toContain("The search ends here");
    return outcome;
  };

  it("lockstep shrink gets the smallest world yet", async () => {
    const { status, out, err } = await interrupted("shrink", broken);
    expect([status, err]).toEqual([1, expect.stringContaining("interrupted before all was tried")]);
    expect(out).toContain("export default scenario({");
  });

  it("lockstep explain is told what is known, and that it is not all", async () => {
    const { status, out } = await interrupted("explain", broken);
    expect([status, out.split("It was interrupted before all was tried").length]).toEqual([1, 3]);
    expect(out).toContain("What those concerned went through before it:");
    expect(out).toContain("To go on from here:");
  });
});

describe("wrong use", () => {
  it.each([
    [["explore", "--minutes", "x"], "--minutes takes"],
    [["explore", "--workers", "9999"], "at most 256"],
    [["explore", "--regime", "mild"], "torture or realistic"],
    [["shrink", "no-such-story"], "no story called"],
    [["shrink", "a-clean-call"], "--seed N"],
    [["shrink", broken, "--within", "soon"], "--within takes"],
    [["explain", "no-such-story"], "no story called"],
    [["shrink"], "missing required argument"],
    [["shrink", broken, "--bogus"], "unknown option"],
  ])("%j answers 2 and one sentence", async (argv, sentence) => {
    const { status, out, err } = await command(...argv);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain(sentence);
    expect(err.trim().split("\n").length).toBe(1);
  });
});
