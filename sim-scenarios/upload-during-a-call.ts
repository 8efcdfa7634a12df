/**
 * "Whenever my son uploads his videos, the others say that I am a second late; but they see me."
 *
 * The uplink's queue holds a second, and a transfer keeps it full: everything that ana sends comes a second late, and
 * what finds no place has to be sent again. Her voice has gaps then, since it is never sent again, so only her picture
 * is promised.
 */
import { at, freezes, kbps, link, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

/** A transfer that sends a little more than the link carries. */
const upload = { bps: kbps(11_000), packetBytes: 1_500, onMicros: seconds(600), offMicros: ms(1) };

export default scenario({
  name: "upload during a call",
  story: "Whenever my son uploads his videos, the others say that I am a second late; but they see me.",
  seeds: { 121: "the queue fills and empties" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("cable-bloat") },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("wifi-good") },
  },
  timeline: [
    at(seconds(2), "an upload begins", link("ana", { direction: "up", cross: upload })),
    at(seconds(9), "and is done", link("ana", { direction: "up", cross: null })),
  ],
  runFor: seconds(14),
  steady: { from: seconds(11), among: ["ana", "bob"] },
  always: [
    freezes("ana", "bob/camera").shorterThan(seconds(1)),
    freezes("ana", "bob/microphone").shorterThan(ms(300)),
    freezes("bob", "ana/camera").shorterThan(seconds(4)),
  ],
  finally: [plays("bob", "ana/camera"), plays("bob", "ana/microphone"), plays("ana", "bob/camera")],
});
