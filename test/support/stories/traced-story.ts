/**
 * A short run with all that exports must show: loss, a mute, a freeze, people who come and go, and a queue.
 */
import type { Plan } from "../../../io-sim/story/plan.ts";
import { at, cut, heal, join, kbps, leave, link, ms, mute, percent, seconds } from "../../../io-sim/story/scenario.ts";
import { createTraceRecorder } from "../../../io-sim/trace/recorder.ts";
import type { Trace } from "../../../io-sim/trace/trace.ts";
import { run, type Verdict } from "../../../io-sim/world/run.ts";
import { smallStory } from "./small-story.ts";

/** The story; its sentence tries to end the script that it will stand in. */
export function tracedStory(): Plan {
  return smallStory({
    name: "a traced story",
    story: "We said </script><b>hello</b> & then goodbye.",
    peers: {
      ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
      bob: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } },
      eve: { receives: { video: 1 }, joinsLater: true },
      next: { room: "next-door", sends: { microphone: true }, receives: { audio: 1, video: 1 } },
    },
    timeline: [
      at(ms(500), "the microphone is muted", mute("ana", "microphone")),
      at(ms(700), "somebody comes late", join("eve")),
      at(ms(1_000), "into the tunnel", cut("bob", "down")),
      at(ms(2_000), "and out", heal("bob")),
      at(ms(2_200), "a narrow link", link("ana", { direction: "down", down: kbps(200), loss: percent(2) })),
      at(ms(3_600), "next door goes home", leave("next")),
    ],
    runFor: seconds(4),
  });
}

/** Runs and traces it. */
export function traceStory(plan: Plan, seed: number, packetsMax?: number): { trace: Trace; verdict: Verdict } {
  const recorder = createTraceRecorder(packetsMax);
  const verdict = run(plan, seed, { onWorld: recorder.onWorld });
  return { trace: recorder.finish(verdict), verdict };
}
