/**
 * "We live on two sides of the world and only talk. One waits a little for the answer, as on the telephone."
 */
import { freezes, ms, plays, scenario, seconds } from "../io-sim/index.ts";

export default scenario({
  name: "across the world",
  story: "We live on two sides of the world and only talk. One waits a little for the answer, as on the telephone.",
  seeds: { 451: "voices alone, a third of a second there and back" },
  peers: {
    north: { sends: { microphone: true }, receives: { audio: 1 }, link: { delay: ms(80), jitter: ms(5) } },
    south: { sends: { microphone: true }, receives: { audio: 1 }, link: { delay: ms(80), jitter: ms(5) } },
  },
  runFor: seconds(12),
  steady: { from: seconds(3), among: ["north", "south"] },
  always: [
    freezes("north", "south/microphone").shorterThan(ms(100)),
    freezes("south", "north/microphone").shorterThan(ms(100)),
  ],
  finally: [plays("north", "south/microphone"), plays("south", "north/microphone")],
});
