/**
 * "In the middle of the call the network began to swallow large packets. We went on as if nothing were."
 */
import { at, freezes, link, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a smaller door",
  story: "In the middle of the call the network began to swallow large packets. We went on as if nothing were.",
  seeds: { 391: "an MTU of 1,280 after three seconds" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [at(seconds(3), "large packets vanish", link("bob", { mtu: 1_280 }))],
  runFor: seconds(9),
  steady: { from: seconds(5), among: ["ana", "bob"] },
  always: [freezes("ana", "bob/camera").shorterThan(ms(300)), freezes("bob", "ana/camera").shorterThan(ms(300))],
  finally: [plays("ana", "bob/camera"), plays("bob", "ana/camera")],
});
