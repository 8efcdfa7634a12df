/** Whether a broken run says in about twelve lines what a person needs, and ends with the command that shows it again. */
import { beforeAll, describe, expect, it } from "vitest";
import { failureReport } from "../../io-sim/failure-report.ts";
import { replayCommand } from "../../io-sim/replay-command.ts";
import { run, type Verdict } from "../../io-sim/run.ts";
import brokenStory from "../support/broken-story.ts";

let verdict: Verdict;

beforeAll(() => {
  verdict = run(brokenStory, 7);
});

/** The text of one field of the report. */
function field(name: string): string {
  return (
    failureReport(verdict)
      .find((line) => line.startsWith(`  ${name} `))
      ?.slice(11) ?? ""
  );
}

describe("a failure report", () => {
  it("has about twelve lines, the first with story and seed, the last with the command", () => {
    const lines = failureReport(verdict, { artifacts: ["run.html"] });
    expect(lines.length).toBeGreaterThanOrEqual(9);
    expect(lines.length).toBeLessThanOrEqual(13);
    expect(lines[0]).toBe('BROKEN  a broken story, seed 7: "We said hello."');
    expect(lines.at(-2)).toContain("run.html");
    expect(lines.at(-1)).toContain(replayCommand("a broken story", 7));
  });

  it("says which promise it was, in a sentence, and what was seen", () => {
    expect(field("promise")).toBe("STORY: What the story promises.");
    expect(field("seen")).toMatch(/^bob has perceived nothing of ana\/camera for \d\.\d+ s at the end\.$/);
  });

  it("says when, in the story's time, as an event and as an input", () => {
    const { broken, inputs, fingerprint } = verdict;
    expect(field("when")).toBe(`4.000 s, event ${broken!.event}, input ${inputs}; fingerprint ${fingerprint}`);
  });

  it("names those who were involved and nobody else", () => {
    expect(field("who")).toBe("ana in lounge with vp8 and microphone; bob in lounge with vp8 and microphone");
  });

  it("says what the plan holds", () => {
    expect(field("plan")).toBe("3 peers in 2 rooms, 1 step, 4 s, 1 promise of its own");
  });

  it("says what the server was made with, where that is not as usual", () => {
    expect(field("knobs")).toBe("");
    const world = { ...verdict.world, plan: { ...brokenStory, knobs: { nackTriesMax: 1, reportMicros: 250_000 } } };
    const lines = failureReport({ ...verdict, world });
    expect(lines).toContain("  knobs    nackTriesMax 1, reportMicros 250 ms");
  });

  it("shows nothing that came after the promise was broken", () => {
    expect(failureReport(verdict).join("\n")).not.toContain("everyone leaves");
  });

  it("is empty for a run that held", () => {
    expect(failureReport({ ...verdict, verdict: "held", broken: undefined })).toEqual([]);
  });
});

describe("the command", () => {
  it.each([
    ["small.ts", "small.ts"],
    ["a small story", '"a small story"'],
    ["what's $HOME", "'what'\\''s $HOME'"],
  ])("quotes %s for a shell", (name, word) => {
    expect(replayCommand(name, 3)).toBe(`node lockstep.mjs replay ${word} --seed 3 --trace`);
  });
});
