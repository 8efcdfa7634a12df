/**
 * "The hotel's wireless was as hotels' wireless is. The picture stuttered now and then, but we talked for an hour."
 *
 * Three walls from the access point: 1 to 26 Mbit/s, repetitions on the air, and a burst of loss every 0.6 s.
 */
import { freezes, ms, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "hotel wireless",
  story:
    "The hotel's wireless was as hotels' wireless is. The picture stuttered now and then, but we talked for an hour.",
  seeds: { 101: "an ordinary evening" },
  peers: {
    guest: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, link: profile("wifi-poor") },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, link: profile("fiber") },
    bob: { sends: { microphone: true }, receives: { audio: 2, video: 2 }, link: profile("dsl") },
  },
  runFor: seconds(15),
  steady: { from: seconds(4), among: ["guest", "ana", "bob"] },
  always: [
    freezes("guest", "ana/camera").shorterThan(seconds(2)),
    freezes("ana", "guest/camera").shorterThan(seconds(2)),
    freezes("bob", "guest/microphone").shorterThan(ms(500)),
    // Whoever sits at home sees nothing of the hotel's trouble.
    freezes("bob", "ana/camera").shorterThan(ms(300)),
  ],
  finally: [plays("guest", "ana/camera", seconds(8)), plays("ana", "guest/camera", seconds(8))],
});
