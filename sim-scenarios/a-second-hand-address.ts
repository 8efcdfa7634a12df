/**
 * "My phone got the very address that Ben's had had a moment ago. I saw my own call, not his."
 */
import { at, inherit, join, kill, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a second hand address",
  story: "My phone got the very address that Ben's had had a moment ago. I saw my own call, not his.",
  seeds: { 301: "the dead one's packets are still on their way" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    ben: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    heir: { room: "study", receives: { audio: 1, video: 1 }, joinsLater: true },
    host: { room: "study", sends: { camera: "vp8", microphone: true } },
  },
  timeline: [
    at(seconds(2), "ben's phone dies", kill("ben")),
    at(seconds(2.2), "his address is given to another", inherit("heir", "ben")),
    at(seconds(3), "who joins another room", join("heir")),
  ],
  runFor: seconds(8),
  steady: { from: seconds(5), among: ["ana", "heir", "host"] },
  finally: [plays("heir", "host/camera"), plays("heir", "host/microphone")],
});
