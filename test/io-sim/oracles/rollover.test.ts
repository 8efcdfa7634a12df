/** Nothing is owed of a stream that can't be opened any more, and everything of one that can. */
import { describe, expect, it } from "vitest";
import { at, buggify, cut, join, ms, percent, plays, seconds } from "../../../io-sim/index.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

/** Bob joins, and the server reads nothing of his media until the sixth second. */
function deaf(nearWrap: boolean) {
  return run(
    smallStory({
      peers: {
        ana: { receives: { audio: 1, video: 1 } },
        bob: { sends: { microphone: true }, receives: { audio: 1, video: 1 }, joinsLater: true, nearWrap },
      },
      timeline: [
        at(ms(100), "the server goes deaf", buggify(["rtp/header-refused"], percent(100))),
        at(ms(200), "bob comes", join("bob")),
        at(seconds(6), "the server hears again", buggify(["rtp/header-refused"], 0)),
      ],
      runFor: seconds(9),
      finally: [plays("ana", "bob/microphone")],
    }),
    1,
  );
}

describe("a stream whose first round of numbers nobody has heard", () => {
  it("is owed to nobody", () => {
    const { broken, world } = deaf(true);
    expect(world.node.shard.history.counters.rtpRefused).toBeGreaterThan(100);
    expect(broken?.detail).toBeUndefined();
  });

  it("is owed in time as ever when the round has not ended meanwhile", () => {
    const { promise, world } = deaf(false);
    expect(world.node.shard.history.counters.rtpRefused).toBe(0);
    expect(promise).toBe("STORY");
  });
});

describe("a stream that was heard before its numbers wrapped", () => {
  it("is owed as any other", () => {
    const plan = smallStory({
      peers: {
        ana: { receives: { audio: 1, video: 1 } },
        bob: { sends: { microphone: true }, receives: { audio: 1, video: 1 }, nearWrap: true },
      },
      timeline: [at(seconds(3), "bob's network is gone", cut("bob"))],
      runFor: seconds(6),
      finally: [plays("ana", "bob/microphone")],
    });
    expect(run(plan, 1).promise).toBe("STORY");
  });
});
