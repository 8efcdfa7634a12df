/**
 * "My phone used the wireless and the mobile network at the same time. I only know because somebody told me."
 */
import { at, freezes, move, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "two networks at once",
  story: "My phone used the wireless and the mobile network at the same time. I only know because somebody told me.",
  seeds: { 321: "packets over both ways" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    phone: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [at(seconds(3), "the second network comes up", move("phone", "beside"))],
  runFor: seconds(10),
  steady: { from: seconds(5), among: ["ana", "phone"] },
  always: [
    freezes("ana", "phone/camera").shorterThan(seconds(2)),
    freezes("phone", "ana/camera").shorterThan(seconds(2)),
  ],
  finally: [plays("phone", "ana/camera"), plays("ana", "phone/camera")],
});
