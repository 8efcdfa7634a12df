/**
 * "I was alone, and the server told something that was not so."
 *
 * Where what has come late is asked for all the same: S9. ana was asked for packet 24291, which had come.
 */
import { only, percent, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "nack-for-what-came",
  story: "I was alone, and the server told something that was not so.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8" }, link: { direction: "up", reorder: { share: percent(2), by: 0 } } },
  },
  chance: [only("link/reorder", "ana/up", [7, 8])],
  runFor: seconds(1),
});
