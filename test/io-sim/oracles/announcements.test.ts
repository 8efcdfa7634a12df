/**
 * Whether the oracle that listens to what the server announces cries out when an announcement says too much, or what is not
 * so: the oracles alone are told something else of a sound run than what the server has said.
 */
import { expect, it } from "vitest";
import type { ShardEvent } from "../../../core/index.ts";
import { at, ms, mute, pause, reconnect, seconds } from "../../../io-sim/index.ts";
import type { Effect } from "../../../io-sim/world/recording-outbox.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

type Bindings = Extract<ShardEvent, { type: "bindings" }>;
type Slot = Bindings["slots"][number];

/** Bob is shown ana and eve, mia one of them: eve, who has come first and covers her camera. */
const STORY = smallStory({
  peers: {
    ana: { sends: { camera: "vp8" } },
    eve: { sends: { camera: "vp8" } },
    bob: { receives: { video: 2 } },
    mia: { receives: { video: 1 } },
  },
  timeline: [at(seconds(0.5), "eve covers her camera", mute("eve", "camera"))],
  runFor: seconds(9),
});

/** What breaks when the oracles are told these events in place of each, and on which grounds. */
function told(change: (event: ShardEvent, now: number) => readonly ShardEvent[]): string {
  const { broken } = run(STORY, 1, {
    withoutDrain: true,
    onWorld: (world) => {
      const changed = (effect: Effect): readonly Effect[] =>
        effect.kind === "event"
          ? change(effect.event, world.loop.now - world.zeroAt).map((event) => ({ ...effect, event }))
          : [effect];
      for (const watcher of world.watchers) {
        const { afterInput } = watcher;
        if (afterInput === undefined) continue;
        watcher.afterInput = (input, effects, node) => afterInput(input, effects.flatMap(changed), node);
      }
    },
  });
  return broken === undefined ? "" : `${broken.promise}: ${broken.detail}`;
}

/** The bindings with other slots, once as many are filled. */
function withSlots(least: number, change: (slots: readonly Slot[]) => readonly Slot[]) {
  return (event: ShardEvent): readonly ShardEvent[] => {
    if (event.type !== "bindings") return [event];
    const isFull = event.slots.filter(({ publication }) => publication !== 0).length >= least;
    return [isFull ? { ...event, slots: [...change(event.slots)] } : event];
  };
}

it("holds for what the server says", () => {
  expect(told((event) => [event])).toBe("");
});

it("lets somebody be said to be paused whose connection is replaced while he is heard", () => {
  const timeline = [
    at(seconds(0.1), "ana makes a new connection", reconnect("ana")),
    at(ms(230), "and another one", reconnect("ana")),
  ];
  const story = smallStory({ peers: { ana: { sends: { microphone: true } } }, timeline, runFor: seconds(1) });
  // In this world somebody looks at the very moment.
  expect(run(story, 700_949).broken).toBeUndefined();
});

it("hears a roster that says what the one before has said", () => {
  expect(told((event) => (event.type === "roster" ? [event, event] : [event]))).toBe(
    "S16: The roster of lounge was announced again unchanged.",
  );
});

it("hears bindings that say what those before have said", () => {
  expect(told((event) => (event.type === "bindings" ? [event, event] : [event]))).toMatch(
    /^S16: \w+ was shown the same again\.$/,
  );
});

it("hears a room close around those who are in it", () => {
  const closing = (event: ShardEvent): readonly ShardEvent[] =>
    event.type === "bindings" ? [event, { type: "room-closed", room: event.room }] : [event];
  expect(told(closing)).toBe("S16: lounge was closed while somebody was in it.");
});

it("sees a slot that shows what is not there", () => {
  const stale = withSlots(1, (slots) => slots.map((slot) => ({ ...slot, publication: 4_711 })));
  expect(told(stale)).toMatch(/^S16: Slot \d of participant \d+ shows 4711, which is not there\.$/);
});

it("sees that somebody is shown something twice", () => {
  const twice = withSlots(2, (slots) => slots.map(({ mid }) => ({ ...slots[0]!, mid })));
  expect(told(twice)).toMatch(/^S16: \w+ is shown something twice\.$/);
});

it("sees that what has paused keeps the slot that others wait for", () => {
  const kept = told((event, now) => (event.type === "bindings" && now > 0 && now < seconds(9) ? [] : [event]));
  expect(kept).toMatch(/^L3: \w+ is shown what has paused for .+; others wait\.$/);
});

it.each([1.34, 1.36, 1.38])(
  "waits for a server that stands still to say that somebody has paused: from %d s on",
  (when) => {
    const story = smallStory({
      peers: {
        ana: { sends: { camera: "vp8", microphone: true } },
        bob: { sends: { microphone: true }, receives: { audio: 1, video: 1 } },
      },
      timeline: [
        at(seconds(0.5), "ana covers her camera", mute("ana", "camera")),
        at(seconds(when), "the server stands still", pause(ms(190))),
      ],
    });
    for (const seed of [1, 2, 3, 4]) expect(run(story, seed).broken).toBeUndefined();
  },
);
