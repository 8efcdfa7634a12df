/**
 * "Two seconds nothing came, then everything at once, and then all was well."
 */
import { at, freezes, link, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "everything at once after a pause",
  story: "Two seconds nothing came, then everything at once, and then all was well.",
  seeds: { 481: "a clog in both directions" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(seconds(3), "nothing moves on bob's line", link("bob", { clogged: true })),
    at(seconds(5), "everything comes", link("bob", { clogged: false })),
  ],
  runFor: seconds(9),
  steady: { from: seconds(6.5), among: ["ana", "bob"] },
  always: [freezes("bob", "ana/camera").shorterThan(ms(3_500)), freezes("ana", "bob/camera").shorterThan(ms(3_500))],
  finally: [plays("bob", "ana/camera"), plays("ana", "bob/camera"), plays("bob", "ana/microphone")],
});
