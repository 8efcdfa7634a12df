/**
 * "I was on the train. In the tunnels I was gone for a few seconds, and each time I was back without doing anything."
 *
 * 4G in motion: an uplink of 0 to 1.2 Mbit/s, and outages of 1 to 4 s, which come more often here than in the profile.
 */
import { freezes, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "on the train",
  story:
    "I was on the train. In the tunnels I was gone for a few seconds, and each time I was back without doing anything.",
  seeds: { 107: "a queue that holds up reports on the clock for seconds", 111: "tunnels of all lengths" },
  peers: {
    traveller: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 2, video: 1 },
      link: profile("lte-drive", { outages: { every: [seconds(5), seconds(9)], lasts: [seconds(1), seconds(4)] } }),
    },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, link: profile("cable-bloat") },
    bob: { sends: { microphone: true }, receives: { audio: 2, video: 2 }, link: profile("wifi-good") },
  },
  runFor: seconds(20),
  steady: { from: seconds(4), among: ["traveller", "ana", "bob"] },
  always: [
    // Four seconds of tunnel, and the way back.
    freezes("traveller", "ana/microphone").shorterThan(seconds(6)),
    freezes("ana", "traveller/microphone").shorterThan(seconds(6)),
    freezes("traveller", "ana/camera").shorterThan(seconds(8)),
    freezes("bob", "ana/microphone").shorterThan(ms(150)),
  ],
  finally: [plays("bob", "ana/camera")],
});
