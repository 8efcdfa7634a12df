/**
 * "The screen in our lobby shows the branch office, day and night. It has been the same call since spring, and still is."
 */
import { at, freezes, join, ms, percent, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the screen in the lobby",
  story:
    "The screen in our lobby shows the branch office, day and night. It has been the same call since spring, and still is.",
  seeds: { 641: "the packets around the wrap arrive", 642: "some of them do not" },
  cipher: "real",
  // All that the server counts for them runs over within the first seconds, and with it what it tells their keys by.
  serverNearWrap: true,
  peers: {
    lobby: {
      sends: { camera: "vp8-simulcast", microphone: true },
      receives: { audio: 2, video: 2 },
      link: { delay: ms(20), jitter: ms(3), loss: percent(2) },
    },
    branch: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 } },
    guest: { joinsLater: true, sends: { microphone: true }, receives: { audio: 2, video: 2 } },
  },
  timeline: [at(seconds(5), "a guest looks in", join("guest"))],
  runFor: seconds(12),
  steady: { from: seconds(7), among: ["lobby", "branch", "guest"] },
  always: [
    freezes("branch", "lobby/microphone").shorterThan(ms(300)),
    // Two in a hundred packets are lost, and each picture needs all of its own.
    freezes("lobby", "branch/camera").shorterThan(seconds(1)),
  ],
  finally: [plays("lobby", "branch/camera"), plays("branch", "lobby/camera"), plays("guest", "branch/camera")],
});
