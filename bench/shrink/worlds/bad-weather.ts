/**
 * "It was one of those days on which nothing works, for nobody, and the call got through it."
 *
 * Ten people in one room to whom much of what can happen does, at a server that has its own troubles.
 */
import {
  at,
  garbage,
  join,
  kbps,
  kill,
  link,
  misbehave,
  move,
  ms,
  mute,
  pause,
  percent,
  restart,
  scenario,
  seconds,
  swizzle,
  unmute,
} from "../../../io-sim/index.ts";

const SEES = { audio: 3, video: 5 };

export default scenario({
  name: "bad weather",
  story: "It was one of those days on which nothing works, for nobody, and the call got through it.",
  seeds: { 1: "the first that was tried" },
  timersLateBy: ms(7),
  swapsWithin: 100,
  knobs: { reportMicros: ms(370), nackTriesMax: 7 },
  peers: {
    ana: {
      sends: { camera: "vp8-simulcast", microphone: true },
      receives: SEES,
      link: { loss: percent(3), delay: ms(20) },
    },
    bob: {
      sends: { camera: "vp8", microphone: true },
      receives: SEES,
      link: { reorder: { share: percent(12), by: ms(17) } },
    },
    cleo: {
      sends: { camera: "vp9", microphone: 40 },
      receives: SEES,
      link: { duplicate: { share: percent(9), by: ms(31) } },
    },
    dan: { sends: { camera: "vp8" }, receives: SEES, link: { up: kbps(700), jitter: ms(5), delay: ms(41) } },
    eve: {
      sends: { microphone: 22 },
      receives: SEES,
      link: { bursts: { good: ms(1_900), bad: ms(70), loss: percent(60) } },
    },
    finn: { sends: { camera: "vp8-simulcast" }, receives: SEES, nearWrap: true },
    gil: { sends: { camera: "h264", microphone: true }, receives: SEES, persona: "thin" },
    hana: { sends: { camera: "vp8", microphone: true }, receives: SEES, joinsLater: true },
    ivo: { receives: SEES, link: { delay: ms(90), loss: percent(1) } },
    jo: { sends: { microphone: true }, receives: SEES },
  },
  timeline: [
    at(seconds(2.1), "strangers throw rubbish", garbage({ perSecond: 150, duration: seconds(12) })),
    at(seconds(4.6), "hana comes", join("hana")),
    at(
      seconds(6.2),
      "jo's telephone sends nothing but padding for a while",
      misbehave("jo", "padding-only", seconds(2)),
    ),
    at(seconds(8.3), "ana's router gives her another address", move("ana")),
    at(seconds(9.7), "finn covers the camera", mute("finn", "camera")),
    at(seconds(11.4), "the server stands still", pause(ms(180))),
    at(seconds(13.5), "the wireless of some comes and goes", swizzle(["bob", "cleo", "dan", "ivo"], seconds(3))),
    at(seconds(15.2), "finn is seen again", unmute("finn", "camera")),
    at(seconds(17.9), "the server is cut and goes on", restart()),
    at(
      seconds(19.1),
      "dan's line is as bad as it gets",
      link("dan", { loss: percent(9), reorder: { share: percent(20), by: ms(40) } }),
    ),
    at(seconds(21.8), "gil's battery is empty", kill("gil")),
    at(seconds(24.3), "jo comes back again and again", join("jo", { times: 3, every: ms(650) })),
    at(seconds(26.6), "finn asks for pictures that are there", misbehave("finn", "pli-storm", seconds(2))),
  ],
  runFor: seconds(36),
});
