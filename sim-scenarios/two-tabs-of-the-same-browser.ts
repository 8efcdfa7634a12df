/**
 * "I had the call open in two tabs that were copies of each other. Both of me were seen."
 *
 * The copy has the same keys, the same SSRCs and the same credentials.
 */
import { at, freezes, join, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "two tabs of the same browser",
  story: "I had the call open in two tabs that were copies of each other. Both of me were seen.",
  seeds: { 281: "the copy comes second" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    copy: { likeness: "ana", sends: { camera: "vp8" }, receives: { audio: 2, video: 2 }, joinsLater: true },
    bob: { receives: { audio: 1, video: 2 }, sends: { microphone: true } },
  },
  timeline: [at(seconds(2), "the copy opens", join("copy"))],
  runFor: seconds(8),
  steady: { from: seconds(4), among: ["ana", "copy", "bob"] },
  always: [freezes("bob", "ana/camera").shorterThan(ms(300))],
  finally: [plays("bob", "ana/camera"), plays("bob", "copy/camera"), plays("copy", "bob/microphone")],
});
