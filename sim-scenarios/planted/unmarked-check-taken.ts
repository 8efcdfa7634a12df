/**
 * "I was alone, then strangers throw copies of what they have heard, and something was not as it should be."
 *
 * Where a connectivity check without FINGERPRINT is taken, and with it a damaged copy of one: S12. The stranger at
 * 198.51.100.5:40004 was sent media.
 */
import { at, garbage, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "unmarked-check-taken",
  story: "I was alone, then strangers throw copies of what they have heard, and something was not as it should be.",
  seeds: { 2: "the seed that it was found with" },
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
  runFor: seconds(0.6),
});
