/**
 * "Bob's tab crashed and he was back at once, but from then on I heard nothing of Eve, who speaks very low."
 *
 * There were more voices than places, and the tab that had crashed held one of them. It was silent, and Eve's voice counts as
 * silence too; so Bob, who was louder than both, got hers, and a voice that no longer existed kept its own. A voice of which
 * nothing comes, and whose last word has faded away, leaves its place to anybody who is there.
 */
import { at, join, ms, plays, scenario, seconds } from "../../io-sim/index.ts";

export default scenario({
  name: "a low voice",
  story: "Bob's tab crashed and he was back at once, but from then on I heard nothing of Eve, who speaks very low.",
  seeds: { 730014: "the world in which it was found" },
  peers: {
    eve: { sends: { microphone: 84 } },
    bob: { sends: { microphone: 45 } },
    dan: { receives: { audio: 2 } },
  },
  timeline: [
    at(seconds(1), "bob's tab crashes, and he opens the call again", join("bob", { times: 1, every: ms(500) })),
  ],
  runFor: seconds(7),
  finally: [plays("dan", "eve/microphone"), plays("dan", "bob/microphone", seconds(7))],
});
