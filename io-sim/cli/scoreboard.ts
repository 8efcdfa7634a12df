/**
 * The scoreboard: what the calls of the stories felt like over twenty seeds each, as a file whose diff people read.
 *
 * Figures that belong together stand in one table, a line for each story that has any of them, so that a change is a short
 * line under the heading that says what it is about. Numbers are rounded to steps (see {@link ROUNDING}): what nobody would
 * feel moves few lines. A line depends on the code and on its story alone, so whoever changes one story makes its lines anew
 * (`lockstep sim STORY --scoreboard`) and leaves the others as they are. Stories that a search has found have none: they are
 * there for one seed.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { type Figures, figuresOf, percentile } from "./figures.ts";
import type { SimAnswer } from "./sim-worker.ts";
import type { Story } from "./stories.ts";
import { FOUND_FOLDER } from "./story-files.ts";

/** Where the scoreboard is. */
export const SCOREBOARD_FILE = fileURLToPath(new URL("../../sim-scenarios/scoreboard.md", import.meta.url));

/** The seeds that a line is made of. */
export const SCOREBOARD_SEEDS: readonly number[] = Array.from({ length: 20 }, (_, index) => index + 1);

const HEAD = `# Scoreboard

What the calls of the stories feel like, over the seeds 1 to 20 of each. Made by \`lockstep sim --scoreboard\`; after a change
of one story \`lockstep sim STORY --scoreboard\` makes its lines anew. A change of a number here is a change for somebody in a
call: it belongs into the review.

Each figure is the worst of a run, of all that anybody in the call was shown over the whole story; the three numbers are the
5th percentile, the median and the 95th percentile of the twenty runs, and one number stands for three that are equal. A
covered camera or a muted microphone counts as a gap too. Times are rounded to 10 ms, from 200 ms on to 50, and from 1,000 on
to 100. A dash stands where there is nothing to be said.
`;

/** What a figure is rounded to: the step of the least limit that it lies below. */
const ROUNDING = {
  millis: [
    { below: 200, step: 10 },
    { below: 1_000, step: 50 },
    { below: Number.POSITIVE_INFINITY, step: 100 },
  ],
  whole: [{ below: Number.POSITIVE_INFINITY, step: 1 }],
} as const;

/** A column: how a run's figure is found, and how it is told. */
interface Column {
  readonly title: string;
  readonly figure: (run: FeltRun) => number | undefined;
  readonly rounding: keyof typeof ROUNDING;
  /** What a unit of the figure is of the unit that is shown. */
  readonly scale: number;
}

/** What one run felt like, all figures together. */
type FeltRun = Figures & NonNullable<SimAnswer["figures"]>;

interface Table {
  readonly heading: string;
  /** What somebody has to know to read it. */
  readonly words: string;
  readonly columns: readonly Column[];
}

const times = { rounding: "millis", scale: 1_000 } as const;
const counts = { rounding: "whole", scale: 1 } as const;
const TABLES: readonly Table[] = [
  {
    heading: "Pictures",
    words:
      "The wait for the first picture and the longest freeze, in ms; how often a picture stood still for half a second, and " +
      "the pictures of a thousand that came and could not be shown.",
    columns: [
      { title: "first picture", figure: ({ firstPictureMicros }) => firstPictureMicros, ...times },
      { title: "longest freeze", figure: ({ worstFreezeMicros }) => worstFreezeMicros, ...times },
      { title: "freezes", figure: ({ freezes }) => freezes, ...counts },
      { title: "torn ‰", figure: ({ tornPermille }) => tornPermille, ...counts },
    ],
  },
  {
    heading: "Voices",
    words: "The longest silence of a voice, and how far lips and voice are apart, in ms.",
    columns: [
      { title: "longest silence", figure: ({ worstSilenceMicros }) => worstSilenceMicros, ...times },
      { title: "lip sync", figure: ({ lipSyncMicros }) => lipSyncMicros, ...times },
    ],
  },
  {
    heading: "Layers, queues, fairness",
    words:
      "Changes of the layer in a minute; pictures that were of the best layer that came, in %; what stood in a queue for a " +
      "whole second, in ms; what the least favoured viewer of a camera was shown of what the most favoured was, in %.",
    columns: [
      { title: "layer changes", figure: ({ layerChangesPerMinute }) => layerChangesPerMinute, ...counts },
      { title: "best layer %", figure: ({ bestLayerPercent }) => bestLayerPercent, ...counts },
      { title: "standing queue", figure: ({ standingQueueMicros }) => standingQueueMicros, ...times },
      { title: "fairness %", figure: ({ fairnessPercent }) => fairnessPercent, ...counts },
    ],
  },
];

