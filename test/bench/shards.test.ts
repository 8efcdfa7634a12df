/** The comparison of one shard with two as a command, with little load. */
import { describe, expect, it } from "vitest";
import { bench, whyNoLoad } from "../support/commands/bench.ts";

const SMALL = "--rooms 1 --subscribers 2 --rate 100 --seconds 1".split(" ");

describe("bench shards", () => {
  if (whyNoLoad() !== "") {
    it("says why there is nothing to measure", async () => {
      expect((await bench("shards", ...SMALL)).stderr).toContain("Nothing was measured");
    });
    return;
  }

  it("has a price for one shard and for two with twice as much to do, and what two of them carry", async () => {
    const { status, stdout, stderr } = await bench("shards", ...SMALL);
    expect([status, stderr]).toEqual([0, ""]);
    const rows = stdout.match(/shards +packets\/s[^\n]*\n +1 +([\d,]+) .*\n +2 +([\d,]+) /) ?? [];
    const [one, two] = rows.slice(1).map((count) => Number(count.replaceAll(",", "")));
    expect(two! / one!).toBeCloseTo(2, 0);
    expect(stdout).toMatch(/two shards on two cores carry \d+\.\d\d times/);
  });

  it("needs a room for each shard, and an odd number of runs", async () => {
    expect(await bench("shards", "--rooms", "0")).toMatchObject({ status: 2, stdout: "" });
    const even = await bench("shards", "--runs", "2");
    expect([even.status, even.stderr]).toEqual([2, expect.stringMatching(/^--runs takes an odd number/)]);
  });
});
