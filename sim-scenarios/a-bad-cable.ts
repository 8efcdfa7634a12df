/**
 * "My cable was broken, they found out later. The picture hung now and then; it never showed rubbish."
 */
import { freezes, percent, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a bad cable",
  story: "My cable was broken, they found out later. The picture hung now and then; it never showed rubbish.",
  seeds: { 401: "bits flip and ends are cut off" },
  peers: {
    ana: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 1, video: 1 },
      link: { corrupt: percent(2), truncate: percent(1) },
    },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  runFor: seconds(10),
  steady: { from: seconds(3), among: ["ana", "bob"] },
  always: [freezes("bob", "ana/camera").shorterThan(seconds(2)), freezes("ana", "bob/camera").shorterThan(seconds(2))],
  finally: [plays("bob", "ana/camera", seconds(8)), plays("ana", "bob/camera", seconds(8))],
});
