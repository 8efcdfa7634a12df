/**
 * Whether an explanation finds the accidents that mattered, the moment from which on they did, and the chain to the breach.
 */
import { describe, expect, it } from "vitest";
import { at, freezes, garbage, ms, mute, percent, plays, seconds } from "../../../io-sim/index.ts";
import { judge, type PromiseBook } from "../../../io-sim/oracles/promises.ts";
import { attempt } from "../../../io-sim/search/attempt.ts";
import { causalChain } from "../../../io-sim/search/causal-chain.ts";
import { culprits, forkCurve, smallest } from "../../../io-sim/search/explain.ts";
import { historyIn, traceUpToBreach } from "../../../io-sim/search/history.ts";
import type { World, WorldWatcher } from "../../../io-sim/world/world.ts";
import { smallStory } from "../../support/small-story.ts";

const always = () => true;

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
  it("are found among many", () => {
    let asked = 0;
    const does = (some: readonly number[]) => {
      asked++;
      return some.includes(17) && some.includes(60);
    };
    expect(
      smallest(
        Array.from({ length: 100 }, (_, index) => index),
        does,
      ),
    ).toEqual([17, 60]);
    expect(asked).toBeLessThan(60);
    expect(smallest([1, 2], () => false)).toEqual([]);
    expect(smallest([], always)).toEqual([]);
  });

  it("are the accidents without which the run holds", () => {
    const breach = attempt(lossy, 1);
    const { accidents, steps } = culprits(lossy, 1, breach, { points: 0, forks: 0, goesOn: always });
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

  it("are looked for around the moment at which it went wrong", () => {
    const asked: number[] = [];
    const goesOn = () => asked.push(0) > 0;
    const { steps } = culprits(covered, 1, attempt(covered, 1), { points: 0, forks: 0, goesOn }, ms(390));
    expect([steps.map(({ label }) => label), asked.length]).toEqual([["the camera is covered"], 1]);
  });

  it("are unknown when runs were given up", () => {
    const options = { points: 1, forks: 1, goesOn: always, haltBefore: () => true };
    const breach = attempt(covered, 1);
    expect(culprits(covered, 1, breach, options)).toEqual({ accidents: [], steps: [], isComplete: false });
    expect(forkCurve(covered, 1, breach, options)).toEqual([]);
  });
});

describe("the fork curve", () => {
  it("ends in certainty, and begins with what chance can still spare", () => {
    const curve = forkCurve(lossy, 1, attempt(lossy, 1), { points: 3, forks: 4, goesOn: always });
    expect(curve.map(({ atMicros }) => atMicros)).toEqual([0, seconds(0.8), seconds(1.6)]);
    expect(curve.at(-1)).toMatchObject({ broken: 4, forks: 4 });
    expect(curve[0]!.broken).toBeLessThan(4);
  });

  it("is empty when there is no time, or no story", () => {
    const breach = attempt(lossy, 1);
    expect(forkCurve(lossy, 1, breach, { points: 3, forks: 4, goesOn: () => false })).toEqual([]);
    expect(forkCurve(lossy, 1, { ...breach, atMicros: -1 }, { points: 3, forks: 4, goesOn: always })).toEqual([]);
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
    const trace = traceUpToBreach(covered, 1);
    const rows = historyIn(trace).map(({ who, text }) => `${who} ${text}`);
    expect(rows).toContain("story the camera is covered");
    expect(rows.some((text) => /^bob sees ana's camera for/.test(text))).toBe(true);
    expect(rows.filter((text) => text.startsWith("next "))).toEqual([]);
    expect(historyIn(trace).every(({ time }) => time <= trace.broken!.time)).toBe(true);
  });

  it("is empty for a run that held", () => {
    expect(historyIn(traceUpToBreach(smallStory({ runFor: ms(100) }), 1))).toEqual([]);
  });
});

/** Breaks a promise at an input that a stranger is behind, when he has been at it for a moment. */
function breakAtRubbish(world: World, book: PromiseBook): void {
  const isRubbish = () => world.attacker.inHand && world.loop.now > world.zeroAt + ms(60);
  world.watchers.push({ beforeInput: () => judge(book, "S12", !isRubbish(), () => "A stranger is at the door.") });
}
