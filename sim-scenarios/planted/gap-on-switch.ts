/**
 * "There were two of us, and something was not as it should be."
 *
 * Where a switch to another source leaves a number out: S2. eve's slot 0 was sent 15831 behind 15829 where a source
 * begins.
 */
import { scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "gap-on-switch",
  story: "There were two of us, and something was not as it should be.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8-simulcast" } },
    eve: { receives: { video: 1 } },
  },
  runFor: seconds(0.1),
});
