/**
 * "There were two of us, then bob closes the page, and the server lost track of who was shown what."
 *
 * Where whoever leaves stays on the route table: S15. ana: a route leads to a slot that is gone.
 */
import { at, leave, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "route-leak",
  story: "There were two of us, then bob closes the page, and the server lost track of who was shown what.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { microphone: true } },
    bob: { receives: { audio: 1 } },
  },
  timeline: [at(seconds(1), "bob closes the page", leave("bob"))],
  runFor: seconds(2),
});
