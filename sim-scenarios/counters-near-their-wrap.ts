/**
 * "We had been talking for hours when all the counters ran over at once, and only the engineers would ever have known."
 */
import { freezes, ms, percent, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "counters near their wrap",
  story:
    "We had been talking for hours when all the counters ran over at once, and only the engineers would ever have known.",
  seeds: { 71: "the wrap of the numbers lost and found again", 72: "the wrap under reordering", 73: "another world" },
  cipher: "real",
  peers: {
    ana: {
      sends: { camera: "vp8-simulcast", microphone: true },
      receives: { audio: 2, video: 2 },
      nearWrap: true,
      link: { delay: ms(20), loss: percent(2), reorder: { share: percent(2), by: ms(30) } },
    },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, nearWrap: true },
    eve: { sends: { camera: "vp9", microphone: true }, receives: { audio: 2, video: 2 }, nearWrap: true },
  },
  runFor: seconds(15),
  steady: { from: seconds(4), among: ["ana", "bob", "eve"] },
  always: [freezes("eve", "bob/camera").shorterThan(ms(300)), freezes("bob", "ana/camera").shorterThan(seconds(2))],
  finally: [
    plays("ana", "bob/camera", seconds(8)),
    plays("bob", "ana/camera", seconds(8)),
    plays("bob", "eve/camera"),
    plays("eve", "bob/microphone"),
  ],
});
