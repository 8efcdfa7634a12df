/** Worlds of ten people: that they hold, that each breaks by its mistake, and that one is made small. */
import { expect, it } from "vitest";
import { CASES } from "../../bench/shrink/cases.ts";
import { checkPlan } from "../../io-sim/story/plan.ts";
import { benchCommand } from "../support/commands/command.ts";

it("the worlds have ten people each, and mistakes that there are", () => {
  expect(CASES.length).toBeGreaterThanOrEqual(8);
  for (const { world, mistake } of CASES) {
    checkPlan(world);
    expect([world.peers.length, world.runForMicros >= 30_000_000, mistake?.id]).toEqual([10, true, expect.any(String)]);
  }
});

it("a world of ten becomes one of a few, and the report says how", async () => {
  const { status, out } = await benchCommand("shrink", "paused-for-good", "--json");
  const [world] = (JSON.parse(out) as { worlds: { clients: number; faults: number }[] }).worlds;
  expect([status, world]).toEqual([
    0,
    expect.objectContaining({ world: "all hands", mistake: "paused-for-good", promise: "S2", isComplete: true }),
  ]);
  expect([world!.clients <= 3, world!.faults <= 3]).toEqual([true, true]);
});

it("a mistake that breaks no world of ten is refused with those that do", async () => {
  const { status, err } = await benchCommand("shrink", "no-such-mistake");
  expect([status, err]).toEqual([2, expect.stringContaining('broken by "no-such-mistake"; there are paused-for-good')]);
});
