/**
 * "We just talked for half a minute, the three of us, and there was nothing to notice."
 */
import { freezes, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a clean call",
  story: "We just talked for half a minute, the three of us, and there was nothing to notice.",
  seeds: {
    1: "the first seed of all",
    2: "another world of the same kind",
    77: "with AES in the place of checksums it ran first",
  },
  cipher: "real",
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    eve: { sends: { camera: "h264", microphone: true }, receives: { audio: 2, video: 2 } },
  },
  runFor: seconds(30),
  promises: [
    plays("ana", "bob/camera"),
    plays("bob", "ana/camera"),
    plays("eve", "ana/microphone"),
    freezes("bob", "ana/camera").shorterThan(ms(300)),
    freezes("ana", "bob/microphone").shorterThan(ms(100)),
  ],
});
