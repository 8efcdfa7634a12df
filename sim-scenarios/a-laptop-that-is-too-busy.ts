/**
 * "My laptop was busy with something else and choked now and then; they say that I was hard to follow for moments."
 */
import { freezes, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a laptop that is too busy",
  story:
    "My laptop was busy with something else and choked now and then; they say that I was hard to follow for moments.",
  seeds: { 471: "it stands still for up to 300 ms" },
  peers: {
    busy: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 1, video: 1 },
      link: { direction: "up", stalls: { every: [seconds(1), seconds(3)], lasts: [ms(50), ms(300)] }, batches: ms(5) },
    },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  runFor: seconds(10),
  steady: { from: seconds(3), among: ["busy", "ana"] },
  always: [freezes("ana", "busy/camera").shorterThan(ms(700)), freezes("busy", "ana/camera").shorterThan(ms(300))],
  finally: [plays("ana", "busy/camera"), plays("busy", "ana/camera")],
});
