/**
 * "My tab crashed and I opened the call again. Whoever sees one picture at a time saw me again after a moment."
 *
 * The tab that crashed is in the room until its consent has run out, half a minute, but nothing comes of it any more.
 */
import { at, join, kill, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "the tab that crashed",
  story: "My tab crashed and I opened the call again. Whoever sees one picture at a time saw me again after a moment.",
  seeds: { 1: "a viewer with one slot, and a tab that is dead for the rest of the story" },
  peers: {
    ana: { receives: { audio: 1, video: 1 } },
    bob: { sends: { camera: "vp8", microphone: true } },
  },
  timeline: [at(seconds(3), "bob's tab crashes", kill("bob")), at(seconds(3.5), "and is opened again", join("bob"))],
  runFor: seconds(8),
  finally: [plays("ana", "bob/camera"), plays("ana", "bob/microphone")],
});
