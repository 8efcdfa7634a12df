import { describe, expect, it } from "vitest";
import { LOUDNESS_DECAY_MICROS } from "../../../core/media/loudness.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import {
  createShardWorld,
  join,
  passMillis,
  type ShardWorld,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { opusPacket } from "../../support/wire/media.ts";
import { offerOf } from "../../support/wire/offers.ts";

/** Whose voice stands in each slot of a client, by the last bindings that were told. */
function heardBy(world: ShardWorld, { participant }: TestClient): number[] {
  const event = world.events.findLast((each) => each.type === "bindings" && each.participant === participant);
  return event?.type === "bindings" ? event.slots.map((slot) => slot.participant) : [];
}

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
    const heard = () => heardBy(world, bob);
    expect(heard()).toEqual([voices[0]!.participant, voices[1]!.participant]);
    speak([20, 120, 120, 15], 100, 0);
    expect(heard()).toEqual([voices[0]!.participant, voices[3]!.participant]);
    speak([20, 120, 120, 15], 100, 100);
    expect(heard()).toEqual([voices[0]!.participant, voices[3]!.participant]);
  });

  it("carry the loudest to somebody who only listens, though those who speak hear all the others", () => {
    const world = createShardWorld();
    const voices = [0, 1].map((i) =>
      join(world, { name: `voice ${i}`, offer: offerOf([{ kind: "audio", ssrc: 1000 + i }, { kind: "audio" }]) }),
    );
    const listener = join(world, { name: "listener", offer: offerOf([{ kind: "audio" }]) });
    for (let i = 0; i < 100; i++) {
      sendRtp(world, voices[0]!, opusPacket({ ssrc: 1000, sequence: i, level: 120 }));
      sendRtp(world, voices[1]!, opusPacket({ ssrc: 1001, sequence: i, level: 15 }));
      passMillis(world, 20);
    }
    expect(heardBy(world, listener)).toEqual([voices[1]!.participant]);
    expect(heardBy(world, voices[0]!)).toEqual([voices[1]!.participant]);
    expect(heardBy(world, voices[1]!)).toEqual([voices[0]!.participant]);
  });

  it("go from a voice that has stopped to the lowest of those that go on, but not before its last word has faded away", () => {
    const world = createShardWorld();
    const names = ["loud", "low", "gone"];
    const voices = names.map((name, i) => join(world, { name, offer: offerOf([{ kind: "audio", ssrc: 1000 + i }]) }));
    const listener = join(world, { name: "listener", offer: offerOf([{ kind: "audio" }, { kind: "audio" }]) });
    const levels = new Map([
      ["loud", 15],
      ["low", 84],
      ["gone", 20],
    ]);
    let sequence = 0;
    const speak = (millis: number) => {
      for (let passed = 0; passed < millis; passed += 20) {
        for (const [index, { name }] of voices.entries()) {
          const level = levels.get(name);
          if (level !== undefined) sendRtp(world, voices[index]!, opusPacket({ ssrc: 1000 + index, sequence, level }));
        }
        sequence++;
        passMillis(world, 20);
      }
    };
    const [loud, low, gone] = voices.map(({ participant }) => participant) as [number, number, number];
    speak(2_000);
    expect(heardBy(world, listener)).toEqual([loud, gone]);
    levels.delete("gone");
    speak(USUAL_TUNABLES.publicationSilentMicros / 1_000 + 500);
    expect(heardBy(world, listener)).toEqual([loud, gone]);
    speak(LOUDNESS_DECAY_MICROS / 1_000);
    expect(heardBy(world, listener)).toEqual([loud, low]);
    levels.set("gone", 20);
    speak(1_000);
    expect(heardBy(world, listener)).toEqual([loud, gone]);
  });

  it("are compared when it is time, though the room looks in between whose picture stands still", () => {
    const world = createShardWorld();
    for (const ssrc of [1000, 1001]) join(world, { name: `voice ${ssrc}`, offer: offerOf([{ kind: "audio", ssrc }]) });
    join(world, { name: "listener", offer: offerOf([{ kind: "audio" }]) });
    passMillis(world, 70);
    join(world, { name: "covered", offer: offerOf([{ kind: "video", ssrc: 2000 }]) });
    const [room] = [...world.shard.rooms.values()];
    const { nextLookAt } = room!;
    while (world.now + 1_000 < nextLookAt) passMillis(world, 1);
    const { nextRankingAt } = room!;
    expect(nextRankingAt).toBeGreaterThan(nextLookAt);
    passMillis(world, 1);
    expect(room!.nextLookAt).not.toBe(nextLookAt);
    expect(room!.nextRankingAt).toBe(nextRankingAt);
  });
});
