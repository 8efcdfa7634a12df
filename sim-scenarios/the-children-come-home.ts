/**
 * "When the children came home and went online my picture got smaller, they say, but it went on moving."
 *
 * A browser that may send less rests its upper layers without a word, and takes them up again when there is room.
 */
import { at, freezes, kbps, link, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the children come home",
  story: "When the children came home and went online my picture got smaller, they say, but it went on moving.",
  seeds: { 1: "the first that was tried" },
  peers: {
    ana: {
      persona: "chromium",
      sends: { camera: "vp8-simulcast", microphone: true },
      link: { up: kbps(4_000), delay: ms(30), queue: { time: ms(150) } },
    },
    bob: { receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(seconds(8), "the children go online", link("ana", { direction: "up", up: kbps(500) })),
    at(seconds(22), "and have dinner", link("ana", { direction: "up", up: kbps(4_000) })),
  ],
  runFor: seconds(34),
  steady: { from: seconds(26), among: ["ana", "bob"] },
  always: [freezes("bob", "ana/camera").shorterThan(seconds(3)), freezes("bob", "ana/microphone").shorterThan(ms(500))],
  finally: [plays("bob", "ana/camera"), plays("bob", "ana/microphone")],
});
