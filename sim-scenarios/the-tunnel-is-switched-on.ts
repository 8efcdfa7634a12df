/**
 * "I switched on the company's tunnel in the middle of a call and off again when I had what I needed. The others say that I
 * hung for a moment, both times."
 *
 * The address changes without the page being told, the way gets longer, and large packets vanish in the tunnel without a
 * word; and all of that goes back at once.
 */
import { at, freezes, link, move, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the tunnel is switched on",
  story:
    "I switched on the company's tunnel in the middle of a call and off again when I had what I needed. The others say that I hung for a moment, both times.",
  seeds: { 621: "on and off" },
  peers: {
    worker: {
      sends: { camera: "vp8-simulcast", microphone: true },
      receives: { audio: 1, video: 1 },
      link: profile("cable-bloat"),
    },
    ana: { sends: { camera: "h264", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("wifi-good") },
  },
  timeline: [
    at(seconds(4), "the tunnel is there", link("worker", profile("vpn"))),
    at(seconds(4), "and has an address of its own", move("worker", "network")),
    at(seconds(10), "it is switched off", link("worker", profile("cable-bloat"))),
    at(seconds(10), "and the address is another one again", move("worker", "network")),
  ],
  runFor: seconds(18),
  steady: { from: seconds(13), among: ["worker", "ana"] },
  always: [
    // The device knows of its new address and checks it at once: some round trips, and a keyframe for the picture.
    freezes("ana", "worker/microphone").shorterThan(ms(500)),
    freezes("worker", "ana/microphone").shorterThan(ms(500)),
    freezes("ana", "worker/camera").shorterThan(ms(800)),
    freezes("worker", "ana/camera").shorterThan(ms(800)),
  ],
  finally: [plays("ana", "worker/camera"), plays("worker", "ana/camera")],
});
