/**
 * "My line is so narrow that my larger pictures come and go, and whoever watched me filled it up."
 *
 * Each time that a layer came back or stayed away, all who watched were to go over to another one, and for that a keyframe
 * was asked for as if they had yet to begin: at once, again after half a second, and of layers that nobody was to go over to
 * any more. Who is shown something already now waits longer each time, and what nobody has a use for is not asked for.
 */
import { kbps, ms, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "a layer that comes and goes",
  story: "My line is so narrow that my larger pictures come and go, and whoever watched me filled it up.",
  seeds: { 2: "twenty keyframes of one layer were asked for within fourteen seconds", 3: "the same, sooner" },
  knobs: { layerSilentMicros: ms(200) },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, link: { up: kbps(305) } },
    bob: { receives: { audio: 1, video: 1 } },
  },
  timeline: [],
  runFor: seconds(20),
});
