import { describe, expect, it } from "vitest";
import { type Deaths, pauseAfterDeath } from "../../io-node/restarts.ts";

describe("a shard that has died", () => {
  it("is back at once the first time, and after longer and longer pauses when that goes on", () => {
    const deaths: Deaths = [];
    const pauses = Array.from({ length: 10 }, () => pauseAfterDeath(deaths, 5_000));
    expect(pauses).toEqual([0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  });

  it("is forgiven after a minute, and old deaths are forgotten", () => {
    const deaths: Deaths = [];
    for (const at of [0, 1, 2]) pauseAfterDeath(deaths, at);
    expect(pauseAfterDeath(deaths, 60_000)).toBe(200);
    expect(pauseAfterDeath(deaths, 120_000)).toBe(0);
    expect(deaths).toEqual([120_000]);
  });
});
