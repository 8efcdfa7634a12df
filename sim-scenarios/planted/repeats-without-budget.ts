/**
 * "There were two of us, and the server kept more and more."
 *
 * Where what may be sent again is saved up without an end: R2. bob may have too much sent again.
 */
import { only, percent, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "repeats-without-budget",
  story: "There were two of us, and the server kept more and more.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8" } },
    bob: { receives: { video: 1 }, link: { direction: "down", loss: percent(3) } },
  },
  chance: [only("link/loss", "bob/down", [9])],
  runFor: seconds(1),
});
