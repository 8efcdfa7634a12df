/**
 * "There were two of us, then the train hears nothing, then she comes, then out again, and what had stopped did not
 * come again."
 *
 * Where a keyframe request that gets lost is not repeated: L2. mia has waited 8.29 s for ana's camera; the links
 * explain 8.24 s.
 */
import { at, cut, join, link, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "keyframe-request-lost",
  story:
    "There were two of us, then the train hears nothing, then she comes, then out again, and what had stopped did not come again.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8" } },
    mia: { receives: { video: 1 }, joinsLater: true },
  },
  timeline: [
    at(seconds(1), "the train hears nothing", cut("ana", "down")),
    at(seconds(1), "she comes", join("mia")),
    at(seconds(2), "out again", link("ana", { direction: "down", cut: false })),
  ],
  runFor: seconds(11),
});
