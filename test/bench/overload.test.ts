/** The benchmark of overload as a command, with a load that any machine carries: what it measures, prints and plots. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { OverloadReport } from "../../bench/overload/report.ts";
import { bench, whyNoLoad } from "../support/commands/bench.ts";

const SMALL = "--rooms 1 --room 4 --speakers 2 --size 600 --capacity 20 --settle 0 --seconds 1".split(" ");

const folder = mkdtempSync(join(tmpdir(), "lockstep-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("bench overload", () => {
  if (whyNoLoad() !== "") {
    it("says why there is nothing to measure", async () => {
      expect((await bench("overload", ...SMALL)).stderr).toContain("Nothing was measured");
    });
    return;
  }

  it("goes up to three times what the server carries, sees all that it keeps, and comes back", async () => {
    const plot = join(folder, "plot.svg");
    const { status, stdout, stderr } = await bench("overload", ...SMALL, "--json", "--plot", plot);
    expect([status, stderr]).toEqual([0, ""]);
    const { options, steps, recovery, broken, capacity } = JSON.parse(stdout) as OverloadReport;
    expect(options).toMatchObject({
      ...{ rooms: 1, room: { kind: "meeting", people: 4, speakers: 2 }, packetBytes: 600 },
      ...{ capacity: 20, settleSeconds: 0, seconds: 1, serveWords: ["--shards", "1"] },
    });
    expect([capacity, broken]).toEqual([20, []]);
    expect(steps.map(({ load }) => load)).toEqual([0.5, 1, 1.5, 2, 2.5, 3]);
    for (const { audioRatio, videoRatio, joins, videoSlotsServed, videoSlots, residentBytes } of steps) {
      expect(audioRatio).toBeGreaterThan(0.5);
      expect(videoRatio).toBeGreaterThan(0.5);
      expect([videoSlotsServed, videoSlots, joins.refused]).toEqual([6, 6, 0]);
      expect(residentBytes).toBeGreaterThan(0);
    }
    expect(steps.reduce((sum, { joins }) => sum + joins.tried, 0)).toBeGreaterThan(0);
    expect(recovery.joinsSeconds).toBeGreaterThan(0);
    expect(recovery.videoSeconds).toBeGreaterThan(0);
    expect(readFileSync(plot, "utf8")).toMatch(
      /audio that comes[\s\S]*joins taken[\s\S]*memory of the server[\s\S]*<\/svg>\n$/,
    );
  });
});

describe("wrong use of it", () => {
  it.each([
    ["a capacity of nothing", ["--capacity", "0"], /--capacity takes whole numbers/],
    [
      "more speakers than people",
      ["--room", "3", "--speakers", "4"],
      /--speakers takes no more than the 3 of a room, not 4/,
    ],
  ])("%s is answered with one sentence and status 2", async (_what, words, sentence) => {
    const { status, stdout, stderr } = await bench("overload", ...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });
});
