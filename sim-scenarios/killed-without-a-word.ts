/**
 * "Ana's laptop died in the middle of a sentence; the rest of us went on, and she was back before we missed her."
 */
import { at, departs, freezes, join, kill, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "killed without a word",
  story:
    "Ana's laptop died in the middle of a sentence; the rest of us went on, and she was back before we missed her.",
  seeds: { 11: "the ghost expires while its successor talks", 12: "another order of the mailboxes" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 3, video: 3 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 3, video: 3 } },
    eve: { sends: { microphone: true }, receives: { audio: 3, video: 3 } },
  },
  timeline: [at(seconds(3), "the laptop dies", kill("ana")), at(seconds(8), "and starts again", join("ana"))],
  runFor: seconds(35),
  steady: { from: seconds(12), among: ["ana", "bob", "eve"] },
  always: [freezes("eve", "bob/camera").shorterThan(ms(300)), freezes("eve", "bob/microphone").shorterThan(ms(150))],
  finally: [departs("ana", "consent-expired"), plays("bob", "ana/camera"), plays("ana", "bob/camera", seconds(6))],
});
