/**
 * "I closed the lid by mistake and opened it again, and found myself in the call as if nothing had happened."
 */
import { at, freezes, pause, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the lid of the laptop",
  story: "I closed the lid by mistake and opened it again, and found myself in the call as if nothing had happened.",
  seeds: { 271: "eight seconds of sleep" },
  peers: {
    laptop: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [at(seconds(2), "the lid is closed", pause(seconds(8), "laptop"))],
  runFor: seconds(16),
  steady: { from: seconds(12), among: ["laptop", "ana"] },
  always: [
    // Eight seconds of sleep, and what it takes to get going again.
    freezes("ana", "laptop/camera").shorterThan(seconds(10)),
    freezes("ana", "laptop/microphone").shorterThan(seconds(10)),
  ],
  finally: [plays("ana", "laptop/camera"), plays("laptop", "ana/camera"), plays("laptop", "ana/microphone")],
});
