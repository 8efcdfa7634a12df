/** Whether every answer of chance has a name, can be logged, and can be told otherwise without moving another. */
import { describe, expect, it } from "vitest";
import { createDecisionBook, type Decision } from "../../../io-sim/base/decisions.ts";
import { below, between, chance, createStream, dwell, spread } from "../../../io-sim/base/random.ts";
import { only, percent, seconds } from "../../../io-sim/index.ts";
import { linkCounters } from "../../../io-sim/link/index.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const lossy = () =>
  smallStory({
    runFor: seconds(2),
    peers: {
      ana: { sends: { camera: "vp8" }, link: { loss: percent(2), jitter: 500 } },
      bob: { receives: { video: 1 } },
    },
  });

/** Fifty answers of each kind from one stream. */
function answers(seed: Parameters<typeof createStream>[0]): number[] {
  const stream = createStream(seed, "site", "entity");
  return Array.from({ length: 50 }, () => [
    below(stream, 10),
    between(stream, 5, 9),
    chance(stream, 300_000) ? 1 : 0,
    spread(stream, 100),
    dwell(stream, 1_000),
  ]).flat();
}

describe("a decision", () => {
  it("is every answer that a stream gives, in order", () => {
    const log: Decision[] = [];
    const given = answers({ seed: 7, decisions: createDecisionBook([], log) });
    expect(given).toEqual(answers(7));
    expect(log.map(({ answer }) => answer)).toEqual(given);
    expect(log.map(({ ordinal }) => ordinal)).toEqual(given.map((_, index) => index));
    expect(log[0]).toMatchObject({ site: "site", entity: "entity" });
  });

  it("can be told otherwise, and no other moves", () => {
    const plan = { site: "site", entity: "entity", answers: [[3, 77]] as const, others: null };
    const changed = answers({ seed: 7, decisions: createDecisionBook([plan]) });
    expect(changed).toEqual(answers(7).with(3, 77));
    const elsewhere = { ...plan, entity: "other" };
    expect(answers({ seed: 7, decisions: createDecisionBook([elsewhere]) })).toEqual(answers(7));
  });

  it("can be left to one answer for all but a few", () => {
    const changed = answers({ seed: 7, decisions: createDecisionBook([only("site", "entity", [2])]) });
    expect(changed).toEqual(changed.map((_, index) => (index === 2 ? 1 : 0)));
  });
});

describe("a run", () => {
  it("is the same with a log as without one", () => {
    const decisionLog: Decision[] = [];
    expect(run(lossy(), 3, { decisionLog }).fingerprint).toBe(run(lossy(), 3).fingerprint);
    expect(decisionLog.some(({ site, answer }) => site === "link/loss" && answer === 1)).toBe(true);
  });

  it("is the same when it is told what it would have drawn", () => {
    const decisionLog: Decision[] = [];
    const plain = run(lossy(), 3, { decisionLog });
    const decisions = decisionLog.map(({ site, entity, ordinal, answer }) => {
      return { site, entity, answers: [[ordinal, answer]] as const, others: null };
    });
    expect(run(lossy(), 3, { decisions }).fingerprint).toBe(plain.fingerprint);
  });

  it("loses just the packets that its plan names", () => {
    const chosen = [only("link/loss", "ana/up", [40, 90]), only("link/loss", "ana/down", [])];
    const { world } = run({ ...lossy(), decisions: chosen }, 3);
    const { up, down } = world.peers.get("ana")!;
    expect([linkCounters(up).droppedByLoss, linkCounters(down).droppedByLoss]).toEqual([2, 0]);
  });
});
