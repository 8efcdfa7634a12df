/**
 * "Some box on our way sends every packet twice; nobody has ever noticed."
 */
import { freezes, ms, percent, plays, scenario, seconds } from "../io-sim/index.ts";

const echo = { delay: ms(15), duplicate: { share: percent(100), by: ms(80) } };

export default scenario({
  name: "a duplicated world",
  story: "Some box on our way sends every packet twice; nobody has ever noticed.",
  seeds: { 5: "doubles arrive in between", 6: "doubles of the handshake too" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 }, link: echo },
    bob: { sends: { camera: "vp9", microphone: true }, receives: { audio: 2, video: 2 }, link: echo },
    eve: { sends: { microphone: true }, receives: { audio: 2, video: 2 } },
  },
  runFor: seconds(15),
  steady: { from: seconds(4), among: ["ana", "bob", "eve"] },
  always: [freezes("eve", "ana/camera").shorterThan(ms(300)), freezes("eve", "bob/microphone").shorterThan(ms(150))],
  finally: [plays("ana", "bob/camera"), plays("bob", "ana/camera"), plays("eve", "ana/camera")],
});
