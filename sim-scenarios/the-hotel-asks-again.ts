/**
 * "The hotel's wireless wanted its password again in the middle of the call. I typed it in, and was back in the call without
 * touching that page."
 *
 * A captive portal whose lease has run out lets nothing through any more, neither media nor requests, until somebody logs in
 * on another page. The page of the call asks for a new connection while that is so, to no avail; the server waits for it.
 */
import {
  at,
  cut,
  freezes,
  heal,
  ms,
  percent,
  plays,
  profile,
  scenario,
  seconds,
  signalling,
  stays,
} from "../io-sim/index.ts";

export default scenario({
  name: "the hotel asks again",
  story:
    "The hotel's wireless wanted its password again in the middle of the call. I typed it in, and was back in the call without touching that page.",
  seeds: { 611: "the page asks five times in vain, the last time just before the portal opens" },
  peers: {
    guest: {
      sends: { camera: "vp8", microphone: true },
      receives: { audio: 2, video: 2 },
      link: profile("wifi-busy"),
      rejoinsAfter: seconds(4),
    },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 2, video: 2 }, link: profile("fiber") },
    bob: { sends: { microphone: true }, receives: { audio: 2, video: 2 }, link: profile("cable-bloat") },
  },
  timeline: [
    at(seconds(3), "the portal lets nothing through", cut("guest")),
    at(seconds(3), "no request either", signalling("guest", { lost: percent(100) })),
    at(seconds(15), "the password is typed in", heal("guest")),
    at(seconds(15), "and requests pass again", signalling("guest", { lost: percent(0) })),
  ],
  runFor: seconds(26),
  steady: { from: seconds(22), among: ["guest", "ana", "bob"] },
  // The others notice nothing but a picture that stands still.
  always: [freezes("bob", "ana/microphone").shorterThan(ms(150)), freezes("bob", "ana/camera").shorterThan(ms(500))],
  finally: [
    stays("guest"),
    plays("ana", "guest/camera", seconds(8)),
    plays("bob", "guest/microphone", seconds(8)),
    plays("guest", "ana/camera", seconds(8)),
    plays("guest", "bob/microphone", seconds(8)),
  ],
});
