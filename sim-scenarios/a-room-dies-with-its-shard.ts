/**
 * "The call ended for all of us at the same moment, and told us so. We joined again and went on."
 */
import { at, crashShard, departs, join, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a room dies with its shard",
  story: "The call ended for all of us at the same moment, and told us so. We joined again and went on.",
  seeds: { 1: "the first that was tried" },
  shards: { count: 2, delay: ms(1) },
  peers: {
    host: { receives: { audio: 1 }, shard: 0 },
    ana: { sends: { camera: "vp8" }, receives: { video: 1 }, shard: 1, joinsLater: true },
    bob: { sends: { camera: "vp8" }, receives: { video: 1 }, shard: 1, joinsLater: true },
  },
  timeline: [
    at(seconds(0), "ana comes to the room of shard 0", join("ana")),
    at(seconds(0), "and bob", join("bob")),
    at(seconds(2), "which dies", crashShard(0)),
    at(seconds(3), "ana joins again", join("ana")),
    at(seconds(3), "and bob", join("bob")),
  ],
  runFor: seconds(6),
  steady: { from: seconds(4.5), among: ["ana", "bob"] },
  finally: [departs("ana", "shard-lost"), departs("bob", "shard-lost"), plays("bob", "ana/camera")],
});
