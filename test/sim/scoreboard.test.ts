/** Whether the scoreboard has a line for each story and for nothing else. Its figures are read in review. */
import { expect, it } from "vitest";
import { readScoreboard, SCOREBOARD_SEEDS, scoreboardLines, storiesOnScoreboard } from "../../io-sim/cli/scoreboard.ts";
import { allStories } from "../../io-sim/cli/stories.ts";

it("the scoreboard has a line for each story, made of all its seeds; `lockstep sim STORY --scoreboard` makes one", async () => {
  const names = storiesOnScoreboard(await allStories()).map(({ plan }) => plan.name);
  const lines = scoreboardLines(readScoreboard());
  expect([...lines.keys()]).toEqual(names);
  for (const line of lines.values()) {
    const triple = String.raw`\d+ \/ \d+ \/ \d+`;
    expect(line).toMatch(new RegExp(String.raw`^\| .* \| \d+\/${SCOREBOARD_SEEDS.length}( \| ${triple}){3} \|$`));
  }
});
