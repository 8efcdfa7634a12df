/**
 * "The server had no time for my picture of her, and I kept asking for it; her camera paid for that, and so did the server."
 *
 * While the server left the picture out for want of time, the viewer missed what had got lost just before, and had a keyframe
 * asked for each half second: the largest pictures of all, of which he got none. Who is left out asks for nothing now; that he
 * needs a keyframe goes without saying once there is time for him again.
 */
import { at, overload, percent, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "a picture that nobody gets",
  story:
    "The server had no time for my picture of her, and I kept asking for it; her camera paid for that, and so did the server.",
  seeds: { 1: "twenty keyframes were asked for within eleven seconds", 2: "the same" },
  peers: {
    ana: { sends: { camera: "vp8" } },
    bob: { persona: "thin", receives: { audio: 1, video: 1 }, link: { loss: percent(10) } },
  },
  timeline: [
    at(seconds(2), "the server has more work than time", overload(8)),
    at(seconds(22), "and has time again", overload(0)),
  ],
  runFor: seconds(30),
});
