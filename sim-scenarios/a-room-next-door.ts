/**
 * "In the room next door they had nothing but trouble. In ours there was nothing to notice."
 */
import { at, cut, freezes, heal, join, kill, ms, percent, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a room next door",
  story: "In the room next door they had nothing but trouble. In ours there was nothing to notice.",
  seeds: { 431: "loss, cuts and reloads next door" },
  peers: {
    ana: { room: "ours", sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    bob: { room: "ours", sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    cut: {
      room: "next-door",
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 1, video: 1 },
      link: { loss: percent(20), jitter: ms(20) },
    },
    dropped: { room: "next-door", sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(seconds(2), "next door a line dies", cut("cut")),
    at(seconds(4), "and lives", heal("cut")),
    at(seconds(5), "next door somebody vanishes", kill("dropped")),
    at(seconds(5.5), "and comes again", join("dropped")),
  ],
  runFor: seconds(9),
  steady: { from: seconds(3), among: ["ana", "bob"] },
  always: [
    freezes("ana", "bob/camera").shorterThan(ms(200)),
    freezes("bob", "ana/camera").shorterThan(ms(200)),
    freezes("bob", "ana/microphone").shorterThan(ms(60)),
  ],
  finally: [plays("ana", "bob/camera"), plays("bob", "ana/camera")],
});
