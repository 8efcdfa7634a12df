/**
 * "On the square the picture went dull whenever somebody stepped in front of me, and came back at once."
 */
import { freezes, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "somebody stands in the way",
  story: "On the square the picture went dull whenever somebody stepped in front of me, and came back at once.",
  seeds: { 221: "the capacity falls to a fortieth now and then" },
  peers: {
    square: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("5g") },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("fiber") },
  },
  runFor: seconds(15),
  steady: { from: seconds(3), among: ["square", "ana"] },
  always: [
    freezes("ana", "square/camera").shorterThan(seconds(2)),
    freezes("square", "ana/microphone").shorterThan(ms(400)),
  ],
  finally: [plays("ana", "square/camera", seconds(8)), plays("square", "ana/camera", seconds(8))],
});
