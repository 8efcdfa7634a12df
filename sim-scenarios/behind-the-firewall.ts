/**
 * "Max could not get in from his office, and after half a minute the list no longer showed him; from his phone it
 * worked."
 *
 * The office drops UDP, which is all that the server speaks. The attempt is given up after half a minute, so the call
 * is one of voices alone to keep the run short.
 */
import { at, departs, join, plays, profile, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "behind the firewall",
  story:
    "Max could not get in from his office, and after half a minute the list no longer showed him; from his phone it worked.",
  seeds: { 151: "the office's attempt runs out" },
  peers: {
    ana: { sends: { microphone: true }, receives: { audio: 2 }, link: profile("fiber") },
    office: { sends: { microphone: true }, receives: { audio: 2 }, link: profile("corporate"), joinsLater: true },
    phone: { sends: { microphone: true }, receives: { audio: 2 }, link: profile("5g"), joinsLater: true },
  },
  timeline: [
    at(seconds(1), "Max tries from the office", join("office")),
    at(seconds(28), "and from his phone", join("phone")),
  ],
  runFor: seconds(32),
  steady: { from: seconds(30), among: ["ana", "phone"] },
  finally: [departs("office", "connect-timeout"), plays("phone", "ana/microphone"), plays("ana", "phone/microphone")],
});
