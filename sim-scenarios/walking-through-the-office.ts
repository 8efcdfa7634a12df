/**
 * "I walk about while I talk. Sometimes it stops for a moment when I go round a corner, and then it goes on."
 *
 * From access point to access point, every few seconds instead of every minute, and with another address each second
 * time.
 */
import { freezes, ms, percent, plays, profile, scenario, seconds } from "../io-sim/index.ts";

const roaming = {
  every: [seconds(3), seconds(6)] as const,
  outage: [ms(100), seconds(2)] as const,
  addressChanges: percent(50),
  noticed: true,
};

export default scenario({
  name: "walking through the office",
  story: "I walk about while I talk. Sometimes it stops for a moment when I go round a corner, and then it goes on.",
  seeds: { 141: "with and without another address" },
  peers: {
    walker: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 1, video: 1 },
      link: profile("wifi-roam", { roaming }),
    },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: profile("wifi-good") },
  },
  runFor: seconds(20),
  always: [
    freezes("walker", "ana/microphone").shorterThan(seconds(3)),
    freezes("ana", "walker/microphone").shorterThan(seconds(3)),
    freezes("walker", "ana/camera").shorterThan(seconds(5)),
    freezes("ana", "walker/camera").shorterThan(seconds(5)),
  ],
  finally: [plays("ana", "walker/microphone"), plays("walker", "ana/microphone")],
});
