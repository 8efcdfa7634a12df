/**
 * "There is only the old mobile network out here, so I left my camera off; my voice got through."
 */
import { freezes, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "out in the country",
  story: "There is only the old mobile network out here, so I left my camera off; my voice got through.",
  seeds: { 181: "gaps in the downlink" },
  peers: {
    farm: { sends: { microphone: true }, receives: { audio: 1 }, link: profile("3g") },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    bob: { receives: { audio: 2, video: 1 } },
  },
  runFor: seconds(12),
  steady: { from: seconds(4), among: ["farm", "ana", "bob"] },
  always: [freezes("ana", "farm/microphone").shorterThan(ms(600)), freezes("bob", "ana/camera").shorterThan(ms(300))],
  finally: [plays("ana", "farm/microphone"), plays("farm", "ana/microphone")],
});
