/**
 * "I had been talking for a while before I noticed that I was muted; from then on everyone heard me."
 */
import { at, freezes, ms, mute, plays, scenario, seconds, unmute } from "../io-sim/index.ts";

export default scenario({
  name: "forgotten to unmute",
  story: "I had been talking for a while before I noticed that I was muted; from then on everyone heard me.",
  seeds: { 241: "muted between two reports" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    bob: { sends: { microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(seconds(1), "ana is muted", mute("ana", "microphone")),
    at(seconds(7), "and unmutes", unmute("ana", "microphone")),
  ],
  runFor: seconds(10),
  steady: { from: seconds(8), among: ["ana", "bob"] },
  always: [freezes("bob", "ana/camera").shorterThan(ms(200)), freezes("ana", "bob/microphone").shorterThan(ms(60))],
  finally: [plays("bob", "ana/microphone")],
});
