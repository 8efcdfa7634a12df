/**
 * "Since I work through the company's tunnel everything is a little slower, but calls work as before."
 *
 * IP packets of more than 1,280 bytes vanish, and no ICMP tells of it: whatever is sent has to be small enough at once.
 */
import { freezes, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "through the tunnel of the office",
  story: "Since I work through the company's tunnel everything is a little slower, but calls work as before.",
  seeds: { 191: "packets of the tunnel's size" },
  peers: {
    worker: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("vpn") },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("fiber") },
  },
  runFor: seconds(10),
  steady: { from: seconds(3), among: ["worker", "ana"] },
  always: [
    freezes("ana", "worker/camera").shorterThan(seconds(1)),
    freezes("worker", "ana/camera").shorterThan(seconds(1)),
  ],
  finally: [plays("ana", "worker/camera", seconds(8)), plays("worker", "ana/camera", seconds(8))],
});
