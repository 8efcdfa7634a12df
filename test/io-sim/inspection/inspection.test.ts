/** Whether one can look into the middle of a run, go back, take a fork, and find where two runs part. */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readFork, readStop } from "../../../io-sim/cli/looking.ts";
import { percent, seconds } from "../../../io-sim/index.ts";
import { decisionName, decisionsOf, inspect, momentsBetween } from "../../../io-sim/inspection/inspection.ts";
import { readableState, readableWorld } from "../../../io-sim/inspection/readable-state.ts";
import { diffJournals } from "../../../io-sim/journal/journal-diff.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const plan = smallStory({
  runFor: seconds(2),
  peers: {
    ana: { sends: { camera: "vp8" }, link: { loss: percent(2) } },
    bob: { receives: { video: 1 } },
  },
});
const story = { file: fileURLToPath(import.meta.url), plan };

describe("an inspection", () => {
  it("stops after just so many events, and the same run goes on to the same end", () => {
    const stopped = inspect(plan, 1, { kind: "event", event: 500 });
    expect(stopped.event).toBe(500);
    expect(inspect(plan, 1, { kind: "event", event: 500 }).verdict.fingerprint).toBe(stopped.verdict.fingerprint);
    expect(inspect(plan, 1, { kind: "end" }).verdict.fingerprint).toBe(run(plan, 1).fingerprint);
  });

  it("stops at a time of the story, before what comes later", () => {
    const { world } = inspect(plan, 1, readStop("1.5s")).verdict;
    const storyTime = world.loop.now - world.zeroAt;
    expect(storyTime).toBeLessThanOrEqual(1_500_000);
    expect(world.loop.heap[0]!.time - world.zeroAt).toBeGreaterThan(1_500_000);
  });

  it("keeps the last things that happened", () => {
    const { rows } = inspect(plan, 1, { kind: "event", event: 500 });
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.at(-1)).toMatchObject({ who: "server", text: expect.stringMatching(/^(SRTP|timer)/) });
  });
});

describe("the moments of a run", () => {
  it("are those at which it would stop, one after each event, with what happened in it", () => {
    const moments = momentsBetween(plan, 1, 480, 500);
    expect(moments.map(({ event }) => event)).toEqual(Array.from({ length: 21 }, (_, index) => 480 + index));
    const stopped = inspect(plan, 1, { kind: "event", event: 490 });
    expect(moments[10]).toMatchObject({
      time: stopped.verdict.world.loop.now,
      fingerprint: stopped.verdict.fingerprint,
    });
    for (const { event, rows } of moments.slice(1)) for (const row of rows) expect(row.event).toBe(event);
    const rows = moments.slice(1, 11).flatMap((moment) => moment.rows);
    expect(rows).toEqual(stopped.rows.filter((row) => row.event! > 480));
  });

  it("end with the run", () => {
    const { event } = inspect(plan, 1, { kind: "end" });
    expect(momentsBetween(plan, 1, event, event + 10).map((moment) => moment.event)).toEqual([event]);
  });
});

describe("a fork", () => {
  it("changes one decision and nothing before it", () => {
    const decision = decisionsOf(plan, 1).filter(({ site }) => site === "link/loss")[60]!;
    const fork = readFork(story, 1, `${decisionName(decision)}=${1 - decision.answer}`);
    const plain = run(plan, 1, { journal: true });
    const forked = run(plan, 1, { journal: true, decisions: [fork] });
    const { same, before, detail } = diffJournals(plain.journal!, forked.journal!);
    expect([same, before.length]).toEqual([false, 5]);
    expect(detail).not.toContain("boot records");
  });

  it("is refused with a sentence when the run makes no such decision", () => {
    expect(() => readFork(story, 1, "link/loss/eve/up/1=1")).toThrow(/no decision called "link\/loss\/eve\/up\/1"/);
    for (const text of ["", "a=b", "a/b/1=1=2"]) expect(() => readFork(story, 1, text)).toThrow(/--fork takes/);
    expect(() => readStop("soon")).toThrow(/--until takes/);
  });
});

describe("two runs", () => {
  it("that are the same are said to be, and others part where they part", () => {
    const { journal } = run(plan, 1, { journal: true });
    expect(diffJournals(journal!, journal!)).toMatchObject({ same: true, line: 0 });
    const lines = journal!.split("\n");
    lines[40] = lines[40]!.replace(/"fingerprint":"..../, '"fingerprint":"zzzz');
    expect(diffJournals(journal!, lines.join("\n"))).toMatchObject({
      same: false,
      line: 41,
      detail: "They part at input 40 (line 41): the same input has other effects.",
    });
    expect(diffJournals(journal!, lines.slice(0, 30).join("\n")).detail).toContain("the second is over");
    expect(diffJournals(journal!, run(plan, 2, { journal: true }).journal!).detail).toContain("boot records");
  });
});

describe("state that people read", () => {
  it("is JSON and shows no secret", () => {
    const { world } = inspect(plan, 1, readStop("1s")).verdict;
    const text = JSON.stringify(readableWorld(world));
    const [client] = world.peers.get("ana")!.clients;
    expect(text).toContain('"status":"connected"');
    expect(text).not.toContain(client!.password);
    for (const resource of world.node.shard.resources.keys()) expect(text).not.toContain(resource);
    expect(world.node.shard.resources.size).toBe(2);
  });

  it("takes whatever plain data there is", () => {
    const round: Record<string, unknown> = { never: Number.NaN };
    round.round = round;
    expect(readableState(round)).toEqual({ never: "NaN", round: "see above" });
    expect(readableState(new Map([[2, new Set([1])]]))).toEqual([[2, [1]]]);
    expect(readableState({ writeKey: 1, bytes: Uint8Array.of(1, 255) })).toEqual({
      writeKey: "(secret)",
      bytes: "01 ff",
    });
  });
});
