/**
 * "There were two of us, and something was not as it should be."
 *
 * Where sender reports have pictures 5 ms late: S9. bob was told a timestamp of ana's video that is -15000 µs off.
 */
import { scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "sender-report-off",
  story: "There were two of us, and something was not as it should be.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8" } },
    bob: { receives: { video: 1 } },
  },
  runFor: seconds(1),
});
