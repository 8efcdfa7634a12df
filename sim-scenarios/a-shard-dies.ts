/**
 * "A few of us dropped out at once. They came back within seconds, and the rest had gone on talking."
 */
import { at, crashShard, freezes, join, kill, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a shard dies",
  story: "A few of us dropped out at once. They came back within seconds, and the rest had gone on talking.",
  seeds: { 1: "the first that was tried" },
  shards: { count: 3, delay: ms(1), batch: ms(1) },
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, shard: 0 },
    bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, shard: 1, joinsLater: true },
    cleo: { receives: { audio: 2, video: 2 }, shard: 0 },
    // Of those who come at the start one is first, and the room lives where he is; it has to outlive bob's shard.
    dan: { receives: { audio: 2, video: 2 }, shard: 2, joinsLater: true },
  },
  timeline: [
    at(seconds(0), "bob comes", join("bob")),
    at(seconds(0), "and dan", join("dan")),
    at(seconds(2), "bob's shard dies", crashShard(1)),
    at(seconds(2.5), "bob gives the dead call up", kill("bob")),
    at(seconds(3), "and joins again", join("bob")),
  ],
  runFor: seconds(7),
  steady: { from: seconds(5), among: ["ana", "bob", "cleo", "dan"] },
  always: [freezes("dan", "ana/camera").shorterThan(seconds(1))],
  finally: [
    plays("cleo", "ana/camera"),
    plays("cleo", "bob/camera"),
    plays("bob", "ana/camera"),
    plays("dan", "bob/camera"),
  ],
});
