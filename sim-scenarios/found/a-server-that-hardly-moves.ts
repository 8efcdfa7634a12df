/**
 * "For a while the server did nothing but stutter, and when it was well again it still told everybody the wrong time."
 *
 * Every report of ana's clock was held up while the server stood still, so her clock was learnt up to a fifth of a second too
 * late, and that was mended by half a millisecond a second: for minutes, what was said of the moment of her pictures and her
 * voice was wrong. Now the quickest packets tell how late a report came, and a quicker one is believed at once.
 */
import { at, ms, pause, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "a server that hardly moves",
  story:
    "For a while the server did nothing but stutter, and when it was well again it still told everybody the wrong time.",
  seeds: {
    2: "ana's voice was told 49 ms too late",
    3: "her voice was told 40 ms too late, and then other than her lips",
  },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true } },
    bob: { receives: { audio: 1, video: 1 } },
  },
  timeline: Array.from({ length: 30 }, (_, turn) => at(ms(200 * turn), "the server stands still", pause(ms(190)))),
  runFor: seconds(10),
});
