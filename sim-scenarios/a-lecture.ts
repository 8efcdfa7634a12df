/**
 * "One talked and ten of us watched. Those who came late saw him as fast as those who came first."
 */
import { at, freezes, join, ms, plays, scenario, seconds } from "../io-sim/index.ts";

const seats = Array.from({ length: 10 }, (_, index) => `seat-${index + 1}`);
const audience = Object.fromEntries(
  seats.map((name, index) => [name, { receives: { audio: 1, video: 1 }, joinsLater: index >= 5 }]),
);

export default scenario({
  name: "a lecture",
  story: "One talked and ten of us watched. Those who came late saw him as fast as those who came first.",
  seeds: { 441: "five come late, all at once" },
  peers: { lecturer: { sends: { camera: "vp8", microphone: true } }, ...audience },
  timeline: seats.slice(5).map((name) => at(seconds(4), `${name} comes late`, join(name))),
  runFor: seconds(8),
  steady: { from: seconds(6), among: ["lecturer", ...seats] },
  always: [freezes("seat-1", "lecturer/camera").shorterThan(ms(200))],
  finally: seats.map((name) => plays(name, "lecturer/camera", seconds(1))),
});
