/**
 * "My phone took another network. For a moment the server sent my call to an address of which it knew nobody."
 *
 * Where the server failed to note whose a new address was, the connection had it all the same, and media was sent to a flow
 * that had been given back: by then it may be another peer's. Now neither has it until the next check comes from there.
 */
import { at, buggify, move, percent, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "an address that nobody knew",
  story: "My phone took another network. For a moment the server sent my call to an address of which it knew nobody.",
  seeds: { 1: "a packet for bob went nowhere, and was counted as sent" },
  peers: { ana: { sends: { camera: "vp8" } }, bob: { receives: { video: 1 } } },
  timeline: [
    at(seconds(1), "parts of the server fail", buggify(["door/flow-not-adopted"], percent(100))),
    at(seconds(2), "bob has another address", move("bob")),
    at(seconds(3), "and is well again", buggify(["door/flow-not-adopted"], 0)),
  ],
  runFor: seconds(12),
});
