/**
 * "A box in our office holds most of what I send back for seconds, and my browser was told stories of what got lost."
 *
 * What was held back came more than a hundred numbers late, several packets in a row. Receiver reports took them for a new
 * run of numbers and counted anew from them (RFC 3550 A.1). But all of it has authenticated, and SRTP refuses whoever
 * begins anew further back (RFC 3711 §3.3.2): late packets are late, however many there are.
 */
import { at, link, percent, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "a box that holds back",
  story:
    "A box in our office holds most of what I send back for seconds, and my browser was told stories of what got lost.",
  seeds: { 1: "the newest packet was told to be an older one", 5: "seven too many were told to be lost" },
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true } },
    bob: { receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(
      seconds(1),
      "the box wakes up",
      link("ana", { reorder: { share: percent(80), by: seconds(5) }, direction: "up" }),
    ),
  ],
  runFor: seconds(7),
});
