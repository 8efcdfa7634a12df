/** For whom the oracle that waits is patient: only somebody who is shown can be waited for. */
import { describe, expect, it } from "vitest";
import { at, join, ms, restart, scenario, seconds } from "../../../io-sim/index.ts";
import { run } from "../../../io-sim/world/run.ts";

describe("a slot that shows nobody", () => {
  it("lets nobody wait, though the server that has restarted does not know everybody any more", () => {
    const story = scenario({
      name: "an empty slot after a restart",
      story: "The server restarted, only one of us came back, and more slots were empty than there were people to see.",
      seeds: { 3: "the one there is" },
      peers: { ana: { receives: { video: 1 } }, mia: { sends: { camera: "vp8" }, receives: { video: 2 } } },
      timeline: [
        at(0, "the server crashes", restart({ after: ms(2) })),
        at(seconds(1), "mia reloads the page", join("mia", { times: 2, every: seconds(0.4) })),
      ],
      runFor: seconds(11),
    });
    expect(run(story, 3).broken).toBeUndefined();
  });
});
