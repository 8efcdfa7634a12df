/** Whether the scoreboard has lines for each story and for nothing else. Its figures are read in review. */
import { expect, it } from "vitest";
import { readLines, readScoreboard, SCOREBOARD_SEEDS, storiesOnScoreboard } from "../../io-sim/cli/scoreboard.ts";
import { allStories } from "../../io-sim/cli/stories.ts";

it("the scoreboard has lines for each story, made of all its seeds; `lockstep sim STORY --scoreboard` makes them", async () => {
  const stories = storiesOnScoreboard(await allStories()).map(({ plan }) => plan);
  const lines = readLines(readScoreboard());
  expect([...lines.keys()]).toEqual(stories.map(({ name }) => name));
  const cell = String.raw`(-|\d+( \/ \d+ \/ \d+)?)`;
  for (const { name, story } of stories) {
    const [first, ...figures] = lines.get(name)!;
    expect(first).toContain(`/${SCOREBOARD_SEEDS.length} | "${story}" |`);
    expect(figures.some((line) => line !== undefined)).toBe(true);
    for (const line of figures) {
      if (line !== undefined) expect(line).toMatch(new RegExp(String.raw`^\| [^|]+( \| ${cell}){2,4} \|$`));
    }
  }
});
