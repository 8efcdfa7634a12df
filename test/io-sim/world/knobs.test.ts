/** Whether a call keeps its promises whatever the server's knobs are turned to, and a run is what its knobs make of it. */
import { describe, expect, it } from "vitest";
import { type Knobs, TUNABLE_NAMES, TUNABLES, type TunableName, tunablesTrouble } from "../../../core/index.ts";
import { createChecksumCrypto, createNodeCrypto } from "../../../io-crypto/index.ts";
import { at, cut, heal, link, ms, mute, percent, plays, seconds, unmute } from "../../../io-sim/index.ts";
import { replayJournal } from "../../../io-sim/journal/journal.ts";
import type { Plan } from "../../../io-sim/story/plan.ts";
import { drawKnobs, longerThanUsual } from "../../../io-sim/world/knobs.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

/** A call with something of what each tunable is for: loss, a cut, a pause, more voices than places, a second shard. */
function busyCall(knobs: Knobs, change: Partial<Plan> = {}): Plan {
  const lossy = { loss: percent(3), delay: ms(20) };
  const story = smallStory({
    knobs,
    shards: { count: 2, delay: ms(1), loss: percent(2) },
    peers: {
      ana: { sends: { camera: "vp8-simulcast", microphone: 20 }, receives: { audio: 1, video: 2 }, link: lossy },
      bob: { sends: { camera: "vp8", microphone: 40 }, receives: { audio: 1, video: 1 } },
      eve: { sends: { microphone: 60 }, receives: { audio: 1, video: 2 }, link: lossy },
    },
    timeline: [
      at(seconds(1), "covered", mute("bob", "camera")),
      at(seconds(1), "a tunnel", cut("eve")),
      at(seconds(2), "out again", heal("eve")),
      at(seconds(2.5), "a better line", link("ana", { loss: 0 })),
      at(seconds(3), "uncovered", unmute("bob", "camera")),
    ],
    runFor: seconds(6),
    finally: [plays("eve", "ana/camera"), plays("ana", "bob/camera")],
  });
  return { ...story, ...change };
}

const allAt = (end: "least" | "greatest"): Knobs =>
  Object.fromEntries(TUNABLE_NAMES.map((name) => [name, TUNABLES[name][end]]));

/** Every tunable somewhere else than usual, and at neither end. */
const ALL_ODD: Knobs = Object.fromEntries(
  TUNABLE_NAMES.map((name) => {
    const { least, greatest, isPowerOfTwo } = TUNABLES[name];
    return [name, isPowerOfTwo ? 2 * least : least + Math.floor((greatest - least) / 7)];
  }),
);

/** Tunables that have to do with each other. */
const GROUPS: readonly (readonly TunableName[])[] = [
  ["consentMicros", "connectMicros", "iceSilentMicros", "iceFlowsPerPeerMax"],
  ["dtlsRetransmitFirstMicros", "dtlsRetransmitLastMicros", "dtlsRepeatMicros", "rttUnknownMicros"],
  ["packetCachePackets", "packetCacheAgeMicros", "retransmitsPerSecondMax", "retransmitBurstPackets"],
  ["nackMissingMax", "nackTriesMax", "nackReorderMicros", "nackReorderPackets", "nackRepeatMicros"],
  [
    "nackSharePercent",
    "nackSavedMax",
    "keyframeRequestMicros",
    "keyframeRequestLastMicros",
    "keyframeAgainLastMicros",
    "catchUpPacketsMax",
  ],
  ["layerSilentMicros", "publicationSilentMicros", "slotYieldMicros", "mediaTickMicros", "mediaIdleMicros"],
  ["transportFeedbackMicros", "transportFeedbacksPerTurnMax", "reportMicros", "loudnessMicros"],
  ["relayHistoryPackets", "relayRepairsMax", "offeringsPerMessageMax", "lettersPerRecordMax", "loudestPublicationsMax"],
];

describe("a call", () => {
  it.each<[string, Knobs]>([
    ["least", allAt("least")],
    ["greatest", allAt("greatest")],
    ["odd", ALL_ODD],
  ])("keeps its promises with every knob at its %s value", (_name, knobs) => {
    expect(run(busyCall(knobs), 1).broken?.detail).toBeUndefined();
  });

  it.each(GROUPS.flatMap((names) => [["least", names] as const, ["greatest", names] as const]))(
    "keeps its promises with the %s of %j",
    (end, names) => {
      const knobs = Object.fromEntries(names.map((name) => [name, TUNABLES[name][end]]));
      expect(run(busyCall(knobs, { runForMicros: seconds(4), finally: [] }), 1).broken?.detail).toBeUndefined();
    },
  );

  it("was tried with each of them", () => {
    expect(GROUPS.flat().sort(byText)).toEqual([...TUNABLE_NAMES].sort(byText));
  });
});

