/**
 * "They say the server was restarted twice during our call. Nobody could tell when."
 */
import { at, freezes, join, ms, percent, plays, restart, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "cut and restored",
  story: "They say the server was restarted twice during our call. Nobody could tell when.",
  seeds: { 81: "a restart in the middle of a handshake", 82: "another moment" },
  cipher: "real",
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: {
      sends: { camera: "h264", microphone: true },
      receives: { audio: 2, video: 2 },
      link: { delay: ms(25), loss: percent(1) },
    },
    late: { receives: { audio: 2, video: 2 }, joinsLater: true },
  },
  timeline: [
    at(seconds(4), "the server is restored from a snapshot", restart()),
    at(seconds(8), "a viewer joins", join("late")),
    at(ms(8_050), "and the server is restored while it shakes hands", restart()),
    at(ms(8_070), "and once more", restart()),
  ],
  runFor: seconds(15),
  steady: { from: seconds(10), among: ["ana", "bob", "late"] },
  always: [
    freezes("late", "ana/microphone").shorterThan(ms(150)),
    freezes("ana", "bob/camera").shorterThan(seconds(1)),
  ],
  finally: [plays("ana", "bob/camera", seconds(8)), plays("late", "ana/camera")],
});
