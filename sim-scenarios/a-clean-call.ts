/**
 * "We just talked for a while, the three of us, and there was nothing to notice."
 */
import { freezes, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a clean call",
  story: "We just talked for a while, the three of us, and there was nothing to notice.",
  seeds: { 1: "the first world of all", 2: "another order of arrival" },
  cipher: "real",
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    eve: { sends: { camera: "h264", microphone: true }, receives: { audio: 2, video: 2 } },
  },
  runFor: seconds(20),
  steady: { from: seconds(10), among: ["ana", "bob", "eve"] },
  always: [freezes("bob", "ana/camera").shorterThan(ms(300)), freezes("ana", "bob/microphone").shorterThan(ms(100))],
  finally: [plays("ana", "bob/camera"), plays("bob", "ana/camera"), plays("eve", "ana/microphone")],
});
