/**
 * "We were too many for one machine's core, and nobody noticed where anybody was."
 */
import { at, freezes, join, leave, ms, percent, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a room over three shards",
  story: "We were too many for one machine's core, and nobody noticed where anybody was.",
  seeds: {
    1: "the first that was tried",
    5: "one batch between two shards holds the keyframes of two layers",
  },
  shards: { count: 3, delay: ms(1), jitter: ms(2), batch: ms(1), loss: percent(2) },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 3, video: 3 }, shard: 0 },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 3, video: 3 }, shard: 1 },
    cleo: { receives: { audio: 3, video: 3 }, shard: 2 },
    dan: { sends: { microphone: true }, receives: { audio: 3, video: 3 }, shard: 2, joinsLater: true },
    // Somewhere else, on the same shards: nothing may cross.
    eve: { room: "cellar", sends: { camera: "vp8", microphone: true }, shard: 1 },
    finn: { room: "cellar", receives: { audio: 1, video: 1 }, shard: 2 },
  },
  timeline: [at(seconds(2), "a fourth comes", join("dan")), at(seconds(5), "and ana leaves", leave("ana"))],
  runFor: seconds(8),
  steady: { from: seconds(6), among: ["bob", "cleo", "dan", "eve", "finn"] },
  always: [
    freezes("cleo", "bob/camera").shorterThan(seconds(1)),
    freezes("finn", "eve/camera").shorterThan(seconds(1)),
  ],
  finally: [
    plays("cleo", "bob/camera"),
    plays("cleo", "dan/microphone"),
    plays("dan", "bob/camera"),
    plays("finn", "eve/camera"),
  ],
});
