/**
 * "Somebody was working on the network of the building. One after the other hung, and one after the other came back."
 */
import { at, freezes, plays, scenario, seconds, swizzle } from "../io-sim/index.ts";

export default scenario({
  name: "the building is rewired",
  story:
    "Somebody was working on the network of the building. One after the other hung, and one after the other came back.",
  seeds: { 381: "half of the links, one by one" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    eve: { sends: { microphone: true }, receives: { audio: 2, video: 2 } },
    dan: { sends: { microphone: true }, receives: { audio: 2, video: 2 } },
  },
  timeline: [at(seconds(2), "the work begins", swizzle(["ana", "bob", "eve", "dan"], seconds(5)))],
  runFor: seconds(12),
  steady: { from: seconds(9), among: ["ana", "bob", "eve", "dan"] },
  always: [freezes("eve", "ana/camera").shorterThan(seconds(7))],
  finally: [
    plays("ana", "bob/camera"),
    plays("bob", "ana/camera"),
    plays("eve", "ana/camera"),
    plays("dan", "bob/camera"),
  ],
});
