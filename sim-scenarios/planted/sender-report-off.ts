/**
 * "There were two of us, and the server told something that was not so."
 *
 * Where sender reports have pictures 5 ms late: S9. bob was told a timestamp of ana's video that is -15 ms off.
 */
import { scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "sender-report-off",
  story: "There were two of us, and the server told something that was not so.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8" } },
    bob: { receives: { video: 1 } },
  },
  runFor: seconds(1),
});
