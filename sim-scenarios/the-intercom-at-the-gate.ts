/**
 * "The intercom at our gate is old and knows little more than picture and sound. Whoever rings is in our call all the same."
 */
import { at, freezes, join, leave, link, ms, percent, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the intercom at the gate",
  story:
    "The intercom at our gate is old and knows little more than picture and sound. Whoever rings is in our call all the same.",
  seeds: { 631: "somebody rings, and rings again", 632: "a keyframe is lost while the wire crackles" },
  peers: {
    // It has no header extensions, cannot send anything again, and asks for keyframes in the old way (FIR).
    gate: {
      persona: "thin",
      joinsLater: true,
      sends: { camera: "h264", microphone: true },
      receives: { audio: 1, video: 1 },
    },
    ana: { sends: { camera: "h264" }, receives: { audio: 2, video: 2 } },
    bob: { sends: { microphone: true }, receives: { audio: 2, video: 2 } },
  },
  timeline: [
    at(seconds(2), "somebody rings", join("gate")),
    at(seconds(4), "the wire crackles", link("gate", { loss: percent(3) })),
    at(seconds(6), "and no more", link("gate", { loss: 0 })),
    at(seconds(7), "the gate is opened", leave("gate")),
    at(seconds(8), "somebody rings again", join("gate")),
  ],
  runFor: seconds(13),
  steady: { from: seconds(10), among: ["gate", "ana", "bob"] },
  always: [
    freezes("bob", "ana/camera").shorterThan(ms(300)),
    // What is lost on its way to us is lost: only a keyframe helps, and that may be lost as well.
    freezes("bob", "gate/camera").shorterThan(seconds(3)),
  ],
  finally: [
    plays("ana", "gate/camera"),
    plays("bob", "gate/microphone"),
    plays("gate", "ana/camera"),
    plays("gate", "bob/microphone"),
  ],
});
