/**
 * "There were two of us, and something was not as it should be."
 *
 * Where what may be sent again is saved up without an end: R2. Participant 1 may have too much sent again.
 */
import { only, percent, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "repeats-without-budget",
  story: "There were two of us, and something was not as it should be.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8" } },
    bob: { receives: { video: 1 }, link: { direction: "down", loss: percent(3) } },
  },
  chance: [only("link/loss", "bob/down", [9])],
  runFor: seconds(0.6),
});
