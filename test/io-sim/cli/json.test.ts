/**
 * Whether every command says with `--json` what it says to people: one value, or one a line, and nothing else on standard
 * output, nothing on standard error, and the same exit status. Through the real program, because what a library or a
 * worker thread writes is seen there alone. (Benchmarks of a real server have this in the tests of their own.)
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, ms, mute, plays } from "../../../io-sim/index.ts";
import { planToJson } from "../../../io-sim/story/plan-json.ts";
import { run } from "../../../io-sim/world/run.ts";
import { program } from "../../support/commands/program.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const folder = mkdtempSync(join(tmpdir(), "lockstep-json-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string) => join(folder, name);
const peers = { ana: { sends: { microphone: true } }, bob: { receives: { audio: 1 } } } as const;
const held = smallStory({ peers, runFor: ms(200) });
const broken = smallStory({
  peers,
  timeline: [at(ms(100), "the microphone is off", mute("ana", "microphone"))],
  finally: [plays("bob", "ana/microphone")],
  runFor: ms(1_300),
});
const FOUND = file("a-small-story-made-small.mts");
const [HELD, BROKEN, JOURNAL] = [file("held.json"), file("broken.json"), file("run.journal")];

/** What the program answers, as JSON: one value for each line. */
async function asJson(...words: string[]): Promise<{ status: number; values: unknown[]; stderr: string }> {
  const { status, stdout, stderr } = await program(...words, "--json");
  if (stdout !== "") expect(stdout.at(-1)).toBe("\n");
  const values = stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
  return { status, values, stderr };
}

/** One value, with this in it. */
const one = (content: object) => [expect.objectContaining(content)];
const lines = (first: object, last: object) =>
  expect.toSatisfy((values: unknown[]) => {
    expect([values[0], values.at(-1)]).toEqual([expect.objectContaining(first), expect.objectContaining(last)]);
    return true;
  });

beforeAll(() => {
  writeFileSync(HELD, planToJson(held));
  writeFileSync(BROKEN, planToJson(broken));
  writeFileSync(JOURNAL, run(held, 1, { journal: true }).journal ?? "");
});

const story = { seed: 1, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) };
const nothing = { key: "", seed: 1 };

describe("a command says as JSON", () => {
  it.concurrent.each([
    [["sim", HELD], 0, one({ ...story, verdict: "held", promise: "", detail: "" })],
    [["sim", HELD, BROKEN, "--workers", "1"], 1, lines({ verdict: "held" }, { verdict: "broken", promise: "STORY" })],
    [["sim", HELD, "--equalities", "--workers", "1"], 0, lines({ story: "a small story" }, { seed: 1 })],
    [["replay", BROKEN], 1, one({ ...story, verdict: "broken", detail: expect.stringContaining("bob") })],
    [["replay", HELD, "--trace"], 0, lines({ text: expect.any(String) }, { verdict: "held" })],
    [["replay", HELD, "--until", "50", "--back", "1"], 0, one({ ...story, event: 49 })],
    [["replay", HELD, "--until", "50", "--state"], 0, one({ peers: expect.any(Array) })],
    [["replay", HELD, "--decisions"], 0, lines({ decision: expect.any(String) }, { answer: expect.any(Number) })],
    [["replay", JOURNAL], 0, one({ verdict: "held", journal: JOURNAL })],
    [["diff", JOURNAL, `${BROKEN}@1`], 1, one({ same: false })],
    [
      ["shrink", BROKEN, "--out", folder],
      1,
      one({ key: expect.stringMatching(/^STORY: /), isComplete: true, file: FOUND }),
    ],
    [["shrink", HELD], 0, one(nothing)],
    [["explain", BROKEN, "--points", "2", "--forks", "1"], 1, one({ promise: "STORY", steps: expect.any(Array) })],
    [["explain", HELD], 0, one(nothing)],
    [["export", HELD, "--html", file("a.html")], 0, one({ verdict: "held", files: [file("a.html")] })],
    [["explore", "--seeds", "1", "--workers", "1"], 0, one({ worlds: 1, broken: 0, findings: [] })],
    [["bench", "planted", "--list"], 0, [expect.arrayContaining([expect.objectContaining({ id: "route-leak" })])]],
  ] as const)("what it found: %j", async (words, status, values) => {
    expect(await asJson(...words)).toEqual({ status, values, stderr: "" });
  });

  it.concurrent("nothing when it is used wrongly: the sentence is for people", async () => {
    const { status, values, stderr } = await asJson("replay", HELD, "--step");
    expect([status, values, stderr]).toEqual([2, [], expect.stringContaining("--step is for people")]);
  });
});
