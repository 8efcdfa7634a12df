/**
 * Records test/fixtures/journals/a-short-call.journal anew: a call of half a second between ana, who sends, and bob. That
 * is needed when the core has come to say something else in handshakes, so that the recorded clients understand it no more.
 *
 *     npx tsx test/support/stories/record-journal.ts
 */
import { writeFileSync } from "node:fs";
import { ms } from "../../../io-sim/story/units.ts";
import { run } from "../../../io-sim/world/run.ts";
import { thisProgram } from "../../../program.ts";
import { smallStory } from "./small-story.ts";

const plan = smallStory({
  cipher: "real",
  peers: {
    ana: { sends: { camera: "vp8", microphone: true } },
    bob: { receives: { audio: 1, video: 1 } },
  },
  runFor: ms(500),
});
const { journal } = run(plan, 1, { journal: true, program: thisProgram() });
writeFileSync(new URL("../../fixtures/journals/a-short-call.journal", import.meta.url), journal!);
