/**
 * "We all hung up, and then somebody had forgotten something; we met in the same room again."
 */
import { at, join, leave, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the same room again",
  story: "We all hung up, and then somebody had forgotten something; we met in the same room again.",
  seeds: { 461: "the room is empty for a moment" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(seconds(3), "ana hangs up", leave("ana")),
    at(seconds(3), "so does bob", leave("bob")),
    at(seconds(5), "ana comes again", join("ana")),
    at(seconds(5.5), "and bob", join("bob")),
  ],
  runFor: seconds(9),
  steady: { from: seconds(7), among: ["ana", "bob"] },
  finally: [plays("ana", "bob/camera", seconds(2)), plays("bob", "ana/camera", seconds(2))],
});
