/**
 * "She joined just when my train was in the tunnel. She saw me all the same, as soon as I was out."
 *
 * What she needs is a keyframe, and the request for it is lost on its way to me: it has to be repeated.
 */
import { at, cut, heal, join, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "she came in the tunnel",
  story: "She joined just when my train was in the tunnel. She saw me all the same, as soon as I was out.",
  seeds: { 511: "nothing is heard for eight tenths of a second" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true } },
    mia: { receives: { audio: 1, video: 1 }, joinsLater: true },
  },
  timeline: [
    at(seconds(1), "the train hears nothing", cut("ana", "down")),
    at(seconds(1), "she comes", join("mia")),
    at(ms(1_800), "out again", heal("ana")),
  ],
  runFor: seconds(11),
  steady: { from: seconds(6), among: ["ana", "mia"] },
  // The second request leaves half a second after the first, the third a second later.
  finally: [plays("mia", "ana/camera", seconds(3))],
});
