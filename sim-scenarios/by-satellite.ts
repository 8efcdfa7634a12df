/**
 * "One of us is on a ship and one on a mountain. One learns to wait for the ship's answers, but they come."
 *
 * The ship has a geostationary satellite, a third of a second each way, and bursts of rain; the mountain has satellites
 * in low orbits, another one each 15 s.
 */
import { at, freezes, link, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "by satellite",
  story: "One of us is on a ship and one on a mountain. One learns to wait for the ship's answers, but they come.",
  seeds: { 10: "rain until the last moment", 131: "rain on the ship's way, a handover on the mountain's" },
  peers: {
    ship: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, link: profile("geo") },
    mountain: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, link: profile("leo") },
    home: { sends: { microphone: true }, receives: { audio: 2, video: 2 }, link: profile("fiber") },
  },
  // A burst that has just been leaves a gap, so what plays at the end is judged under a clear sky.
  timeline: [at(seconds(14), "the rain over the ship stops", link("ship", { bursts: { good: 0, bad: 0, loss: 0 } }))],
  runFor: seconds(18),
  steady: { from: seconds(15), among: ["ship", "mountain", "home"] },
  always: [
    // A burst of rain takes all of 150 ms, and asking again takes more than half a second.
    freezes("home", "ship/camera").shorterThan(seconds(4)),
    freezes("home", "mountain/microphone").shorterThan(ms(800)),
    freezes("home", "mountain/camera").shorterThan(seconds(2)),
  ],
  finally: [plays("home", "ship/camera", seconds(8)), plays("ship", "mountain/microphone", seconds(8))],
});
