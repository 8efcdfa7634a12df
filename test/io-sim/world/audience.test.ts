/** Whether everybody who wants to hear of packets does, in order, whenever he has come. */
import { expect, it } from "vitest";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

it("whoever watches hears of each packet, in the order of their coming, also who comes in the middle of a run", () => {
  const heard: string[] = [];
  let late = 0;
  run(smallStory(), 1, {
    onWorld(world) {
      const lateComer = () => late++;
      world.watchers.push({
        transmitted() {
          heard.push("first");
          if (heard.length === 21) world.watchers.push({ transmitted: lateComer });
        },
      });
      world.watchers.push({ afterInput: () => {} }, { transmitted: () => heard.push("second") });
    },
  });
  expect(heard.length).toBeGreaterThan(100);
  expect(heard.filter((who, index) => who !== (index % 2 === 0 ? "first" : "second"))).toEqual([]);
  expect(late).toBeGreaterThan(heard.length / 2 - 20);
});
