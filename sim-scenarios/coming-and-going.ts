/**
 * "Twenty of us, and never the same twenty for long; still, whoever was there saw whoever was there."
 *
 * Two rooms share the server, so that nothing may leak from one party into the other. Some only watch; there are more
 * voices than slots, so loudness decides who is heard.
 */
import { at, freezes, join, kill, leave, mute, plays, scenario, seconds, unmute } from "../io-sim/index.ts";

const names = Array.from({ length: 20 }, (_, index) => `guest-${index + 1}`);

const peers = Object.fromEntries(
  names.map((name, index) => [
    name,
    {
      room: index < 14 ? "garden" : "kitchen",
      sends: {
        ...(index % 2 === 0 ? { microphone: 20 + 3 * (index % 14) } : {}),
        ...(index % 5 === 0 ? { camera: "vp8" as const } : {}),
      },
      receives: { audio: 3, video: 3 },
      joinsLater: index % 4 === 3,
    },
  ]),
);

export default scenario({
  name: "coming and going",
  story: "Twenty of us, and never the same twenty for long; still, whoever was there saw whoever was there.",
  seeds: { 91: "the guests in one order", 92: "and in another" },
  peers,
  timeline: [
    at(seconds(2), "a late guest", join("guest-4")),
    at(seconds(2), "and another at the same moment", join("guest-8")),
    at(seconds(3), "one goes home", leave("guest-2")),
    at(seconds(4), "a camera is covered", mute("guest-6", "camera")),
    at(seconds(5), "late guests", join("guest-12")),
    at(seconds(5), "and into the other room", join("guest-16")),
    at(seconds(6), "one vanishes", kill("guest-3")),
    at(seconds(7), "the loudest falls silent", mute("guest-1", "microphone")),
    at(seconds(8), "one goes home from the kitchen", leave("guest-17")),
    at(seconds(9), "the last guest", join("guest-20")),
    at(seconds(10), "one comes back", join("guest-2")),
    at(seconds(11), "and so does the one who vanished", join("guest-3")),
    at(seconds(12), "a camera leaves for good", leave("guest-11")),
    at(seconds(13), "the camera is uncovered", unmute("guest-6", "camera")),
    at(seconds(14), "the loudest speaks again", unmute("guest-1", "microphone")),
  ],
  runFor: seconds(17),
  steady: { from: seconds(15), among: ["guest-1", "guest-5", "guest-6"] },
  always: [freezes("guest-5", "guest-1/camera").shorterThan(seconds(1))],
  finally: [
    plays("guest-5", "guest-1/camera"),
    plays("guest-2", "guest-1/camera"),
    plays("guest-3", "guest-6/camera", seconds(15)),
    plays("guest-5", "guest-1/microphone"),
    plays("guest-20", "guest-16/camera"),
  ],
});
