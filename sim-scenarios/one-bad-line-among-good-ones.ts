/**
 * "One of us could hardly be understood. The rest of us saw and heard each other as on any other day."
 *
 * What is promised first is what the two with good lines have of each other: nothing of the third one's trouble.
 */
import { freezes, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "one bad line among good ones",
  story: "One of us could hardly be understood. The rest of us saw and heard each other as on any other day.",
  seeds: { 231: "a tenth is lost and a quarter of a second each way" },
  peers: {
    poor: { sends: { microphone: true }, receives: { audio: 2 }, link: profile("awful") },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
  },
  runFor: seconds(12),
  steady: { from: seconds(3), among: ["poor", "ana", "bob"] },
  always: [
    freezes("ana", "bob/camera").shorterThan(ms(200)),
    freezes("bob", "ana/camera").shorterThan(ms(200)),
    freezes("bob", "ana/microphone").shorterThan(ms(60)),
    freezes("ana", "poor/microphone").shorterThan(seconds(1)),
  ],
  finally: [plays("ana", "bob/camera"), plays("bob", "ana/camera"), plays("poor", "ana/microphone", seconds(10))],
});
