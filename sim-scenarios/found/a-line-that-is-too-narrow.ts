/**
 * "My line sends far less than my camera makes, and whoever watched me made it worse."
 *
 * Each keyframe was cut off on its way through the full queue, so all who watched wanted another one, and got one asked for
 * each half second: the largest pictures of all, over a line that could not even carry the small ones. Wishes for a keyframe
 * by those who were sent one before are now granted more and more rarely (`keyframeAgainLastMicros`).
 */
import { kbps, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "a line that is too narrow",
  story: "My line sends far less than my camera makes, and whoever watched me made it worse.",
  seeds: { 1: "twenty keyframes were asked for within fifteen seconds" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, link: { up: kbps(350) } },
    bob: { receives: { audio: 1, video: 1 } },
  },
  timeline: [],
  runFor: seconds(20),
});
