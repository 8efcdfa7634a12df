/**
 * A story that promises what can't be: that somebody is seen whose camera is covered from the start.
 */
import { at, mute, plays, seconds } from "../../../io-sim/index.ts";
import { smallStory } from "./small-story.ts";

export default smallStory({
  name: "a broken story",
  timeline: [at(seconds(1), "the camera is covered", mute("ana", "camera"))],
  finally: [plays("bob", "ana/camera")],
});
