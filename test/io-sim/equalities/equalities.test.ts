/**
 * Nothing of what may make no difference makes one: each equality holds for a calm call, for one on bad links, and for one
 * whose server stutters, so that much is simultaneous. And each would be seen to fail.
 */
import { describe, expect, it } from "vitest";
import { EQUALITIES, type Equality, type Variant } from "../../../io-sim/equalities/equalities.ts";
import {
  type Comparison,
  differenceOf,
  examine,
  firstRequestApart,
  type PerceivedRun,
  perceivedRun,
} from "../../../io-sim/equalities/examine.ts";
import { at, join, kbps, kill, leave, move, ms, mute, pause, percent, seconds, unmute } from "../../../io-sim/index.ts";
import type { Plan } from "../../../io-sim/story/plan.ts";
import { type Scenario, scenario } from "../../../io-sim/story/scenario.ts";

function story(name: string, parts: Omit<Partial<Scenario>, "name">): Plan {
  return scenario({ name, story: "-", seeds: { 1: "-" }, peers: {}, runFor: seconds(1), ...parts });
}

const CALM = story("a calm call", {
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { sends: { camera: "vp9", microphone: 20 }, receives: { audio: 2, video: 1 }, link: { delay: ms(40) } },
    cleo: { sends: { camera: "h264" }, receives: { audio: 2, video: 2 } },
  },
  timeline: [
    at(ms(200), "bob covers his camera", mute("bob", "camera")),
    at(ms(300), "cleo leaves", leave("cleo")),
    at(ms(600), "and comes back", join("cleo")),
    at(ms(700), "bob is seen again", unmute("bob", "camera")),
  ],
});

const ROUGH = story("bad links", {
  cipher: "real",
  peers: {
    ana: {
      persona: "chromium",
      sends: { camera: "vp8-simulcast", microphone: true },
      receives: { audio: 1, video: 1 },
      link: { loss: percent(2), jitter: ms(5) },
    },
    bob: {
      sends: { camera: "vp8", microphone: 20 },
      receives: { audio: 1, video: 1 },
      link: { delay: ms(40), bursts: { good: ms(500), bad: ms(40), loss: percent(50) }, down: kbps(600) },
    },
  },
});

const STUTTERING = story("a server that stutters", {
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true }, receives: { audio: 2, video: 2 } },
    bob: { sends: { camera: "vp8", microphone: 20 }, receives: { audio: 2, video: 2 } },
    cleo: { sends: { camera: "h264", microphone: 60 }, receives: { audio: 2, video: 2 } },
  },
  timeline: Array.from({ length: 6 }, (_, index) => at(ms(100 + 150 * index), "a pause", pause(ms(8 + index)))),
});

const STILL = story("a call in which nothing happens", {
  peers: {
    ana: { sends: { camera: "vp8-simulcast", microphone: true } },
    bob: { receives: { audio: 1, video: 1 } },
  },
  runFor: seconds(2.5),
});

const NARROW = story("a narrow line to somebody who is asked for keyframes from another shard", {
  peers: {
    ana: { sends: { camera: "vp8" }, receives: { audio: 1 }, link: { down: kbps(400) } },
    bob: { sends: { microphone: true }, receives: { video: 1 } },
    cleo: { receives: { video: 1 } },
    dan: { receives: { video: 1 }, joinsLater: true },
  },
  timeline: [at(ms(200), "dan comes", join("dan"))],
});

const PAIR = {
  ana: { sends: { microphone: true } },
  bob: { receives: { audio: 1 } },
} as const;

/** What comes over different ways changes places already. */
const SWAPPING = {
  ...STILL,
  name: "a call in which things change places",
  runForMicros: 1_200_000,
  swapsWithinMicros: 100,
};

const STORIES = [SWAPPING, CALM, ROUGH, STUTTERING, STILL];
const CLAIMS = EQUALITIES.map((equality) => ({ equality, claim: equality.name }));
const CASES = EQUALITIES.flatMap((equality) =>
  STORIES.filter((plan) => equality.excuse(plan) === "").map((plan) => ({
    equality,
    plan,
    claim: equality.name,
    where: plan.name,
  })),
);

/** Whether anything was put to the test, by equality: for those that hold to the bit, that they were asked at all. */
const asked = new Map<string, boolean>();

/** The first variant of an equality, in which ana falls silent besides. */
function spoiled(equality: Equality): Equality {
  const silence = at(ms(100), "ana mutes", mute("ana", "microphone"));
  const spoil = (base: Plan, { plan = base, ...variant }: Variant): Variant => {
    return { ...variant, plan: { ...plan, steps: [silence, ...plan.steps] } };
  };
  return {
    ...equality,
    variants: (base) =>
      equality
        .variants(base)
        .slice(0, 1)
        .map((variant) => spoil(base, variant)),
  };
}

describe("no difference", () => {
  it.each(CASES)("is made by this in $where: $claim", ({ equality, plan }) => {
    const comparisons = examine(equality, plan, 1);
    expect(comparisons.map(({ variant, difference }) => `${variant}: ${difference}`)).toEqual(
      comparisons.map(({ variant }) => `${variant}: `),
    );
    // These are compared from the beginning to the end.
    expect(comparisons.filter(({ endsEarly }) => endsEarly)).toEqual([]);
    const differs = equality.likeness === "bits" || comparisons.some(({ inputsDiffer }) => inputsDiffer);
    asked.set(equality.name, differs || asked.get(equality.name) === true);
  });

  it("is made by what comes behind a wish for a keyframe, in the same batch or after it", () => {
    const equality = EQUALITIES.find(({ name }) => name === "batches or single records")!;
    expect(examine(equality, NARROW, 1)).toMatchObject([{ difference: "", inputsDiffer: true }]);
  });

  it("is a claim that was put to the test for each equality", () => {
    expect([...asked].filter(([, differs]) => differs).map(([name]) => name)).toEqual(
      EQUALITIES.map(({ name }) => name),
    );
  });
});

