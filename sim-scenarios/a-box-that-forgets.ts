/**
 * "I am behind my provider's box, which forgets me now and then. The call hung for a breath and went on."
 */
import { freezes, percent, plays, profile, scenario, seconds } from "../io-sim/index.ts";

const roaming = {
  every: [seconds(4), seconds(6)] as const,
  outage: [0, 0] as const,
  addressChanges: percent(100),
  noticed: false,
};

export default scenario({
  name: "a box that forgets",
  story: "I am behind my provider's box, which forgets me now and then. The call hung for a breath and went on.",
  seeds: { 331: "forgotten every few seconds" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    boxed: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 1, video: 1 },
      link: profile("cgnat", { roaming }),
    },
  },
  runFor: seconds(16),
  always: [
    // A new mapping is only found out by the next consent check, up to 2.5 s later.
    freezes("ana", "boxed/camera").shorterThan(seconds(4)),
    freezes("boxed", "ana/microphone").shorterThan(seconds(4)),
  ],
  finally: [plays("ana", "boxed/microphone")],
});
