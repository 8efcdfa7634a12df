/**
 * "The logs say that somebody attacked the server all evening; we had a call meanwhile and heard nothing of it."
 */
import { at, departs, freezes, garbage, join, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "garbage at the door",
  story: "The logs say that somebody attacked the server all evening; we had a call meanwhile and heard nothing of it.",
  seeds: { 61: "the attack begins during a handshake", 62: "another mixture of rubbish", 63: "and another" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    mallory: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 2, video: 2 },
      impostor: true,
      joinsLater: true,
    },
    late: { receives: { audio: 2, video: 2 }, joinsLater: true },
  },
  timeline: [
    at(seconds(2), "strangers throw rubbish", garbage({ perSecond: 400, duration: seconds(12) })),
    at(seconds(5), "an impostor tries to join", join("mallory")),
    at(seconds(6), "an honest viewer joins", join("late")),
  ],
  runFor: seconds(18),
  steady: { from: seconds(8), among: ["ana", "bob", "late"] },
  always: [freezes("ana", "bob/camera").shorterThan(ms(300)), freezes("bob", "ana/microphone").shorterThan(ms(100))],
  finally: [plays("ana", "bob/camera"), plays("late", "ana/camera"), departs("mallory", "dtls-failed")],
});
