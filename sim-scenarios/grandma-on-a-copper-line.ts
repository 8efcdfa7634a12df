/**
 * "Grandma's line is slow upwards. We see her well all the same, and she sees both of us."
 */
import { freezes, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "grandma on a copper line",
  story: "Grandma's line is slow upwards. We see her well all the same, and she sees both of us.",
  seeds: { 211: "one size fits into a megabit" },
  peers: {
    grandma: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, link: profile("dsl") },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
  },
  runFor: seconds(10),
  steady: { from: seconds(4), among: ["grandma", "ana", "bob"] },
  always: [
    freezes("ana", "grandma/camera").shorterThan(seconds(2)),
    freezes("grandma", "bob/camera").shorterThan(seconds(1)),
  ],
  finally: [
    plays("ana", "grandma/camera", seconds(8)),
    plays("grandma", "ana/camera", seconds(8)),
    plays("grandma", "bob/camera", seconds(8)),
  ],
});
