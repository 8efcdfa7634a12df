/**
 * "I reloaded the page in the middle of the call and was back before anybody asked where I was."
 */
import { at, join, kill, leave, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the page was reloaded",
  story: "I reloaded the page in the middle of the call and was back before anybody asked where I was.",
  seeds: { 261: "a reload with a word of leave, and one without" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(seconds(2), "bob closes the page", leave("bob")),
    at(seconds(2.3), "and opens it again", join("bob")),
    at(seconds(6), "the page crashes", kill("bob")),
    at(seconds(6.5), "and is opened again", join("bob")),
  ],
  runFor: seconds(10),
  steady: { from: seconds(8), among: ["ana", "bob"] },
  finally: [plays("bob", "ana/camera", seconds(2)), plays("ana", "bob/camera")],
});
