/** Whether what is found does not depend on who tries, nor on who is ready first. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { at, ms, mute, plays } from "../../../io-sim/index.ts";
import {
  type Judgement,
  type Judges,
  judge as judgeHere,
  type Trial,
  tryInOrder,
} from "../../../io-sim/search/judging.ts";
import { shrinkPlan } from "../../../io-sim/search/shrink.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const plan = smallStory({
  peers: {
    ana: { sends: { camera: "vp8", microphone: true } },
    bob: { receives: { audio: 1, video: 1 } },
    eve: { receives: { audio: 1 } },
  },
  timeline: [at(0, "covered", mute("ana", "camera")), at(0, "quiet", mute("ana", "microphone"))],
  finally: [plays("bob", "ana/microphone")],
  runFor: ms(1_100),
});

const trialOf = (seed: number): Trial => ({ plan, seed, withoutDrain: true });

/** So many judges, who are ready in the opposite order: of what is being tried, the last is answered first. */
function judgesInDisorder(
  size: number,
  judge: (trial: Trial) => Judgement,
): Judges & { begun: Trial[]; givenUp: number } {
  const waiting: (() => void)[] = [];
  const judges = {
    begun: [] as Trial[],
    givenUp: 0,
    size: () => size,
    judge: (trial: Trial) => {
      judges.begun.push(trial);
      return new Promise<Judgement | undefined>((resolve) => {
        waiting.push(() => resolve(judge(trial)));
        setImmediate(() => waiting.pop()?.());
      });
    },
    giveUp: () => {
      judges.givenUp += waiting.splice(0).length;
    },
  };
  return judges;
}

/** A judgement of nothing but the seed, which breaks from the third on. */
const broken = ({ seed }: Trial): Judgement => {
  const nothing = { promise: "", detail: "", hasThrown: false, atMicros: -1, isInDrain: false } as const;
  return { key: seed >= 3 ? "broken" : "", ...nothing, involved: [], events: 1 };
};

/** A judgement of the text of the plan, of which nobody can tell how it comes out: one in three breaks. */
const brokenAtRandom = (trial: Trial, salt: number): Judgement => {
  const [byte] = createHash("sha256")
    .update(`${salt} ${JSON.stringify(trial.plan)}`)
    .digest();
  return broken({ ...trial, seed: byte! % 3 === 0 ? 3 : 0 });
};

describe("candidates that are tried by several", () => {
  it.each([1, 2, 3])(
    "are looked at in their order by %i, and those behind the one that is taken are given up",
    async (size) => {
      const judges = judgesInDisorder(size, broken);
      const seen: number[] = [];
      await tryInOrder(judges, [1, 2, 3, 4, 5, 6, 7], trialOf, (seed, judgement) => {
        seen.push(seed);
        return judgement?.key === "broken";
      });
      expect(seen).toEqual([1, 2, 3]);
      expect(judges.begun.length === 3).toBe(size === 1);
      expect(judges.givenUp < size).toBe(true);
    },
  );

  it("are all looked at when none is taken, and none is no harm", async () => {
    const seen: number[] = [];
    const take = (seed: number) => seen.push(seed) < 0;
    await tryInOrder(judgesInDisorder(2, broken), [1, 2, 3, 4], trialOf, take);
    await tryInOrder(judgesInDisorder(2, broken), [], trialOf, take);
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it("end in the error of whoever failed, in his turn", async () => {
    const failing = (trial: Trial) => {
      if (trial.seed === 2) throw new Error("He fell ill.");
      return broken(trial);
    };
    const judges = { ...judgesInDisorder(2, broken), judge: async (trial: Trial) => failing(trial) };
    await expect(tryInOrder(judges, [1, 2, 3], trialOf, () => false)).rejects.toThrow("He fell ill.");
  });

  it("come to the same small world, after as many tries", async () => {
    const options = { goesOn: () => true, isFair: () => true };
    const alone = await shrinkPlan(plan, 1, options);
    const judges = judgesInDisorder(3, (trial) => judgeHere(trial)!);
    expect(await shrinkPlan(plan, 1, { ...options, judges })).toEqual(alone);
    expect(judges.begun.length).toBeGreaterThan(alone.tries);
  });

  it("come to the same small world whichever breaks, as one that was tried ahead in vain may be asked for again", async () => {
    for (let salt = 0; salt < 20; salt++) {
      const shrunkBy = (size: number) => {
        const judges = judgesInDisorder(size, (trial) => brokenAtRandom(trial, salt));
        const whole = { ...broken({ ...trialOf(3), plan }), involved: ["ana", "bob", "eve"] };
        return shrinkPlan(plan, 1, { goesOn: () => true, isFair: () => true, whole, judges });
      };
      expect(await shrunkBy(3)).toEqual(await shrunkBy(1));
    }
  });
});

describe("a trial", () => {
  it("ends at the moment that it is to, unjudged", () => {
    const whole = judgeHere(trialOf(1))!;
    const short = judgeHere({ ...trialOf(1), untilMicros: ms(500) })!;
    expect([whole.promise, short.promise, short.events < whole.events]).toEqual(["STORY", "", true]);
  });

  it("tells what it asked of chance, when it is to", () => {
    expect(judgeHere(trialOf(1))!.chance).toBeUndefined();
    const { streams } = judgeHere({ ...trialOf(1), logsChance: true })!.chance!;
    expect(streams.length).toBeGreaterThan(1);
    expect(new Set(streams).size).toBe(streams.length);
  });
});
