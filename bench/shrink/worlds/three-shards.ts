/**
 * "Two courses met on a server of three parts, people came and went between them, and nobody knew of its parts."
 *
 * Ten people in two rooms over three shards that lose some of what they send each other, for a minute; all that matters
 * happens late.
 */
import {
  at,
  crashShard,
  cut,
  heal,
  join,
  kbps,
  kill,
  leave,
  link,
  ms,
  percent,
  plays,
  scenario,
  seconds,
  signalling,
} from "../../../io-sim/index.ts";

const SEES = { audio: 3, video: 6 };

export default scenario({
  name: "three shards",
  story: "Two courses met on a server of three parts, people came and went between them, and nobody knew of its parts.",
  seeds: { 1: "the first that was tried" },
  shards: { count: 3, delay: ms(1), jitter: ms(2), batch: ms(1), loss: percent(1) },
  swapsWithin: 100,
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: SEES, shard: 0 },
    bob: {
      sends: { camera: "vp8", microphone: true },
      receives: SEES,
      shard: 1,
      link: { delay: ms(23), jitter: ms(4) },
    },
    cleo: { sends: { camera: "vp8", microphone: 40 }, receives: SEES, shard: 2, link: { loss: percent(2) } },
    dan: { sends: { camera: "vp9" }, receives: SEES, shard: 0, joinsLater: true },
    eve: { receives: SEES, shard: 1, link: { delay: ms(60) } },
    finn: { room: "cellar", sends: { camera: "vp8-simulcast", microphone: true }, receives: SEES, shard: 1 },
    gil: {
      room: "cellar",
      sends: { camera: "h264", microphone: 33 },
      receives: SEES,
      shard: 2,
      link: { down: kbps(2_000) },
    },
    hana: {
      room: "cellar",
      sends: { microphone: true },
      receives: SEES,
      shard: 0,
      link: { loss: percent(1), delay: ms(35) },
    },
    ivo: { room: "cellar", receives: SEES, shard: 2, joinsLater: true },
    jo: { room: "cellar", sends: { camera: "vp8", microphone: true }, receives: SEES, shard: 0, joinsLater: true },
  },
  timeline: [
    at(seconds(6.3), "dan comes", join("dan")),
    at(seconds(13.1), "gil's line narrows", link("gil", { down: kbps(900) })),
    at(seconds(18.4), "ivo comes", join("ivo")),
    at(seconds(23.8), "and widens again", link("gil", { down: kbps(4_000) })),
    at(seconds(27.2), "requests of jo's get lost", signalling("jo", { lost: percent(30), late: ms(300) })),
    at(seconds(29.9), "jo comes", join("jo")),
    at(seconds(33.3), "cleo's train goes into a tunnel", cut("cleo", "down")),
    at(seconds(34.1), "eve leaves", leave("eve")),
    at(seconds(35.4), "eve comes back", join("eve")),
    at(seconds(36.6), "cleo is out again", heal("cleo")),
    at(seconds(39.5), "bob's laptop dies", kill("bob")),
    at(seconds(42.7), "hana leaves", leave("hana")),
    at(seconds(48.2), "a part of the server dies", crashShard(1)),
  ],
  runFor: seconds(60),
  finally: [plays("cleo", "ana/camera"), plays("jo", "gil/camera"), plays("ana", "cleo/microphone")],
});
