/**
 * "The meeting began on the hour, and all twelve of us clicked in the same second. All of us got in."
 */
import { at, freezes, join, ms, plays, scenario, seconds } from "../io-sim/index.ts";

const names = Array.from({ length: 12 }, (_, index) => `member-${index + 1}`);
const members = Object.fromEntries(
  names.map((name) => [name, { receives: { audio: 1, video: 1 }, joinsLater: true, link: { jitter: ms(5) } }]),
);

export default scenario({
  name: "a crowd at the door",
  story: "The meeting began on the hour, and all twelve of us clicked in the same second. All of us got in.",
  seeds: { 491: "twelve handshakes at once" },
  peers: { chair: { sends: { camera: "vp8", microphone: true } }, ...members },
  timeline: names.map((name) => at(seconds(2), `${name} clicks`, join(name))),
  runFor: seconds(6),
  steady: { from: seconds(4), among: ["chair", ...names] },
  always: [freezes("member-1", "chair/camera").shorterThan(ms(300))],
  finally: names.map((name) => plays(name, "chair/camera", seconds(2))),
});
