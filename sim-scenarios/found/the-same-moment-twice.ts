/**
 * "Her line was bad for a while, and when it was well again I was shown once more what I had just seen."
 *
 * All that had waited came at once, and then the packets that had been lost, by retransmissions: among them a keyframe, from
 * before where the viewer had left that layer for another one a moment ago. The server went back to the layer with it and sent
 * on all that lay behind it, most of which it had sent already. Now it goes back to a stream only at a keyframe that is newer
 * than whatever it has sent of it, and asks for one.
 */
import { at, kbps, link, ms, percent, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "the same moment twice",
  story: "Her line was bad for a while, and when it was well again I was shown once more what I had just seen.",
  seeds: { 32: "the viewer goes back to a layer at a keyframe from before he left it" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, link: { up: kbps(1656), queue: 6_000 } },
    bob: { receives: { video: 1 } },
  },
  timeline: [
    at(
      seconds(3.434),
      "ana's line is bad",
      link("ana", {
        direction: "up",
        up: kbps(51),
        queue: 54_000,
        mtu: 925,
        reorder: { share: percent(50), by: ms(170) },
      }),
    ),
    at(
      seconds(5.723),
      "ana's line is well again",
      link("ana", { direction: "up", up: 0, queue: 150_000, mtu: 1_500, reorder: { share: 0, by: 0 } }),
    ),
  ],
  runFor: seconds(7.5),
});
