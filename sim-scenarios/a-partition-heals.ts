/**
 * "The network was gone for a while, one way and then both; each time the call came back by itself."
 */
import { at, cut, freezes, heal, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a partition heals",
  story: "The network was gone for a while, one way and then both; each time the call came back by itself.",
  seeds: { 41: "all three cuts", 42: "another phase of everything" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 } },
    eve: { sends: { microphone: true }, receives: { audio: 2, video: 2 } },
  },
  timeline: [
    at(seconds(4), "bob hears nothing any more", cut("bob", "down")),
    at(seconds(7), "and hears again", heal("bob")),
    at(seconds(10), "bob is not heard any more", cut("bob", "up")),
    at(seconds(13), "and is heard again", heal("bob")),
    at(seconds(16), "bob is gone", cut("bob")),
    at(seconds(21), "and back", heal("bob")),
  ],
  runFor: seconds(30),
  steady: { from: seconds(25), among: ["ana", "bob", "eve"] },
  always: [
    // Five seconds of silence, and what it takes to get going again.
    freezes("bob", "ana/camera").shorterThan(ms(6_500)),
    freezes("ana", "bob/camera").shorterThan(ms(6_500)),
    freezes("eve", "ana/camera").shorterThan(ms(300)),
  ],
  finally: [plays("bob", "ana/camera"), plays("ana", "bob/camera"), plays("eve", "bob/microphone")],
});
