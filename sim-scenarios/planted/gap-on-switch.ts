/**
 * "There were two of us, and packets were missing that had come to the server."
 *
 * Where a switch to another source leaves a number out: S2. bob's slot 0 was sent 15831 behind 15829 where a source
 * begins.
 */
import { scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "gap-on-switch",
  story: "There were two of us, and packets were missing that had come to the server.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8-simulcast" } },
    bob: { receives: { video: 1 } },
  },
  runFor: seconds(1),
});
