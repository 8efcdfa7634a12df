/**
 * "Somebody tried passwords on our call for seconds. He heard nothing, and we noticed nothing."
 *
 * His checks name a user who is there and were made without the password (RFC 8445 §7.3). They may change nothing, and
 * their answers must not be worth having sent to somebody else.
 */
import { at, freezes, garbage, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a wrong key",
  story: "Somebody tried passwords on our call for seconds. He heard nothing, and we noticed nothing.",
  seeds: { 521: "a hundred tries a second" },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    bob: { sends: { microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [at(seconds(1), "passwords are tried", garbage({ perSecond: 100, duration: seconds(4), kind: "probes" }))],
  runFor: seconds(6),
  steady: { from: seconds(2), among: ["ana", "bob"] },
  always: [freezes("bob", "ana/camera").shorterThan(ms(300))],
  finally: [plays("bob", "ana/camera"), plays("ana", "bob/microphone")],
});
