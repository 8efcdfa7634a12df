/**
 * "The whole call was gone, for all of us. After some seconds all pages came back by themselves."
 *
 * They ask for new connections in place of the old ones, of which the new server knows nothing, and join anew.
 */
import { at, plays, restart, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the server died",
  story: "The whole call was gone, for all of us. After some seconds all pages came back by themselves.",
  seeds: { 341: "both come back to a server that knows nobody" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, rejoinsAfter: seconds(3) },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, rejoinsAfter: seconds(3) },
  },
  timeline: [at(seconds(3), "the server dies, and another one begins", restart({ after: seconds(2) }))],
  runFor: seconds(16),
  steady: { from: seconds(12), among: ["ana", "bob"] },
  finally: [plays("ana", "bob/camera", seconds(5)), plays("bob", "ana/camera", seconds(5))],
});
