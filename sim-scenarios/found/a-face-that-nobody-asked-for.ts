/**
 * "She was in the call and her camera was on, and I looked at a black tile until she switched it off and on again."
 *
 * The picture with which bob could have begun came while the server had left him out, and it counted as the answer to all
 * who waited for one; so nobody asked ana again. Bob did not either, for who has got nothing misses nothing. The wish of a
 * viewer who could not begin now stays.
 */
import { at, buggify, ms, percent, plays, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "a face that nobody asked for",
  story:
    "She was in the call and her camera was on, and I looked at a black tile until she switched it off and on again.",
  seeds: { 1: "the very first picture came while bob was left out" },
  peers: {
    ana: { sends: { camera: "vp8" } },
    bob: { receives: { video: 1 } },
  },
  timeline: [
    at(0, "the server leaves out whoever is new", buggify(["forward/route-skipped"], percent(100))),
    at(ms(300), "and does so no more", buggify(["forward/route-skipped"], 0)),
  ],
  runFor: seconds(6),
  finally: [plays("bob", "ana/camera")],
});
