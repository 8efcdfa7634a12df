/**
 * "I walked out of the house on the phone; when it left the wireless for the mobile network, the call just went on."
 */
import { at, freezes, move, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "an address changes",
  story:
    "I walked out of the house on the phone; when it left the wireless for the mobile network, the call just went on.",
  seeds: { 31: "both kinds of move", 32: "another phase of the consent checks" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    phone: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(seconds(5), "the phone changes networks and knows it", move("phone", "network")),
    at(seconds(12), "its NAT forgets it, and it knows nothing", move("phone", "rebinding")),
  ],
  runFor: seconds(25),
  steady: { from: seconds(16), among: ["ana", "phone"] },
  always: [
    // A rebinding is only found out by the next consent check, up to 2.5 s later.
    freezes("phone", "ana/camera").shorterThan(seconds(4)),
    freezes("ana", "phone/microphone").shorterThan(seconds(4)),
  ],
  finally: [plays("phone", "ana/camera"), plays("ana", "phone/camera")],
});
