/**
 * "My laptop believes that it is last week, and its clock runs fast. Nobody noticed in the call."
 */
import { at, clock, freezes, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "a clock that is wrong",
  story: "My laptop believes that it is last week, and its clock runs fast. Nobody noticed in the call.",
  seeds: { 351: "set back in the middle" },
  peers: {
    late: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
  },
  timeline: [
    at(seconds(0), "the clock is a week behind and runs fast", clock("late", { by: -seconds(604_800), drift: 300 })),
    at(seconds(5), "and is set right", clock("late", { by: seconds(604_800) })),
  ],
  runFor: seconds(10),
  steady: { from: seconds(7), among: ["late", "ana"] },
  always: [freezes("ana", "late/camera").shorterThan(ms(300)), freezes("late", "ana/microphone").shorterThan(ms(100))],
  finally: [plays("ana", "late/camera"), plays("late", "ana/camera")],
});
