/**
 * "I was alone, and the server lost track of who was shown what."
 *
 * Where somebody is shown himself: S15. bob: a route leads back to it.
 */
import { scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "own-media-echoed",
  story: "I was alone, and the server lost track of who was shown what.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    bob: { sends: { microphone: true }, receives: { audio: 1 } },
  },
  runFor: seconds(1),
});
