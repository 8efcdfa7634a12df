/**
 * "Some box on our way repeats what it heard seconds ago. Nobody saw or heard anything twice."
 */
import { freezes, ms, percent, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "echoes from seconds ago",
  story: "Some box on our way repeats what it heard seconds ago. Nobody saw or heard anything twice.",
  seeds: { 411: "a third comes again, up to five seconds late" },
  peers: {
    ana: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 1, video: 1 },
      link: { duplicate: { share: percent(30), by: seconds(5) } },
    },
    bob: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 1, video: 1 },
      link: { duplicate: { share: percent(30), by: seconds(5) } },
    },
  },
  runFor: seconds(9),
  steady: { from: seconds(3), among: ["ana", "bob"] },
  always: [freezes("bob", "ana/camera").shorterThan(ms(300)), freezes("ana", "bob/microphone").shorterThan(ms(100))],
  finally: [plays("bob", "ana/camera"), plays("ana", "bob/camera")],
});
