/**
 * "The server must have had hiccups, twice the picture stood still for a blink, but nobody was thrown out."
 */
import { at, buggify, freezes, ms, pause, percent, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a server that stutters",
  story: "The server must have had hiccups, twice the picture stood still for a blink, but nobody was thrown out.",
  seeds: { 1: "the first that was tried", 2: "another order of the mail" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true } },
    bob: { sends: { microphone: true }, receives: ["ana/camera", "ana/microphone"], link: { delay: ms(25) } },
  },
  timeline: [
    at(seconds(2), "a pause of the garbage collector", pause(ms(200))),
    at(
      seconds(3),
      "the sockets are full again and again",
      buggify(["host/send-refused", "host/receive-dropped"], percent(8)),
    ),
    at(seconds(6), "and drain", buggify(["host/send-refused", "host/receive-dropped"], 0)),
    at(seconds(7), "another pause", pause(ms(120))),
  ],
  runFor: seconds(10),
  steady: { from: seconds(8.5), among: ["ana", "bob"] },
  always: [freezes("bob", "ana/camera").shorterThan(seconds(2))],
  finally: [plays("bob", "ana/camera"), plays("bob", "ana/microphone")],
});
