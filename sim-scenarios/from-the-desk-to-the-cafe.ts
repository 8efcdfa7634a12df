/**
 * "I closed the laptop at my desk, opened it again in the café, and was still in the call. Nobody had seen me leave."
 *
 * The network at the desk is gone for good, so no check finds the way any more. The page makes a new connection from where it
 * is, in place of the old one: the others see a picture that stands still for a while, and never an empty chair.
 */
import { at, cut, freezes, heal, move, plays, reconnect, scenario, seconds, stays } from "../io-sim/index.ts";

export default scenario({
  name: "from the desk to the cafe",
  story:
    "I closed the laptop at my desk, opened it again in the café, and was still in the call. Nobody had seen me leave.",
  seeds: { 511: "at the desk, on the way, and in the café", 512: "another phase of the keyframes" },
  peers: {
    laptop: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { receives: { audio: 2, video: 2 } },
  },
  timeline: [
    at(seconds(3), "the lid is closed at the desk", cut("laptop")),
    at(seconds(9), "the laptop has another network in the café", move("laptop", "network")),
    at(seconds(9.1), "which works", heal("laptop")),
    at(seconds(9.2), "and its page makes a new connection", reconnect("laptop")),
  ],
  runFor: seconds(16),
  steady: { from: seconds(13), among: ["laptop", "ana", "bob"] },
  always: [
    freezes("ana", "laptop/camera").shorterThan(seconds(7)),
    freezes("bob", "laptop/microphone").shorterThan(seconds(7)),
    freezes("bob", "ana/camera").shorterThan(seconds(1)),
  ],
  finally: [
    stays("laptop"),
    plays("laptop", "ana/camera"),
    plays("laptop", "ana/microphone"),
    plays("ana", "laptop/camera"),
    plays("bob", "laptop/camera"),
  ],
});
