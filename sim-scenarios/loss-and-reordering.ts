/**
 * "The train's wireless was dreadful, yet we understood each other, and the picture came back within moments."
 */
import { freezes, ms, percent, plays, scenario, seconds } from "../io-sim/index.ts";

const train = {
  delay: ms(30),
  jitter: ms(5),
  loss: percent(3),
  bursts: { good: seconds(4), bad: ms(12), loss: percent(50) },
  reorder: { share: percent(2), by: ms(25) },
};

export default scenario({
  name: "loss and reordering",
  story: "The train's wireless was dreadful, yet we understood each other, and the picture came back within moments.",
  seeds: { 3: "an ordinary bad day", 4: "loss during the handshake", 8: "a long burst around a keyframe" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 1, video: 1 }, link: train },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: train },
  },
  runFor: seconds(25),
  steady: { from: seconds(5), among: ["ana", "bob"] },
  always: [
    freezes("bob", "ana/camera").shorterThan(seconds(2)),
    freezes("ana", "bob/camera").shorterThan(seconds(2)),
    freezes("bob", "ana/microphone").shorterThan(ms(500)),
  ],
  finally: [
    plays("ana", "bob/camera", seconds(8)),
    plays("bob", "ana/camera", seconds(8)),
    plays("bob", "ana/microphone", seconds(8)),
  ],
});
