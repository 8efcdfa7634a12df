/**
 * "My provider moved me from one kind of address to the other in the middle of a call, and back."
 */
import { at, freezes, move, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "from the old internet to the new",
  story: "My provider moved me from one kind of address to the other in the middle of a call, and back.",
  seeds: { 311: "there and back" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    moved: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: { ip: 4 } },
  },
  timeline: [at(seconds(3), "to IPv6", move("moved", "ipv6")), at(seconds(7), "and back", move("moved", "ipv4"))],
  runFor: seconds(12),
  steady: { from: seconds(9), among: ["ana", "moved"] },
  always: [
    freezes("ana", "moved/camera").shorterThan(seconds(2)),
    freezes("moved", "ana/microphone").shorterThan(seconds(1)),
  ],
  finally: [plays("ana", "moved/camera"), plays("moved", "ana/camera")],
});
