/**
 * "I came ten minutes late and saw everyone at once."
 */
import { at, freezes, join, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a viewer joins late",
  story: "I came ten minutes late and saw everyone at once.",
  seeds: { 21: "joins between two keyframes", 22: "joins with another phase" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true } },
    bob: { sends: { camera: "h264", microphone: true }, receives: ["ana/camera", "ana/microphone"] },
    late: { receives: ["ana/camera", "ana/microphone", "bob/camera", "bob/microphone"], joinsLater: true },
  },
  timeline: [at(seconds(10), "the viewer joins", join("late"))],
  runFor: seconds(20),
  steady: { from: seconds(12), among: ["ana", "bob", "late"] },
  always: [freezes("bob", "ana/camera").shorterThan(ms(300))],
  finally: [
    plays("late", "ana/camera", seconds(1)),
    plays("late", "bob/camera", seconds(1)),
    plays("late", "ana/microphone", ms(300)),
  ],
});
