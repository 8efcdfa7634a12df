/**
 * "Somebody's page reloaded itself over and over. The list jumped up and down, but the call went on."
 */
import { at, freezes, join, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a page that reloads itself",
  story: "Somebody's page reloaded itself over and over. The list jumped up and down, but the call went on.",
  seeds: { 4: "one begins to speak a moment before the other", 291: "twenty reloads, ten a second" },
  peers: {
    // There are two voices, and which of them a single slot would carry is for loudness to say.
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 1 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    restless: { sends: { microphone: true }, receives: { audio: 2, video: 2 } },
  },
  timeline: [at(seconds(2), "the page begins to reload itself", join("restless", { times: 20, every: ms(100) }))],
  runFor: seconds(9),
  steady: { from: seconds(6), among: ["ana", "bob", "restless"] },
  always: [freezes("bob", "ana/camera").shorterThan(ms(300)), freezes("ana", "bob/microphone").shorterThan(ms(100))],
  finally: [plays("bob", "ana/camera"), plays("restless", "ana/camera", seconds(5))],
});
