/**
 * "My train went into a tunnel for five seconds, and the call came back by itself."
 */
import { at, cut, freezes, heal, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a tunnel",
  story: "My train went into a tunnel for five seconds, and the call came back by itself.",
  seeds: { 1: "the first that was tried" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true } },
    bob: { receives: { audio: 1, video: 1 } },
  },
  timeline: [at(seconds(10), "into the tunnel", cut("bob")), at(seconds(15), "and out again", heal("bob"))],
  runFor: seconds(30),
  steady: { from: seconds(20), among: ["ana", "bob"] },
  always: [freezes("bob", "ana/camera").shorterThan(seconds(8))],
  finally: [plays("bob", "ana/camera")],
});
