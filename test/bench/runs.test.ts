/** What several runs of a benchmark come to. */
import { describe, expect, it } from "vitest";
import { middleRun, type Reports, readRuns, repeat, summarize, summaryText } from "../../bench/runs.ts";

describe("several runs", () => {
  it("come to the one in the middle, with the least and the greatest around it", () => {
    const figure = { name: "cost", digits: 1, values: [9, 10, 2, 11, 5] };
    expect(summarize([figure])).toEqual([{ name: "cost", median: 9, least: 2, greatest: 11, spread: 1 }]);
    expect(summaryText([figure])).toMatch(/Median of 5 runs.*\n +cost +9\.0 +\(2\.0 to 11\.0, 100 %\)/);
  });

  it("leave out what no run has, and take the rest where one has not", () => {
    const none = { name: "limit in C", digits: 2, values: [null, null, null] };
    const some = { name: "delay", digits: 0, values: [3, null, 1] };
    expect(summarize([none, some]).map(({ name, median }) => [name, median])).toEqual([["delay", 3]]);
  });

  it("are one after the other, each with its number in front", async () => {
    let running = 0;
    const seen: string[] = [];
    const done = await repeat(
      3,
      (what) => seen.push(what),
      async (progress) => {
        expect(++running).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        progress("joining", 0.5);
        return seen.length;
      },
    );
    expect(done).toEqual([1, 2, 3]);
    expect(seen).toEqual(["run 1 of 3, joining", "run 2 of 3, joining", "run 3 of 3, joining"]);
  });

  it("say nothing more when there is one", async () => {
    expect(summaryText([{ name: "cost", digits: 1, values: [9] }])).toBe("");
    const seen: [string, number][] = [];
    await repeat(
      1,
      (...shown) => seen.push(shown),
      async (progress) => progress("joining", 0.5),
    );
    expect(seen).toEqual([["joining", 0.5]]);
  });

  it("have one in the middle, whatever their order", () => {
    const reports: Reports<{ cost: number }> = [{ cost: 9 }, { cost: 10 }, { cost: 2 }];
    expect(middleRun(reports, ({ cost }) => cost)).toEqual({ cost: 9 });
  });

  it("are an odd number", () => {
    expect(readRuns("5")).toBe(5);
    expect(() => readRuns("4")).toThrow(/an odd number/);
    expect(() => readRuns("0")).toThrow(/--runs takes whole numbers/);
  });
});
