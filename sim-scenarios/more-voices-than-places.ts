/**
 * "There were six of us and all had something to say. Whoever was loudest was heard, whoever it was."
 */
import { at, freezes, ms, mute, plays, scenario, seconds } from "../io-sim/index.ts";

const listens = { receives: { audio: 2 } };

export default scenario({
  name: "more voices than places",
  story: "There were six of us and all had something to say. Whoever was loudest was heard, whoever it was.",
  seeds: { 421: "another one is loudest in the middle" },
  peers: {
    loud: { sends: { microphone: 15 }, ...listens },
    softer: { sends: { microphone: 35 }, ...listens },
    quiet: { sends: { microphone: 50 }, ...listens },
    quieter: { sends: { microphone: 60 }, ...listens },
    barely: { sends: { microphone: 70 }, ...listens },
    listener: listens,
  },
  timeline: [at(seconds(4), "the loudest falls silent", mute("loud", "microphone"))],
  runFor: seconds(9),
  always: [freezes("listener", "softer/microphone").shorterThan(ms(500))],
  finally: [plays("listener", "softer/microphone"), plays("loud", "quiet/microphone", seconds(9))],
});
