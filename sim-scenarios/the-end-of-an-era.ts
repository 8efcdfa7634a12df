/**
 * "We talked on the night in 2036 on which old clocks ran over, and wished each other a happy new era."
 */
import { freezes, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the end of an era",
  story: "We talked on the night in 2036 on which old clocks ran over, and wished each other a happy new era.",
  seeds: { 361: "the era ends five seconds into the call" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  // 2036-02-07 06:28:16 is the end of the first era of NTP.
  wallClock: seconds(2_085_978_491),
  runFor: seconds(10),
  steady: { from: seconds(2), among: ["ana", "bob"] },
  always: [freezes("ana", "bob/camera").shorterThan(ms(300)), freezes("bob", "ana/microphone").shorterThan(ms(100))],
  finally: [plays("ana", "bob/camera"), plays("bob", "ana/camera")],
});
