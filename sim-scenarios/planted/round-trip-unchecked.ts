/**
 * "There were two of us, and something was not as it should be."
 *
 * Where a report that tells no round trip is taken for one: S17. eve: a round trip of -1.
 */
import { scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "round-trip-unchecked",
  story: "There were two of us, and something was not as it should be.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8" } },
    eve: { sends: { camera: "vp8" }, receives: { video: 1 } },
  },
  runFor: seconds(1),
});
