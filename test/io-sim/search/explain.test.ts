/**
 * Whether an explanation finds the accidents that mattered, the moment from which on they did, and the chain to the breach.
 */
import { describe, expect, it } from "vitest";
import { at, freezes, garbage, ms, mute, percent, plays, seconds } from "../../../io-sim/index.ts";
import { judge, type PromiseBook } from "../../../io-sim/oracles/promises.ts";
import { attempt } from "../../../io-sim/search/attempt.ts";
import { causalChain } from "../../../io-sim/search/causal-chain.ts";
import { type Breaking, culprits, forkCurve, smallest } from "../../../io-sim/search/explain.ts";
import { historyIn, watchedUpToBreach } from "../../../io-sim/search/history.ts";
import { type Judges, judge as judgeTrial, oneJudge, type Trial } from "../../../io-sim/search/judging.ts";
import type { Plan } from "../../../io-sim/story/plan.ts";
import type { World, WorldWatcher } from "../../../io-sim/world/world.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const patient = { judges: oneJudge(), goesOn: () => true };

/** What came of a world that breaks with seed 1. */
function breaking(plan: Plan): Breaking {
  return { plan, seed: 1, breach: judgeTrial({ plan, seed: 1, withoutDrain: false, logsChance: true })! };
}

/** A voice over a bad line: two packets in a row are lost, and the sound stands still for longer than was promised. */
const lossy = smallStory({
  peers: {
    ana: { sends: { microphone: true }, link: { direction: "up", loss: percent(6) } },
    bob: { receives: { audio: 1 } },
  },
  runFor: seconds(1.6),
  always: [freezes("bob", "ana/microphone").shorterThan(ms(55))],
});

describe("the fewest things that flip a verdict", () => {
  it("are found among many", async () => {
    let asked = 0;
    const first = async (sets: Iterable<readonly number[]>) => {
      let place = 0;
      for (const some of sets) {
        asked++;
        if (some.includes(17) && some.includes(60)) return place;
        place++;
      }
      return -1;
    };
    const all = Array.from({ length: 100 }, (_, index) => index);
    expect(await smallest(all, first)).toEqual([17, 60]);
    expect(asked).toBeLessThan(60);
    expect(await smallest([], first)).toEqual([]);
  });

  it("are the accidents without which the run holds", async () => {
    const { breach } = breaking(lossy);
    const { accidents, steps } = await culprits(breaking(lossy), patient);
    expect([accidents.length > 0 && accidents.length <= 2, steps.length]).toEqual([true, 0]);
    const decisions = accidents.map(({ site, entity, ordinal }) => {
      return { site, entity, answers: [[ordinal, 0]] as [number, number][], others: null };
    });
    expect(attempt(lossy, 1, { decisions }).key).toBe("");
    expect(accidents.every(({ atMicros }) => atMicros > 0 && atMicros <= breach.atMicros)).toBe(true);
  });
});

describe("the steps that flip a verdict", () => {
  const covered = smallStory({
    timeline: [
      at(ms(100), "one is quiet", mute("bob", "microphone")),
      at(ms(150), "another camera", mute("bob", "camera")),
      at(ms(400), "the camera is covered", mute("ana", "camera")),
      at(ms(1_400), "next door is quiet", mute("next", "microphone")),
    ],
    finally: [plays("bob", "ana/camera")],
    runFor: seconds(1.5),
  });

  it("are looked for around the moment at which it went wrong", async () => {
    const asked: number[] = [];
    const goesOn = () => asked.push(0) > 0;
    const { steps } = await culprits(breaking(covered), { ...patient, goesOn }, ms(390));
    expect([steps.map(({ label }) => label), asked.length]).toEqual([["the camera is covered"], 1]);
  });

  it("are unknown when runs were given up", async () => {
    const givenUp = { ...patient, judges: oneJudge(() => true) };
    expect(await culprits(breaking(covered), givenUp)).toEqual({ accidents: [], steps: [], isComplete: false });
    expect(await forkCurve(breaking(covered), { points: 1, forks: 1 }, givenUp)).toEqual([]);
  });
});

describe("the runs of an explanation", () => {
  /** When they end, of a world that broke then. */
  const ends = async (change: Partial<Breaking["breach"]>) => {
    const trials: Trial[] = [];
    const judges: Judges = { ...oneJudge(), judge: async (trial) => void trials.push(trial) };
    const broken = breaking(lossy);
    await forkCurve(
      { ...broken, breach: { ...broken.breach, ...change } },
      { points: 1, forks: 1 },
      { ...patient, judges },
    );
    return trials.map(({ untilMicros, withoutDrain }) => [untilMicros, withoutDrain]);
  };

  it("end a moment after the breach, when that came before the end of the story", async () => {
    expect(await ends({ atMicros: ms(300) })).toEqual([[ms(1_300), true]]);
  });

  it("go on to the end for what is judged there, and to the end of the drain for what broke in it", async () => {
    expect(await ends({ atMicros: seconds(1.6) })).toEqual([[undefined, true]]);
    expect(await ends({ atMicros: seconds(1.6), isInDrain: true })).toEqual([[undefined, false]]);
  });
});

