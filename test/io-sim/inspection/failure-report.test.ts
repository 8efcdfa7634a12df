/** Whether a broken run says in about twelve lines what a person needs, and ends with the command that shows it again. */
import { beforeAll, describe, expect, it } from "vitest";
import { micros } from "../../../core/index.ts";
import { failureReport } from "../../../io-sim/inspection/failure-report.ts";
import { replayCommand } from "../../../io-sim/inspection/replay-command.ts";
import { run, type Verdict } from "../../../io-sim/world/run.ts";
import brokenStory from "../../support/stories/broken-story.ts";

let verdict: Verdict;

beforeAll(() => {
  verdict = run(brokenStory, 7);
});

/** The text of one field of the report. */
function field(name: string, of: Verdict = verdict): string {
  return (
    failureReport(of)
      .find((line) => line.startsWith(`  ${name} `))
      ?.slice(11) ?? ""
  );
}

/** The same verdict on a world that is otherwise in this. */
function inWorld(change: Partial<Verdict["world"]>): Verdict {
  return { ...verdict, world: { ...verdict.world, ...change } };
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

  it("names six of many, and counts the others", () => {
    const peers = Array.from({ length: 9 }, (_, index) => ({ ...brokenStory.peers[0]!, name: `p${index}` }));
    const crowd = inWorld({ plan: { ...brokenStory, peers } });
    const who = field("who", { ...crowd, broken: { ...verdict.broken!, detail: "nobody is heard" } });
    expect(who).toMatch(/^p0 in lounge [^;]*;.*; p5 in lounge [^;]*; 3 more$/);
  });

  it("shows the last rows of those involved, of the server and of the story, and of nobody else", () => {
    const time = micros(verdict.broken!.time);
    const row = (who: string, text: string) => ({ time, event: 1, kind: "client", who, text }) as const;
    const rows = [
      row("ana", "too early"),
      row("", "one"),
      row("ana", "two"),
      row("next", "not his"),
      row("bob", "three"),
    ];
    const report = failureReport(inWorld({ rows: [...rows, row("bob", "four")] })).join("\n");
    expect(report).toMatch(/ {2}before .* one\n.* two\n.* three\n.* four\n {2}replay /);
  });

  it("cuts a row that is longer than a line, and no other", () => {
    const time = micros(verdict.broken!.time);
    const rowsOf = (length: number) => [{ time, event: 1, kind: "server", who: "", text: "x".repeat(length) } as const];
    expect(field("before", inWorld({ rows: rowsOf(110) }))).toMatch(/ x{110}$/);
    expect(field("before", inWorld({ rows: rowsOf(111) }))).toMatch(/ x{109}…$/);
  });

  it("says what the plan holds", () => {
    expect(field("plan")).toBe("3 peers in 2 rooms, 1 step, 4 s, 1 promise of its own");
  });

  it("says what the server was made with, where that is not as usual", () => {
    expect(field("knobs")).toBe("");
    const turned = inWorld({ plan: { ...brokenStory, knobs: { nackTriesMax: 1, reportMicros: 250_000 } } });
    expect(field("knobs", turned)).toBe("nackTriesMax 1, reportMicros 250 ms");
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