describe("a difference", () => {
  it.each(CLAIMS)("would be seen in this: $claim", ({ equality }) => {
    const [{ difference }] = examine(spoiled(equality), STILL, 1) as [Comparison];
    const silence =
      /^bob < ana\/microphone: number \d+ of \d+ and \d+ is "0: layer 0, frame \d+, key" after \d+ µs, and nothing\.$/;
    // A batch leaves a while after its first record, so without the voice the pictures have other moments too.
    const place = equality.name === "batches or single records" ? /^bob < ana\/camera: number \d+ of / : silence;
    expect(difference).toMatch(equality.likeness === "bits" ? /^The fingerprints are/ : place);
  });

  it("would be seen where a rate makes times of bytes, if these did not weigh alike", () => {
    const { guise: _, ...bare } = EQUALITIES.find(({ name }) => name === "IPv4 or IPv6")!;
    expect(examine(bare, ROUGH, 1).map(({ difference }) => difference)).not.toContain("");
  });

  it("is one in what slots are said to show, and in time when time counts", () => {
    const run = perceivedRun(CALM, 1);
    const { streams, bindings } = run.perception;
    const changed = (change: Partial<PerceivedRun["perception"]>) => ({
      ...run,
      perception: { ...run.perception, ...change },
    });
    const later = new Map([...streams].map(([key, list]) => [key, list.map((each) => ({ ...each, atMicros: 0 }))]));
    expect(differenceOf("moments", run, changed({ streams: later }))).not.toBe("");
    expect(differenceOf("order", run, changed({ streams: later }))).toBe("");
    const swapped = new Map([...bindings].map(([key, list]) => [key, [...list].reverse()]));
    expect(differenceOf("moments", run, changed({ bindings: swapped }))).toContain("2: nobody; 3: nobody");
    const fewer = new Map([...streams].slice(1));
    expect(differenceOf("moments", changed({ streams: fewer }), run)).toContain("nothing in the one run");
  });

  it("behind the end of the shorter story, or a keyframe request that left a turn later, is none", () => {
    const run = perceivedRun(STILL, 1);
    const { streams } = run.perception;
    const fewer = new Map([...streams].map(([key, list]) => [key, list.slice(0, -1)]));
    const shorter = { ...run, perception: { ...run.perception, streams: fewer } };
    const last = Math.max(...[...streams.values()].map((list) => list.at(-1)!.atMicros));
    expect(differenceOf("moments", run, shorter, last + 1)).toContain("and nothing");
    const first = Math.min(...[...streams.values()].map((list) => list.at(-1)!.atMicros));
    expect(differenceOf("moments", run, shorter, first)).toBe("");
    const asks = (atMicros: number) => new Map([["ana", [{ atMicros, what: "a request" }]]]);
    const asking = (atMicros: number) => ({ ...run, perception: { ...run.perception, requests: asks(atMicros) } });
    expect(firstRequestApart(asking(1_000), asking(31_000))).toBe(1_000);
    expect(firstRequestApart(asking(1_000), asking(31_001))).toBe(Number.POSITIVE_INFINITY);
    expect(firstRequestApart(asking(1_000), asking(1_000))).toBe(Number.POSITIVE_INFINITY);
  });

  it("is one in the promises that hold", () => {
    const run = perceivedRun(STILL, 1);
    const told = differenceOf("bits", run, { ...run, broken: "S1: A stranger was heard." });
    expect(told).toBe("The one run holds, the other breaks S1: A stranger was heard.");
  });
});

describe("an equality", () => {
  it("has an excuse where chance or time decides, in words", () => {
    const excuses = EQUALITIES.map((equality) => equality.excuse(ROUGH)).filter((excuse) => excuse !== "");
    expect(new Set(excuses)).toEqual(new Set(["its links are not perfect"]));
  });

  it.each<[string, string, Partial<Scenario>, RegExp]>([
    [
      "one shard or many",
      "two leave at one moment",
      { timeline: [at(ms(300), "ana leaves", leave("ana")), at(ms(300), "bob too", leave("bob"))] },
      /the very same moment/,
    ],
    [
      "one shard or many",
      "somebody's tab of before is still there",
      { timeline: [at(ms(300), "ana vanishes", kill("ana")), at(ms(600), "and is back", join("ana"))] },
      /the loudest alone/,
    ],
    ["one shard or many", "timers are late", { timersLateBy: ms(5) }, /how late a timer is/],
    [
      "one shard or many",
      "two go through one queue",
      { peers: { ...PAIR, bob: { ...PAIR.bob, link: { down: kbps(900), shared: "cafe" } } } },
      /share a bottleneck/,
    ],
    [
      "UDP or a lossless tunnel in TCP",
      "packets come twice already",
      { peers: { ...PAIR, bob: { ...PAIR.bob, link: { duplicate: { share: percent(50), by: ms(5) } } } } },
      /not perfect/,
    ],
    [
      "every packet repeated later on a perfect link",
      "an address changes",
      { timeline: [at(ms(300), "ana's box forgets her", move("ana"))] },
      /too early from a new address/,
    ],
  ])("says nothing of this: %s, where %s", (name, _, parts, excuse) => {
    const equality = EQUALITIES.find((each) => each.name === name)!;
    expect(equality.excuse(story("a pair", { peers: PAIR }))).toBe("");
    expect(equality.excuse(story("a pair", { peers: PAIR, ...parts }))).toMatch(excuse);
  });
});
