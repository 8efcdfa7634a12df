/**
 * "Somebody in the café copied what my phone sent, and my call went to him instead of me."
 *
 * A connectivity check that was copied on the way and damaged behind its MESSAGE-INTEGRITY, so that its FINGERPRINT was no
 * longer recognised as one, passed as an authentic check, and the media of the call moved to whoever had sent it. Where
 * FINGERPRINT is in use, a message without it is to be dropped (RFC 8489 §7).
 */
import { at, garbage, ms, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "a copied check",
  story: "Somebody in the café copied what my phone sent, and my call went to him instead of me.",
  seeds: { 2: "the copy came half a second after the first voice", 5: "the media went missing" },
  peers: {
    ana: { sends: { microphone: true } },
    bob: { receives: { audio: 1 } },
    eve: { receives: { audio: 1 } },
  },
  timeline: [
    at(ms(500), "strangers throw copies of what they have heard", garbage({ perSecond: 500, duration: seconds(2) })),
  ],
  runFor: seconds(3),
});
