/**
 * "My laptop stood still while I reloaded the page. When I had long been gone, the call was still sent to where I had been."
 *
 * What the old page had yet to send left by the address of the new one, so the server moved the old page there; then the new
 * page's own check took that address away, and the old page was sent to where it had been before. The check that had come from
 * elsewhere counted there too, so that media went on for longer than 30 s after the last check from that address. Consent is
 * for one path alone (RFC 7675 §5.1): now each flow has its own.
 */
import { at, join, ms, pause, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "an address of before",
  story:
    "My laptop stood still while I reloaded the page. When I had long been gone, the call was still sent to where I had been.",
  seeds: { 660302: "the world in which it was found" },
  scheduler: "fifo",
  peers: {
    bob: { sends: { camera: "vp8" } },
  },
  timeline: [
    at(seconds(1), "bob's laptop stands still", pause(ms(2574), "bob")),
    at(seconds(3.5), "bob reloads the page", join("bob", { times: 1, every: ms(799) })),
  ],
  runFor: seconds(4),
});
