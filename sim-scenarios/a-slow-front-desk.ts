/**
 * "I clicked on join and nothing happened for seconds, then I was in and saw everyone."
 */
import { at, join, ms, percent, plays, scenario, seconds, signalling } from "../io-sim/index.ts";

export default scenario({
  name: "a slow front desk",
  story: "I clicked on join and nothing happened for seconds, then I was in and saw everyone.",
  seeds: {
    5: "a page that is patient for less time than lies between two checks",
    371: "requests lost, repeated and late",
  },
  peers: {
    // Each try that came to nothing may hold a place until its time has run out.
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 6, video: 6 } },
    slow: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 1, video: 1 },
      joinsLater: true,
      rejoinsAfter: seconds(2),
    },
  },
  timeline: [
    at(
      0,
      "the way to the front desk gets bad",
      signalling("slow", { lost: percent(30), unheard: percent(30), repeated: percent(30), late: ms(800) }),
    ),
    at(seconds(1), "the click on join", join("slow")),
    at(seconds(7), "the way gets good", signalling("slow", {})),
  ],
  runFor: seconds(14),
  steady: { from: seconds(11), among: ["ana", "slow"] },
  finally: [plays("slow", "ana/camera", seconds(5)), plays("ana", "slow/camera", seconds(8))],
});
