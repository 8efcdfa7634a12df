/**
 * "I called in from the phone in the car park, and it was as good as from my desk."
 */
import { freezes, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "from the car park",
  story: "I called in from the phone in the car park, and it was as good as from my desk.",
  seeds: { 171: "grants and a burst or none" },
  peers: {
    phone: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("lte") },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("wifi-good") },
  },
  runFor: seconds(12),
  steady: { from: seconds(4), among: ["phone", "ana"] },
  always: [
    freezes("ana", "phone/camera").shorterThan(seconds(2)),
    freezes("phone", "ana/microphone").shorterThan(ms(400)),
  ],
  finally: [plays("ana", "phone/camera", seconds(8)), plays("phone", "ana/camera", seconds(8))],
});
