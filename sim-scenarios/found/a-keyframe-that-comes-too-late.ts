/**
 * "My phone stood still, and when it moved again everything came at once, and the picture began with a hole."
 *
 * The first packet of the keyframe was overtaken by all that had waited behind it, more than may be sent on late. The server
 * began with it all the same: what had come before it never went out, and no receiver could have it repeated. A keyframe that
 * comes so late begins nothing, and another one is asked for.
 */
import { at, misbehave, ms, pause, percent, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "a keyframe that comes too late",
  story: "My phone stood still, and when it moved again everything came at once, and the picture began with a hole.",
  seeds: { 1: "321 packets were missing behind the keyframe", 13: "314 were" },
  peers: {
    ana: {
      sends: { camera: "vp8", microphone: true },
      link: { direction: "up", reorder: { share: percent(8), by: ms(1) } },
    },
    bob: { receives: { video: 1 } },
  },
  timeline: [
    at(0, "ana's phone stands still", pause(seconds(3), "ana")),
    at(seconds(1), "it sends packets that are padding alone", misbehave("ana", "padding-only", 2_100_000)),
  ],
  runFor: seconds(4),
});