const byText = (a: string, b: string) => (a < b ? -1 : 1);

describe("a knob", () => {
  it("makes another run, and the same one each time", () => {
    const plain = run(smallStory(), 1);
    const tuned = run(smallStory({ knobs: { reportMicros: ms(250) } }), 1);
    expect(tuned.effectFingerprint).not.toBe(plain.effectFingerprint);
    expect(run(smallStory({ knobs: { reportMicros: ms(250) } }), 1).fingerprint).toBe(tuned.fingerprint);
    expect(run(smallStory({ knobs: { reportMicros: TUNABLES.reportMicros.usual } }), 1).fingerprint).toBe(
      plain.fingerprint,
    );
  });

  it("is in the journal, with those that are as usual, and its replay has the same effects", () => {
    const { journal } = run(smallStory({ knobs: { reportMicros: ms(250) }, runFor: seconds(2) }), 1, { journal: true });
    const { tunables } = JSON.parse(journal!.split("\n")[0]!).config;
    expect(tunables).toMatchObject({ reportMicros: ms(250), consentMicros: TUNABLES.consentMicros.usual });
    expect(Object.keys(tunables)).toEqual(TUNABLE_NAMES);
    const createCrypto = () => createChecksumCrypto(createNodeCrypto());
    expect(replayJournal(journal!, createCrypto).same).toBe(true);
    const otherwise = journal!.replace(`"reportMicros":${ms(250)}`, `"reportMicros":${ms(251)}`);
    expect(replayJournal(otherwise, createCrypto).same).toBe(false);
  });

  it("that is turned too far is refused with a sentence", () => {
    expect(() => smallStory({ knobs: { nackTriesMax: 0 } })).toThrow(
      /"a small story" turns a knob wrongly\. The tunable nackTriesMax is a whole number from 1 to 20/,
    );
  });

  it("is what oracles go by: nobody is owed a slot sooner than the server gives it up", () => {
    const story = smallStory({
      knobs: { slotYieldMicros: seconds(10) },
      peers: {
        ana: { sends: { camera: "vp8" } },
        bob: { sends: { camera: "vp8" } },
        eve: { receives: { video: 1 } },
      },
      timeline: [at(ms(200), "covered", mute("ana", "camera")), at(ms(200), "covered", mute("bob", "camera"))],
    });
    const [first, second] = story.steps;
    for (const step of [first!, second!]) expect(run({ ...story, steps: [step] }, 1).broken?.detail).toBeUndefined();
  });

  it("gives who waits as much more time as it makes the server wait longer, and never less", () => {
    expect(longerThanUsual({ reportMicros: seconds(3) }, "reportMicros", "slotYieldMicros")).toBe(seconds(2));
    expect(longerThanUsual({ reportMicros: ms(200), slotYieldMicros: seconds(3) }, "reportMicros")).toBe(0);
  });
});

describe("the knobs of a world", () => {
  const drawn = Array.from({ length: 400 }, (_, seed) => drawKnobs(seed));

  it("are turned in half of all worlds, a quarter of them, to every kind of value", () => {
    const some = drawn.filter((knobs) => Object.keys(knobs).length > 0);
    expect(some.length / drawn.length).toBeCloseTo(0.5, 1);
    const turned = some.reduce((sum, knobs) => sum + Object.keys(knobs).length, 0);
    expect(turned / some.length / TUNABLE_NAMES.length).toBeCloseTo(0.25, 1);
    for (const name of TUNABLE_NAMES) {
      const values = new Set(some.flatMap((knobs) => knobs[name] ?? []));
      expect(values.has(TUNABLES[name].least) && values.has(TUNABLES[name].greatest), name).toBe(true);
    }
  });

  it("go together, and are the same each time", () => {
    for (const [seed, knobs] of drawn.entries()) {
      expect(tunablesTrouble(knobs)).toBe("");
      expect(drawKnobs(seed)).toEqual(knobs);
    }
  });
});
