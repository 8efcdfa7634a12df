import { describe, expect, it } from "vitest";
import { opusPacket } from "../../support/media.ts";
import { offerOf } from "../../support/offers.ts";
import { createShardWorld, join, passMillis, sendRtp } from "../../support/shard-world.ts";

describe("audio slots", () => {
  it("carry the loudest when there are more voices than slots, and who is heard keeps his slot", () => {
    const world = createShardWorld();
    const voices = [0, 1, 2, 3].map((i) =>
      join(world, { name: `voice ${i}`, offer: offerOf([{ kind: "audio", ssrc: 1000 + i }]) }),
    );
    const bob = join(world, { name: "bob", offer: offerOf([{ kind: "audio" }, { kind: "audio" }]) });
    const speak = (levels: readonly number[], rounds: number, from: number) => {
      for (let i = 0; i < rounds; i++) {
        for (const [index, voice] of voices.entries()) {
          sendRtp(world, voice, opusPacket({ ssrc: 1000 + index, sequence: from + i, level: levels[index]! }));
        }
        passMillis(world, 20);
      }
    };
    const heard = () => {
      const event = world.events.findLast((each) => each.type === "bindings" && each.participant === bob.participant);
      return event?.type === "bindings" ? event.slots.map((slot) => slot.participant) : [];
    };
    expect(heard()).toEqual([voices[0]!.participant, voices[1]!.participant]);
    speak([20, 120, 120, 15], 100, 0);
    expect(heard()).toEqual([voices[0]!.participant, voices[3]!.participant]);
    speak([20, 120, 120, 15], 100, 100);
    expect(heard()).toEqual([voices[0]!.participant, voices[3]!.participant]);
  });
});
