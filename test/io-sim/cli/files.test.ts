/** Whether each command says what is wrong with a file that it was given, in one sentence, and before it runs for minutes. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kindOf, makeFolder, mustTakeFolder } from "../../../io-sim/cli/files.ts";
import { command } from "../../support/commands/command.ts";

const SMALL = fileURLToPath(new URL("../../support/stories/small-story.ts", import.meta.url));
const INDEX = fileURLToPath(new URL("../../../io-sim/index.ts", import.meta.url));
const README = fileURLToPath(new URL("../../../README.md", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lockstep-files-"));
const file = (name: string) => join(folder, name);

/** Commands that take a story, with what else they need. */
const COMMANDS: readonly (readonly string[])[] = [
  ["sim"],
  ["replay"],
  ["export", "--html", file("report.html")],
  ["explain"],
  ["shrink"],
];

const STRANGER = `import { at, cut, scenario, seconds } from ${JSON.stringify(INDEX)};
export default scenario({
  name: "a stranger", story: "Who?", seeds: { 1: "any" }, peers: { ana: {} },
  timeline: [at(seconds(1), "cut", cut("bob"))], runFor: seconds(2),
});
`;

beforeAll(async () => {
  mkdirSync(file("folder.json"));
  writeFileSync(file("throws.mts"), 'const why = "out of tea";\nthrow new Error("The kitchen is\\n" + why);\n');
  writeFileSync(file("unfinished.mts"), "export default (\n");
  writeFileSync(file("a-stranger.mts"), STRANGER);
  writeFileSync(file("cut-off.json"), '{"name": "a plan"');
  writeFileSync(file("empty.json"), "");
  writeFileSync(file("list.json"), "[]");
  await command("sim", SMALL, "--journal", file("run.journal"));
  await command("sim", SMALL, "--journal", file("run.json"));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command and expects one sentence and status 2. */
async function sentence(words: readonly string[]): Promise<string> {
  const { status, out, err } = await command(...words);
  expect([status, out, err.trim().split("\n").length]).toEqual([2, "", 1]);
  return err.trim();
}

describe.each(COMMANDS)("%s", (name, ...more) => {
  it.each([
    ["nowhere/a-story.mts", /^There is no file "nowhere\/a-story\.mts"\.$/],
    [
      "a-tunle.mts",
      /^There is no file and no story called "a-tunle\.mts" in sim-scenarios\/\. Did you mean "a tunnel"/,
    ],
    [file("throws.mts"), /^Can't load ".*throws\.mts": The kitchen is \(line 2\)$/],
    [file("unfinished.mts"), /^Can't load ".*unfinished\.mts": .*(EOF|end of file)/],
    [file("a-stranger.mts"), /^The story "a stranger" speaks of "bob", who is not among its peers\.$/],
    [file("cut-off.json"), /^Can't read a plan from ".*cut-off\.json": The plan is no JSON: .+\.$/],
    [file("empty.json"), /The plan is no JSON: the file is empty\.$/],
    [file("list.json"), /The plan is \[\], but has to be an object\.$/],
    [file("run.json"), /^".*run\.json" is a journal and no plan/],
  ])("says what is wrong with %s", async (path, expected) => {
    expect(await sentence([name!, path, ...more])).toMatch(expected);
  });

  it.each([folder, file("folder.json")])("takes a folder for none", async (path) => {
    expect(await sentence([name!, path, ...more])).toMatch(
      /: name one of the stories in it\.$|; name one of the files in it\.$/,
    );
  });
});

describe("a journal where a story is wanted", () => {
  it.each(COMMANDS.filter(([name]) => name !== "replay"))("is told to %s what it is", async (name, ...more) => {
    expect(await sentence([name!, file("run.journal"), ...more])).toMatch(
      /is a journal.*name the story that it came from/,
    );
  });
});

describe("what is no journal", () => {
  it.each([
    ["replay", README],
    ["diff", `${SMALL}@1`, README],
  ])("is told to %s", async (...words) => {
    expect(await sentence(words)).toMatch(/^".*README\.md" is no journal/);
  });

  it("and a folder can't be compared", async () => {
    expect(await sentence(["diff", `${SMALL}@1`, folder])).toMatch(/it is a directory; name one of the files in it\.$/);
  });
});

describe("a file that can't be written", () => {
  it.each([
    ["replay", SMALL, "--journal"],
    ["export", SMALL, "--pcapng"],
    ["export", SMALL, "--perfetto"],
    ["export", SMALL, "--html"],
  ])("is refused before %s %s %s runs", async (...words) => {
    expect(await sentence([...words, folder])).toMatch(/^Can't write ".*": it is a directory\.$/);
    expect(await sentence([...words, file("nowhere/x")])).toMatch(
      /^Can't write ".*": there is no folder ".*nowhere"\.$/,
    );
    expect(await sentence([...words, file("empty.json/x")])).toMatch(/: there is a file where a folder has to be\.$/);
  });

  it.each([
    ["shrink", SMALL],
    ["explore", "--seeds", "1"],
  ])("is refused as a folder before %s %s searches", async (...words) => {
    expect(await sentence([...words, "--out", file("empty.json")])).toMatch(
      /there is a file where a folder has to be\.$/,
    );
  });

  it.each([
    ["shrink", SMALL, "--out"],
    ["export", SMALL, "--html"],
  ])("is refused by %s %s %s where the system takes none, even of root", async (...words) => {
    expect(await sentence([...words, "/proc/x"])).toMatch(/^Can't write "\/proc\/x": (nothing new|you have no)/);
  });

  it("is refused when two exports would have it", async () => {
    const same = ["--html", file("x"), "--pcapng", `${folder}/./x`];
    expect(await sentence(["export", SMALL, ...same])).toMatch(/^Two of these files are the same/);
  });
});

describe("a folder that is missing", () => {
  it("is made with those above it, and is no harm when it is there", () => {
    makeFolder(file("one/above/another"));
    makeFolder(file("one/above/another"));
    expect(kindOf(file("one/above/another"))).toBe("folder");
  });

  it("is told in words when it can't be made", () => {
    expect(() => makeFolder("/proc/x/y")).toThrow(/^Can't write "\/proc\/x/);
  });

  it("is not there yet when it was only asked whether it can be made", () => {
    mustTakeFolder(file("later/on"));
    expect(readdirSync(folder)).not.toContain("later");
    expect(readdirSync(folder).filter((name) => name.startsWith(".lockstep"))).toEqual([]);
  });
});
