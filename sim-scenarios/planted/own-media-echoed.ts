/**
 * "I was alone, and something was not as it should be."
 *
 * Where somebody is shown himself: S15. Participant 1: a route leads back to it.
 */
import { scenario } from "../../io-sim/index.ts";

export default scenario({
  name: "own-media-echoed",
  story: "I was alone, and something was not as it should be.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    eve: { sends: { microphone: true }, receives: { audio: 1 } },
  },
  runFor: 0,
});
