/**
 * "I was alone, then strangers throw copies of what they have heard, and a stranger was listened to."
 *
 * Where a connectivity check without FINGERPRINT is taken, and with it a damaged copy of one: S12. A check that nobody
 * had authenticated was taken from 198.51.100.7:40006.
 */
import { at, garbage, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "unmarked-check-taken",
  story: "I was alone, then strangers throw copies of what they have heard, and a stranger was listened to.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { microphone: true } },
  },
  timeline: [
    at(
      seconds(0.5),
      "strangers throw copies of what they have heard",
      garbage({ perSecond: 500, duration: seconds(2) }),
    ),
  ],
  runFor: seconds(1),
});