/** A line for each table, in their order; undefined where the story has nothing to say. */
export type StoryLines = readonly (string | undefined)[];

const STORIES = "Stories";
const HEADINGS: readonly string[] = [STORIES, ...TABLES.map(({ heading }) => heading)];

/** The stories that have lines. */
export function storiesOnScoreboard(stories: readonly Story[]): Story[] {
  return stories.filter(({ file }) => !file.startsWith(FOUND_FOLDER));
}

/** The lines of a story from its runs. Runs that broke off before their story was over were felt by nobody to its end. */
export function scoreboardLines({ file, plan }: Story, answers: readonly SimAnswer[]): StoryLines {
  const held = answers.filter(({ verdict }) => verdict === "held").length;
  const felt = answers.flatMap(({ quality, figures }) =>
    figures === undefined ? [] : [{ ...figuresOf(quality), ...figures }],
  );
  const first = lineOf([`[${plan.name}](${basename(file)})`, `${held}/${answers.length}`, `"${plan.story}"`]);
  const others = TABLES.map(({ columns }) => {
    const cells = columns.map((column) => cellOf(column, felt));
    return cells.every((cell) => cell === "-") ? undefined : lineOf([plan.name, ...cells]);
  });
  return [first, ...others];
}

/** The text of the scoreboard for these stories, in their order; lines that are not new come from the text as it was. */
export function scoreboardText(
  names: readonly string[],
  fresh: ReadonlyMap<string, StoryLines>,
  before: string,
): string {
  const kept = readLines(before);
  const tables = HEADINGS.map((heading, index) => {
    const lines = names
      .map((name) => (fresh.get(name) ?? kept.get(name))?.[index])
      .filter((line) => line !== undefined);
    return `\n## ${heading}\n\n${tableHead(index)}${lines.map((line) => `${line}\n`).join("")}`;
  });
  return HEAD + tables.join("");
}

/** The lines of a scoreboard by the names of their stories. */
export function readLines(text: string): Map<string, StoryLines> {
  const all = new Map<string, (string | undefined)[]>();
  for (const section of text.split("\n## ").slice(1)) {
    const index = HEADINGS.indexOf(section.slice(0, section.indexOf("\n")));
    const rows = section.split("\n").filter((line) => line.startsWith("| "));
    // The first two lines are the table's head.
    for (const line of rows.slice(2)) {
      const name = /^\| \[?([^\]|]*?)(\]\(.*?\))? \|/.exec(line)?.[1];
      if (index < 0 || name === undefined) continue;
      const lines = all.get(name) ?? new Array<string | undefined>(HEADINGS.length).fill(undefined);
      lines[index] = line;
      all.set(name, lines);
    }
  }
  return all;
}

/** The scoreboard as it is; "" when there is none. */
export function readScoreboard(): string {
  return existsSync(SCOREBOARD_FILE) ? readFileSync(SCOREBOARD_FILE, "utf8") : "";
}

function tableHead(index: number): string {
  const table = TABLES[index - 1];
  const titles = table === undefined ? ["held", "what was said"] : table.columns.map(({ title }) => title);
  const words =
    table?.words ??
    "*Held* counts the runs in which the story kept its promises; it is committed with fewer seeds, and what it promises " +
      "there need not hold in each world.";
  return `${wrapped(words)}\n\n${lineOf(["story", ...titles])}\n${lineOf(["---", ...titles.map(() => "---")])}\n`;
}

/** Breaks words into lines that fit the window. */
function wrapped(words: string): string {
  return words.replace(/(.{1,120})(?: |$)/g, "$1\n").trimEnd();
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** The 5th percentile, the median and the 95th percentile of the runs that have the figure. */
function cellOf({ figure, rounding, scale }: Column, felt: readonly FeltRun[]): string {
  const values = felt.map(figure).filter((value) => value !== undefined);
  if (values.length === 0) return "-";
  const three = [5, 50, 95].map((hundredths) => rounded(percentile(values, hundredths) / scale, rounding));
  return new Set(three).size === 1 ? three[0]! : three.join(" / ");
}

function rounded(value: number, rounding: keyof typeof ROUNDING): string {
  const { step } = ROUNDING[rounding].find(({ below }) => value < below)!;
  return String(Math.round(value / step) * step);
}
