/** Whether a search begins with those who have to do with a breach. */
import { describe, expect, it } from "vitest";
import { at, ms, mute, plays } from "../../../io-sim/index.ts";
import { attempt } from "../../../io-sim/search/attempt.ts";
import { smallStory } from "../../support/stories/small-story.ts";

describe("those who are involved in a breach", () => {
  it("are first who is named, then whom something befell, then who is in the same room, and the rest last", () => {
    const peers = Object.fromEntries(
      ["next", "dan", "cleo", "bob", "ana"].map((name) => [
        name,
        {
          sends: { microphone: true as const },
          receives: { audio: 3 },
          ...(name === "next" ? { room: "garden" } : {}),
        },
      ]),
    );
    const plan = smallStory({
      peers,
      timeline: [
        at(ms(50), "quiet", mute("cleo", "microphone")),
        at(ms(60), "quiet too", mute("ana", "microphone")),
        at(ms(70), "next door as well", mute("next", "microphone")),
      ],
      finally: [plays("bob", "ana/microphone")],
      runFor: ms(1_400),
    });
    const { promise, involved } = attempt(plan, 1);
    expect(promise).toBe("STORY");
    expect(involved.slice(0, 2).sort((a, b) => (a < b ? -1 : 1))).toEqual(["ana", "bob"]);
    expect(involved.slice(2)).toEqual(["cleo", "dan", "next"]);
  });

  it("are nobody when nothing broke", () => {
    expect(attempt(smallStory({ runFor: ms(100) }), 1).involved).toEqual([]);
  });
});
