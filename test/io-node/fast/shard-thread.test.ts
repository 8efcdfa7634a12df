/** What a shard's thread shows the main thread of itself. The thread as a whole is tested with its host. */
import { expect, it } from "vitest";
import type { FastLoop } from "../../../io-node/fast/loop.ts";
import { COUNTERS, writeCounters } from "../../../io-node/fast/shard-thread.ts";

it("each counter of a thread stands where its name says", () => {
  // Each has a number of its own, in a loop that has all of them wherever counters are.
  const all = Object.fromEntries(COUNTERS.map((name, index) => [name, 100 + index]));
  const loop = { ...all, received: all, sent: all, relays: { counters: all } };
  const counters = new Float64Array(COUNTERS.length);
  writeCounters(loop as unknown as FastLoop, counters);
  expect(Object.fromEntries(COUNTERS.map((name, index) => [name, counters[index]]))).toEqual(all);
});
