/**
 * The pages for whoever debugs are true: what they print is what the commands print today, and each flag that they use is one.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { scenario } from "../../io-sim/index.ts";
import { decisionsOf } from "../../io-sim/inspection/inspection.ts";
import { planFromJson } from "../../io-sim/story/plan-json.ts";
import { command } from "../support/commands/command.ts";
import { smallStory } from "../support/stories/small-story.ts";
import { tracedStory } from "../support/stories/traced-story.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

const PAGES = [
  "README.md",
  "docs/how-to-debug-a-seed.md",
  "docs/how-to-debug-a-server.md",
  "docs/writing-scenarios.md",
];
const SEED_PAGE = read("docs/how-to-debug-a-seed.md");

/** A command of the simulator as a page has it. */
const COMMAND = /lockstep(?:\.mjs)? ((?:sim|replay|diff|export|explore|explain|shrink) [^`#|\n]*)/g;

/** The words of a command line; quotes hold words together. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

/** A line as it is compared: columns may be wider, and fingerprints change with the core. */
function plain(line: string): string {
  return line
    .trim()
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\b[0-9a-f]{16}\b/g, "…");
}

/** What the first part of the page prints, each with the command that prints it: the one before it, or in its last line. */
function printed(): { words: string[]; lines: string[] }[] {
  const part = SEED_PAGE.slice(0, SEED_PAGE.indexOf("## From a search to a fix"));
  let last = "";
  const outputs: { words: string[]; lines: string[] }[] = [];
  for (const [, language, text] of part.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    const [first = ""] = [...text!.matchAll(COMMAND)].map(([, line]) => line!);
    if (language === "sh") last = first;
    else
      outputs.push({
        words: wordsOf((first || last).replace("seed 7 --trace", "seed 7")),
        lines: text!.trimEnd().split("\n"),
      });
  }
  return outputs;
}

describe("what how-to-debug-a-seed prints", () => {
  it.each(printed().map(({ words, lines }) => [words.join(" "), words, lines] as const))(
    "is what lockstep %s prints",
    async (_name, words, lines) => {
      const said = (await command(...words)).out.split("\n").map(plain);
      let from = 0;
      for (const line of lines.map(plain)) {
        const at = said.indexOf(line, from);
        expect(at, `"${line}" is not among what it prints`).toBeGreaterThanOrEqual(0);
        from = at + 1;
      }
    },
  );

  it("is looked at in more than three places", () => {
    expect(printed().length).toBeGreaterThan(3);
  });
});

describe("a command of a page", () => {
  const uses = PAGES.flatMap((page) => [...read(page).matchAll(COMMAND)].map(([, line]) => wordsOf(line!)));
  const flags = new Map<string, Set<string>>();
  for (const [name, ...words] of uses) {
    const used = flags.get(name!) ?? new Set();
    for (const word of words) if (word.startsWith("--")) used.add(word.split("=")[0]!);
    flags.set(name!, used);
  }

  it.each([...flags])("%s has the flags that are used", async (name, used) => {
    const { out } = await command(name, "--help");
    for (const flag of used) expect(out).toMatch(new RegExp(`${flag}\\b`));
  });

  it("writes files that the repository takes no notice of", () => {
    const written = uses.flatMap((words) =>
      words.filter(
        (_, index) => /^--(html|pcapng|perfetto|journal)$/.test(words[index - 1] ?? "") && words[index] !== "FILE",
      ),
    );
    expect(written.length).toBeGreaterThan(3);
    expect(read(".gitignore").split("\n")).toContain("/run.*");
    expect(written.filter((file) => !file.startsWith("run."))).toEqual([]);
  });
});

describe("the plan", () => {
  const reference = read("docs/writing-scenarios.md");

  it("that a story compiles to is printed as JSON, and is that plan", async () => {
    const { status, out } = await command(
      "replay",
      new URL("../support/stories/small-story.ts", import.meta.url).pathname,
      "--plan",
    );
    expect(status).toBe(0);
    expect(planFromJson(out)).toEqual(JSON.parse(JSON.stringify(smallStory())));
  });

  it("has each of its fields in the reference", () => {
    const story = {
      name: "all",
      story: "All.",
      seeds: { 1: "any" },
      peers: { ana: { persona: "thin" } },
      runFor: 1_000_000,
    } as const;
    const all = scenario({
      ...story,
      ...{ shards: { count: 2 }, knobs: { nackTriesMax: 1 }, wallClock: 1, serverNearWrap: true, swapsWithin: 1 },
      ...{ steady: { from: 500_000, among: ["ana"] }, chance: [], chanceTurns: { at: 500_000, seed: 2 } },
    });
    for (const field of [...Object.keys(all), ...Object.keys(all.peers[0]!)])
      expect(reference).toContain(`\`${field}\``);
  });
});

describe("the log of decisions", () => {
  it("has each of its sites in the page", () => {
    const sites = new Set(decisionsOf(tracedStory(), 1).map(({ site }) => site));
    for (const site of sites) expect(SEED_PAGE).toContain(`\`${site}\``);
  });
});
