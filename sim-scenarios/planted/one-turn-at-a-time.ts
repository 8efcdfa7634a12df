/**
 * "I was alone, and something was not as it should be."
 *
 * Where of those whose deadline has come only the first has his turn: S19. The server wants to be woken at the very
 * moment at which it was.
 */
import { scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "one-turn-at-a-time",
  story: "I was alone, and something was not as it should be.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    chair: { sends: { camera: "vp8" } },
  },
  runFor: seconds(2),
});
