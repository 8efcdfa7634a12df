/**
 * "I reloaded the page, and for a moment I was shown myself, frozen, where my colleague should have been."
 *
 * The slot was given to the tab that had just been left, and at once to somebody whose picture moves. The server's parts speak
 * by mail, and the word to the first publication was overtaken by the word to the second: the later one to arrive had its way
 * though it was the older wish. Wishes for a slot are counted now, and one that was overtaken changes nothing.
 */
import { at, join, ms, only, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "a seat taken twice",
  story: "I reloaded the page, and for a moment I was shown myself, frozen, where my colleague should have been.",
  seeds: { 550184: "the world in which it was found" },
  knobs: { slotYieldMicros: seconds(0.2), offeringsPerMessageMax: 1 },
  peers: {
    eve: { sends: { camera: "vp8" }, receives: { video: 1 } },
    dan: { sends: { camera: "vp8" }, receives: { video: 1 } },
  },
  timeline: [at(0, "dan reloads the page again and again", join("dan", { times: 2, every: ms(366) }))],
  chance: [only("paths", "dan", [0])],
  runFor: seconds(0.5),
});
