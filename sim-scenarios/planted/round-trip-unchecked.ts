/**
 * "There were two of us, and something was not as it should be."
 *
 * Where a report that tells no round trip is taken for one: S17. Participant 2: a round trip of -1.
 */
import { scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "round-trip-unchecked",
  story: "There were two of us, and something was not as it should be.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    bob: { receives: { video: 1 } },
    eve: { sends: { camera: "vp8" } },
  },
  runFor: seconds(0.6),
});
