/**
 * The scoreboard: what the calls of the stories felt like over twenty seeds each, as a file whose diff people read.
 *
 * A line depends on the code and on its story alone, so whoever changes one story makes one line anew
 * (`lockstep sim STORY --scoreboard`) and leaves the others as they are. Stories that a search has found have no line: they
 * are there for one seed.
 */
import { existsSync, readFileSync } from "node:fs";
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
of one story \`lockstep sim STORY --scoreboard\` makes its line anew. A change of a number here is a change for somebody in a
call: it belongs into the review.

Each figure is the worst of a run, of all that anybody in the call was shown; the three numbers are the 5th percentile, the
median and the 95th percentile of the twenty runs, in milliseconds. A covered camera or a muted microphone counts as a gap
too. *Held* counts the runs in which the story kept its promises; it is committed with fewer seeds, and what it promises
there need not hold in each world.

| story | held | first picture | longest freeze | longest silence |
| --- | --- | --- | --- | --- |
`;

/** The stories that have a line. */
export function storiesOnScoreboard(stories: readonly Story[]): Story[] {
  return stories.filter(({ file }) => !file.startsWith(FOUND_FOLDER));
}

/** The line of a story from its runs. */
export function scoreboardLine(story: string, answers: readonly SimAnswer[]): string {
  const figures = answers.map(({ quality }) => figuresOf(quality));
  const cell = (pick: (figure: Figures) => number) => {
    const values = figures.map(pick);
    return [5, 50, 95].map((hundredths) => Math.round(percentile(values, hundredths) / 1_000)).join(" / ");
  };
  const cells = [
    story,
    `${answers.filter(({ verdict }) => verdict === "held").length}/${answers.length}`,
    cell(({ firstPictureMicros }) => firstPictureMicros),
    cell(({ worstFreezeMicros }) => worstFreezeMicros),
    cell(({ worstSilenceMicros }) => worstSilenceMicros),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The text of the scoreboard for these stories, in their order; lines that are not new come from the text as it was. */
export function scoreboardText(names: readonly string[], lines: ReadonlyMap<string, string>, before = ""): string {
  const kept = scoreboardLines(before);
  const present = names.map((name) => lines.get(name) ?? kept.get(name)).filter((line) => line !== undefined);
  return `${HEAD}${present.map((line) => `${line}\n`).join("")}`;
}

/** The lines of a scoreboard by the names of their stories. */
export function scoreboardLines(text: string): Map<string, string> {
  const body = text.slice(text.indexOf("| --- |")).split("\n").slice(1);
  const lines = body.filter((line) => line.startsWith("| "));
  return new Map(lines.map((line) => [line.split(" | ")[0]!.slice(2), line]));
}

/** The scoreboard as it is; "" when there is none. */
export function readScoreboard(): string {
  return existsSync(SCOREBOARD_FILE) ? readFileSync(SCOREBOARD_FILE, "utf8") : "";
}