describe("a breach", () => {
  it.each([true, false])("is known to be in the drain: %s", (isInDrain) => {
    const onWorld = (world: World, book: PromiseBook) => {
      const isTime = () => world.zeroAt > 0 && world.isDraining === isInDrain;
      world.watchers.push({ beforeInput: () => judge(book, "S12", !isTime(), () => "It is time.") });
    };
    expect(attempt(smallStory({ runFor: ms(100) }), 1, { onWorld })).toMatchObject({ promise: "S12", isInDrain });
  });
});

describe("the fork curve", () => {
  it("ends in certainty, and begins with what chance can still spare", async () => {
    const curve = await forkCurve(breaking(lossy), { points: 3, forks: 4 }, patient);
    expect(curve.map(({ atMicros }) => atMicros)).toEqual([0, seconds(0.8), seconds(1.6)]);
    expect(curve.at(-1)).toMatchObject({ broken: 4, forks: 4 });
    expect(curve[0]!.broken).toBeLessThan(4);
  });

  it("is empty when there is no time, or no story", async () => {
    const [wanted, broken] = [{ points: 3, forks: 4 }, breaking(lossy)];
    expect(await forkCurve(broken, wanted, { ...patient, goesOn: () => false })).toEqual([]);
    const early = { ...broken, breach: { ...broken.breach, atMicros: -1 } };
    expect(await forkCurve(early, wanted, patient)).toEqual([]);
  });
});

describe("the chain of causes", () => {
  it("leads from a step of the story to the very datagram", () => {
    const plan = smallStory({
      timeline: [at(ms(50), "strangers throw rubbish", garbage({ perSecond: 200, duration: ms(100) }))],
      runFor: ms(300),
    });
    const chain = causalChain(plan, 1, (world, book) => breakAtRubbish(world, book));
    expect(chain.length).toBeGreaterThan(0);
    expect(chain[0]!.text).toBe("step: strangers throw rubbish");
    expect(chain[0]!.time).toBe("0.050 s");
    expect(chain.at(-1)!.text).toMatch(/from a stranger arrives$/);
  });

  it("begins before the story, in the story's time, and goes on in the order of time", () => {
    const chain = causalChain(smallStory({ runFor: ms(300) }), 1, (world, book) => {
      const beforeInput: WorldWatcher["beforeInput"] = ({ kind }) =>
        judge(book, "S12", world.zeroAt === 0 || kind !== "datagram", () => "The story has begun.");
      world.watchers.push({ beforeInput });
    });
    expect(chain[0]).toMatchObject({ time: expect.stringMatching(/^-/), text: expect.stringMatching(/asks: join$/) });
    const times = chain.map(({ time }) => Number.parseFloat(time));
    expect(times.length).toBeGreaterThan(3);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it("leads to what broke when everybody was leaving", () => {
    const plan = smallStory({ runFor: ms(300) });
    const chain = causalChain(plan, 1, (world, book) => {
      const endsAt = () => world.zeroAt + plan.runForMicros;
      const beforeInput: WorldWatcher["beforeInput"] = () =>
        judge(book, "S12", world.zeroAt === 0 || world.loop.now <= endsAt(), () => "The story is over.");
      world.watchers.push({ beforeInput });
    });
    expect(chain.length).toBeGreaterThan(0);
    expect(Number.parseFloat(chain.at(-1)!.time)).toBeGreaterThanOrEqual(0.3);
  });

  it("is empty when nothing broke, or only the end of the story tells", () => {
    expect(causalChain(smallStory({ runFor: ms(100) }), 1)).toEqual([]);
    expect(causalChain(lossy, 1)).toEqual([]);
  });
});

describe("the history of a breach", () => {
  const covered = smallStory({
    timeline: [at(ms(400), "the camera is covered", mute("ana", "camera"))],
    runFor: seconds(1.5),
    finally: [plays("bob", "ana/camera")],
  });

  it("tells the steps, and what those went through whom it names, and nobody else", () => {
    const { trace } = watchedUpToBreach(covered, 1);
    const rows = historyIn(trace).map(({ who, text }) => `${who} ${text}`);
    expect(rows).toContain("story the camera is covered");
    expect(rows.some((text) => /^bob sees ana's camera for/.test(text))).toBe(true);
    expect(rows.filter((text) => text.startsWith("next "))).toEqual([]);
    expect(historyIn(trace).every(({ time }) => time <= trace.broken!.time)).toBe(true);
  });

  it("is empty for a run that held", () => {
    expect(historyIn(watchedUpToBreach(smallStory({ runFor: ms(100) }), 1).trace)).toEqual([]);
  });
});

/** Breaks a promise at an input that a stranger is behind, when he has been at it for a moment. */
function breakAtRubbish(world: World, book: PromiseBook): void {
  const isRubbish = () => world.attacker.inHand && world.loop.now > world.zeroAt + ms(60);
  world.watchers.push({ beforeInput: () => judge(book, "S12", !isRubbish(), () => "A stranger is at the door.") });
}
