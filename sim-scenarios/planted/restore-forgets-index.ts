/**
 * "I was alone, then the server is restored from a snapshot, and the same moment was shown twice."
 *
 * Where a restored server counts its SRTCP packets from zero: S7. ana was sent SRTCP index 0 after 16.
 */
import { at, restart, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "restore-forgets-index",
  story: "I was alone, then the server is restored from a snapshot, and the same moment was shown twice.",
  seeds: { 1: "the seed that it was found with" },
  scheduler: "fifo",
  peers: {
    ana: { sends: { microphone: true } },
  },
  timeline: [at(seconds(1), "the server is restored from a snapshot", restart())],
  runFor: seconds(2),
});
