/**
 * "In the café all of us hang on the same line, and somebody is always loading something; we could talk all the same."
 *
 * Two of the three share one bottleneck of 5 Mbit/s each way.
 */
import { freezes, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "from a cafe",
  story:
    "In the café all of us hang on the same line, and somebody is always loading something; we could talk all the same.",
  seeds: { 161: "strangers load while we talk" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, link: profile("wifi-busy") },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, link: profile("wifi-busy") },
    eve: { sends: { microphone: true }, receives: { audio: 2, video: 2 }, link: profile("fiber") },
  },
  runFor: seconds(12),
  steady: { from: seconds(4), among: ["ana", "bob", "eve"] },
  always: [freezes("eve", "ana/camera").shorterThan(seconds(2)), freezes("eve", "bob/microphone").shorterThan(ms(800))],
  finally: [
    plays("eve", "ana/camera", seconds(8)),
    plays("eve", "bob/camera", seconds(8)),
    plays("ana", "eve/microphone"),
  ],
});
