/** The benchmark of joins as a command, with few of them: that everybody hears and sees, and how it takes wrong use. */
import { describe, expect, it } from "vitest";
import type { JoinsReport } from "../../bench/joins/report.ts";
import { bench, whyNoLoad } from "../support/commands/bench.ts";

const SMALL = ["joins", "--participants", "6", "--room", "3", "--within", "1", "--shards", "1"];

describe("bench joins", () => {
  if (whyNoLoad() !== "") {
    it("says why there is nothing to measure", async () => {
      expect((await bench(...SMALL)).stderr).toContain("Nothing was measured");
    });
    return;
  }

  it("lets a storm in, of whom everybody hears and sees", async () => {
    const { status, stdout, stderr } = await bench(...SMALL, "--speakers", "3", "--rate", "20", "--json");
    expect([status, stderr]).toEqual([0, ""]);
    const { options, price, storm, everybodyHearsAndSees } = JSON.parse(stdout) as JoinsReport;
    expect(options).toEqual({
      ...{ participants: 6, people: 3, speakers: 3, withinSeconds: 1, packetsPerSecond: 20 },
      serveWords: ["--shards", "1"],
    });
    expect([storm.peers, storm.hearing, storm.seeing, everybodyHearsAndSees]).toEqual([6, 6, 6, true]);
    expect(price.joinsPerSecond).toBeGreaterThan(0);
    expect(storm.connectedMicros.p50).toBeGreaterThan(0);
    expect(storm.firstPacketMicros.p50).toBeGreaterThanOrEqual(storm.connectedMicros.p50);
    expect(storm.allSlotsMicros.p99).toBeGreaterThanOrEqual(storm.firstPacketMicros.p99);
  });

  it("prints for people what a join costs and who hears and sees", async () => {
    const { status, stdout } = await bench(...SMALL, "--io", "portable");
    expect(status).toBe(0);
    expect(stdout).toMatch(/io portable/);
    expect(stdout).toMatch(/a join costs +\d+\.\d+ ms/);
    expect(stdout).toMatch(/hear all speakers +all\n +see all speakers +all\n/);
  });
});

describe("wrong use of it", () => {
  it.each([
    ["rooms that are not full", ["--participants", "501"], /rooms of 10: take a multiple of it/],
    ["one who speaks to nobody", ["--speakers", "1"], /--speakers takes whole numbers of 2 to 32/],
    ["no time at all", ["--within", "0"], /--within takes whole numbers/],
  ])("%s is answered with one sentence and status 2", async (_what, words, sentence) => {
    const { status, stdout, stderr } = await bench("joins", ...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });
});
