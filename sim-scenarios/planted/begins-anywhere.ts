/**
 * "There were two of us, then the viewer joins, and something was not as it should be."
 *
 * Where a route begins in the middle of the pictures of its source: S5. late's slot 0 goes over to ana where no
 * keyframe begins.
 */
import { at, join, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "begins-anywhere",
  story: "There were two of us, then the viewer joins, and something was not as it should be.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8" } },
    late: { receives: { video: 1 }, joinsLater: true },
  },
  timeline: [at(seconds(10), "the viewer joins", join("late"))],
  runFor: seconds(11),
});
