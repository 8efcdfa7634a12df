/**
 * "For a few seconds my line was hardly there. My picture stood still, my voice went on, and then all was as before."
 *
 * The picture fits onto the line, but not while it is narrow. What is lost then must not be asked for again and again: the
 * repetitions would keep the line full after it has become wide again.
 */
import { at, freezes, kbps, link, ms, percent, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a line that narrows",
  story:
    "For a few seconds my line was hardly there. My picture stood still, my voice went on, and then all was as before.",
  seeds: { 1: "four seconds with a fifth of the capacity" },
  peers: {
    ana: {
      sends: { camera: "vp8", microphone: true },
      link: { direction: "up", up: kbps(450), delay: ms(40), loss: percent(3), queue: { time: seconds(1) } },
    },
    bob: { receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(seconds(3), "the line narrows", link("ana", { up: kbps(100) })),
    at(seconds(7), "and widens again", link("ana", { up: kbps(450) })),
  ],
  runFor: seconds(16),
  steady: { from: seconds(12), among: ["ana", "bob"] },
  always: [freezes("bob", "ana/microphone").shorterThan(ms(300)), freezes("bob", "ana/camera").shorterThan(seconds(7))],
  finally: [plays("bob", "ana/camera")],
});
