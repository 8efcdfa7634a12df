/**
 * "Everybody was in the meeting, from wherever they were, for most of a minute, and it was a call like any other."
 *
 * Ten people on the networks that people have. They are quiet and speak, come and go, and two of them are on the move; from
 * the fortieth second on everybody has come to rest.
 */
import {
  at,
  freezes,
  join,
  leave,
  move,
  mute,
  pause,
  plays,
  profile,
  reconnect,
  scenario,
  seconds,
  unmute,
} from "../../../io-sim/index.ts";

const EVERYONE = { audio: 4, video: 9 };

export default scenario({
  name: "all hands",
  story:
    "Everybody was in the meeting, from wherever they were, for most of a minute, and it was a call like any other.",
  seeds: { 1: "the first that was tried" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: 20 }, receives: EVERYONE, link: profile("fiber") },
    bob: { sends: { camera: "vp8", microphone: true }, receives: EVERYONE, link: profile("wifi-good") },
    cleo: { sends: { camera: "vp8-simulcast", microphone: true }, receives: EVERYONE, link: profile("cable-bloat") },
    dan: { sends: { camera: "h264", microphone: 45 }, receives: EVERYONE, link: profile("dsl") },
    eve: { sends: { microphone: 35 }, receives: EVERYONE, link: profile("lte"), persona: "chromium" },
    finn: { sends: { camera: "vp9", microphone: true }, receives: EVERYONE, link: profile("5g"), persona: "chromium" },
    gil: { sends: { microphone: 60 }, receives: EVERYONE, link: profile("wifi-good"), joinsLater: true },
    hana: { sends: { camera: "vp8", microphone: 25 }, receives: EVERYONE, link: profile("fiber"), nearWrap: true },
    ivo: { receives: { audio: 4, video: 4 }, link: profile("leo") },
    jo: {
      sends: { camera: "vp8", microphone: true },
      receives: EVERYONE,
      link: profile("cable-bloat"),
      joinsLater: true,
    },
  },
  timeline: [
    at(seconds(3.2), "jo comes late", join("jo")),
    at(seconds(5.7), "ana covers her camera", mute("ana", "camera")),
    at(seconds(8.4), "gil comes later still", join("gil")),
    at(seconds(11.3), "and ana is seen again", unmute("ana", "camera")),
    at(seconds(14.1), "bob is quiet", mute("bob", "microphone")),
    at(seconds(17.8), "finn leaves the house", move("finn", "network")),
    at(seconds(19.9), "bob speaks again", unmute("bob", "microphone")),
    at(seconds(22.6), "eve's telephone rings", pause(seconds(1.3), "eve")),
    at(seconds(25.5), "cleo's page loses its connection and makes another one", reconnect("cleo")),
    at(seconds(29.3), "dan has another meeting", leave("dan")),
    at(seconds(31.7), "hana covers her camera", mute("hana", "camera")),
    at(seconds(34.2), "dan is back", join("dan")),
    at(seconds(36.9), "jo has to go", leave("jo")),
  ],
  runFor: seconds(50),
  steady: { from: seconds(44), among: ["ana", "bob", "cleo", "finn"] },
  always: [freezes("ana", "bob/camera").shorterThan(seconds(2)), freezes("bob", "cleo/camera").shorterThan(seconds(8))],
  finally: [
    plays("ana", "bob/camera"),
    plays("bob", "ana/camera"),
    plays("cleo", "finn/camera"),
    plays("bob", "cleo/microphone"),
  ],
});
