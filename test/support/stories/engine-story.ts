/**
 * A short story with much of what an engine could do otherwise: real ciphers, two shards, loss that is repaired, a restart
 * from a snapshot, somebody who comes back, and faults in many places.
 */
import { CORE_SITES } from "../../../core/index.ts";
import { at, buggify, join, kill, link, ms, percent, restart, scenario, seconds } from "../../../io-sim/index.ts";

export default scenario({
  name: "a story for engines",
  story: "It sounded the same on every computer.",
  seeds: { 1: "the only one" },
  cipher: "real",
  shards: { count: 2, delay: ms(1), jitter: ms(1), loss: percent(2) },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 1, video: 1 } },
    bob: {
      sends: { camera: "h264", microphone: 50 },
      receives: { audio: 2, video: 2 },
      persona: "chromium",
      link: { loss: percent(2), jitter: ms(5), duplicate: { share: percent(1), by: ms(30) } },
    },
  },
  timeline: [
    at(ms(300), "the server goes on from a snapshot", restart()),
    at(ms(500), "here and there something fails", buggify(Object.keys(CORE_SITES), percent(1))),
    at(ms(900), "the link narrows", link("bob", { down: 400_000 })),
    at(ms(1_000), "ana's tab dies", kill("ana")),
    at(ms(1_400), "and she comes back", join("ana")),
  ],
  runFor: seconds(2),
});
