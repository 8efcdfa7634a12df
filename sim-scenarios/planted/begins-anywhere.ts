/**
 * "There were two of us, then the viewer joins, and the picture began in the middle."
 *
 * Where a route begins in the middle of the pictures of its source: S5. late's slot 0 goes over to ana where no
 * keyframe begins.
 */
import { at, join, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "begins-anywhere",
  story: "There were two of us, then the viewer joins, and the picture began in the middle.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8" } },
    late: { receives: { video: 1 }, joinsLater: true },
  },
  timeline: [at(seconds(1), "the viewer joins", join("late"))],
  runFor: seconds(2),
});
