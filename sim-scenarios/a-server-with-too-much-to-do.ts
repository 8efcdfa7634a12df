/**
 * "For some seconds our server had too much to do. Ana's picture stood still, and the page said why; I heard her all along."
 */
import { at, freezes, join, overload, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a server with too much to do",
  story:
    "For some seconds our server had too much to do. Ana's picture stood still, and the page said why; I heard her all along.",
  seeds: { 1: "the first that was tried" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: ["ana/camera", "ana/microphone"] },
    cleo: { receives: { audio: 2, video: 2 }, joinsLater: true },
  },
  timeline: [
    at(seconds(3), "a large meeting begins elsewhere on the server", overload(4)),
    at(seconds(5), "and grows", overload(8)),
    at(seconds(6), "cleo comes in", join("cleo")),
    at(seconds(8), "it is over", overload(0)),
  ],
  runFor: seconds(20),
  steady: { from: seconds(12), among: ["ana", "bob", "cleo"] },
  always: [freezes("bob", "ana/microphone").shorterThan(seconds(0.5))],
  finally: [plays("bob", "ana/camera"), plays("bob", "ana/microphone"), plays("cleo", "ana/camera")],
});
