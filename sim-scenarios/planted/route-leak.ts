/**
 * "There were two of us, then bob closes the page, and something was not as it should be."
 *
 * Where whoever leaves stays on the route table: S15. Participant 2: a route leads to a slot that is gone.
 */
import { at, leave, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "route-leak",
  story: "There were two of us, then bob closes the page, and something was not as it should be.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { microphone: true } },
    bob: { receives: { audio: 1 } },
  },
  timeline: [at(seconds(2), "bob closes the page", leave("bob"))],
  runFor: seconds(2.5),
});
