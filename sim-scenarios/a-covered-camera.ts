/**
 * "I covered the camera while I ate. When I uncovered it they saw me at once, and my voice had never stopped."
 */
import { at, freezes, ms, mute, plays, scenario, seconds, unmute } from "../io-sim/index.ts";

export default scenario({
  name: "a covered camera",
  story: "I covered the camera while I ate. When I uncovered it they saw me at once, and my voice had never stopped.",
  seeds: { 251: "covered in the middle of a frame" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true } },
    bob: { receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(seconds(2), "the camera is covered", mute("ana", "camera")),
    at(seconds(7), "and uncovered", unmute("ana", "camera")),
  ],
  runFor: seconds(10),
  steady: { from: seconds(8), among: ["ana", "bob"] },
  always: [
    freezes("bob", "ana/microphone").shorterThan(ms(60)),
    // Five seconds of cover, and half a second until it is seen again.
    freezes("bob", "ana/camera").shorterThan(ms(5_500)),
  ],
  finally: [plays("bob", "ana/camera"), plays("bob", "ana/microphone")],
});
