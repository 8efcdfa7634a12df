/**
 * "I have the cheapest tariff that there is. It is enough for a call of two."
 *
 * A policer drops what exceeds 1.5 Mbit/s instead of queueing it.
 */
import { freezes, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the cheapest tariff",
  story: "I have the cheapest tariff that there is. It is enough for a call of two.",
  seeds: { 201: "bursts of keyframes meet the policer" },
  peers: {
    cheap: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("policed") },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  runFor: seconds(10),
  steady: { from: seconds(3), among: ["cheap", "ana"] },
  always: [
    freezes("cheap", "ana/camera").shorterThan(seconds(2)),
    freezes("ana", "cheap/microphone").shorterThan(ms(300)),
  ],
  finally: [plays("ana", "cheap/camera", seconds(8)), plays("cheap", "ana/camera", seconds(8))],
});
