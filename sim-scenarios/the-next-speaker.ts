/**
 * "Twenty-five of us at the town hall. When the boss handed over to her colleague we heard him from his first word on, and all
 * of us saw him a few seconds after she had gone."
 *
 * Everyone has room for one picture and two voices. The second speaker comes on stage while the first one is still there;
 * half a second later she switches everything off.
 */
import { at, freezes, join, ms, mute, plays, profile, scenario, seconds } from "../io-sim/index.ts";

const seats = Array.from({ length: 23 }, (_, index) => `seat-${index + 1}`);
const networks = ["fiber", "cable-bloat", "wifi-good"] as const;
const audience = Object.fromEntries(
  seats.map((name, index) => [
    name,
    { receives: { audio: 2, video: 1 }, link: profile(networks[index % networks.length]!) },
  ]),
);

export default scenario({
  name: "the next speaker",
  story:
    "Twenty-five of us at the town hall. When the boss handed over to her colleague we heard him from his first word on, and all of us saw him a few seconds after she had gone.",
  seeds: { 631: "her place is free after three seconds" },
  peers: {
    boss: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    colleague: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 1, video: 1 },
      joinsLater: true,
    },
    ...audience,
  },
  timeline: [
    at(seconds(4), "the colleague comes on stage", join("colleague")),
    at(seconds(4.5), "the boss switches her camera off", mute("boss", "camera")),
    at(seconds(4.5), "and is silent", mute("boss", "microphone")),
  ],
  runFor: seconds(11),
  // A camera that is off keeps its place for two seconds after it was noticed, because most come back at once.
  steady: { from: seconds(9), among: ["boss", "colleague", ...seats] },
  always: seats.map((name) => freezes(name, "colleague/microphone").shorterThan(ms(200))),
  finally: seats.flatMap((name) => [
    plays(name, "colleague/microphone", seconds(1)),
    plays(name, "colleague/camera", seconds(4)),
  ]),
});
