/**
 * The benchmarks of the server as commands, with little load: that they measure, what they print, how they take wrong use.
 * Nothing here depends on how fast the machine is.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ForwardReport } from "../../bench/forward/report.ts";
import { forwardedPerSecond, peersOf } from "../../bench/load/shape.ts";
import { bench, whyNoLoad } from "../support/commands/bench.ts";

const SMALL = ["--rate", "100", "--seconds", "1"];

const folder = mkdtempSync(join(tmpdir(), "lockstep-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const native = whyNoLoad();
const measures = native === "";

describe("bench forward", () => {
  if (!measures) {
    it("says in one sentence why the load generator does not work on this machine", async () => {
      const { status, stderr } = await bench("forward", ...SMALL);
      expect([status, stderr]).toEqual([1, expect.stringContaining(native)]);
    });
    return;
  }

  it("measures a room, finds all packets to be the right ones, and plots", async () => {
    const plot = join(folder, "plot.svg");
    const load = "--rooms 2 --publishers 2 --subscribers 3 --ramp 50..100/2 --size 700 --seconds 1 --shards 1".split(
      " ",
    );
    const { status, stdout, stderr } = await bench("forward", ...load, "--json", "--plot", plot);
    expect([status, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout) as ForwardReport;
    expect(report.benchmark).toBe("forward");
    expect(report.options).toEqual({
      ...{ rooms: 2, room: { kind: "fan-out", publishers: 2, subscribers: 3 } },
      ...{ packetsPerSecond: 50, rates: [50, 100], packetBytes: 700, seconds: 1 },
      ...{ serveWords: ["--shards", "1"], limits: true },
    });
    expect(report.steps.map((step) => step.packetsPerSecondPerStream)).toEqual([50, 100]);
    for (const step of report.steps) {
      expect([step.slotsServed, step.slots, step.wrong]).toEqual([12, 12, 0]);
      expect(step.verified).toBeGreaterThan(0);
      expect(step.cpuMicrosPerForwardedPacket).toBeGreaterThanOrEqual(0);
    }
    expect(report.joins.count).toBe(10);
    expect(report.limitMicrosPerPacket).toBeGreaterThan(0);
    expect(readFileSync(plot, "utf8")).toMatch(/^<svg [\s\S]*<polyline[\s\S]*<\/svg>\n$/);
  });

  it("measures meetings over the portable host, and prints a table for people", async () => {
    const { status, stdout } = await bench("forward", "--meeting", "3", ...SMALL, "--io", "portable", "--no-limits");
    expect(status).toBe(0);
    expect(stdout).toMatch(/Server +io portable/);
    expect(stdout).toMatch(/Load +1 room of 3 participants.*; 1 s each step/);
    expect(stdout).not.toMatch(/kernel and cipher/);
    expect(stdout).not.toMatch(/Silent|Wrong/);
  });

  it("says why when there is no server to measure", async () => {
    const { status, stdout, stderr } = await bench("forward", "--server", "http://127.0.0.1:1", ...SMALL);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^Nothing was measured: There is no Lockstep at http:\/\/127.0.0.1:1 \(.+\): start .+\n$/);
  });
});

describe("bench limit", () => {
  if (!measures) {
    it("says why there is nothing to measure", async () => {
      expect((await bench("limit", ...SMALL)).stderr).toContain("Nothing was measured");
    });
    return;
  }
  it("measures the adapter alone, and C where there is a compiler", async () => {
    const { status, stdout } = await bench("limit", "--subscribers", "3", ...SMALL, "--size", "400", "--json");
    expect(status).toBe(0);
    const { options, adapter, c } = JSON.parse(stdout) as {
      options: object;
      adapter: { verified: number };
      c: { verified: number } | null;
    };
    expect(options).toEqual({ subscribers: 3, packetsPerSecond: 100, packetBytes: 400, seconds: 1 });
    expect(adapter.verified).toBeGreaterThan(0);
    if (c !== null) expect(c.verified).toBeGreaterThan(0);
  });
});

describe("wrong use of a benchmark", () => {
  it.each([
    ["a ramp that goes down", ["forward", "--ramp", "9..3/2"], /from a lower rate to a higher/],
    ["a ramp that is none", ["forward", "--ramp", "fast"], /--ramp takes rates and steps such as/],
    ["a room too full", ["forward", "--subscribers", "100000"], /--subscribers takes whole numbers of 1 to/],
    ["a server that is no address", ["forward", "--server", "here"], /--server takes the address of a page/],
    ["an io for another's server", ["forward", "--server", "http://h", "--io", "fast"], /leave out --server/],
    ["a plot that can't be written", ["forward", "--plot", "/nowhere/plot.svg"], /--plot can't write .* \(ENOENT\)/],
    ["packets too short", ["limit", "--size", "10"], /--size takes whole numbers/],
  ])("%s is answered with one sentence and status 2", async (_what, words, sentence) => {
    const { status, stdout, stderr } = await bench(...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });
});

describe("the shape of a load", () => {
  it("has as many packets as its peers receive", () => {
    const fanOut = { rooms: 2, room: { kind: "fan-out", publishers: 2, subscribers: 5 } } as const;
    expect(peersOf({ ...fanOut, packetsPerSecond: 10, packetBytes: 1_000 })).toHaveLength(14);
    expect(forwardedPerSecond({ ...fanOut, packetsPerSecond: 10, packetBytes: 1_000 })).toBe(200);
    const meeting = { rooms: 3, room: { kind: "meeting", people: 4, speakers: 4 } } as const;
    const peers = peersOf({ ...meeting, packetsPerSecond: 10, packetBytes: 1_000 });
    expect(peers.map(({ room }) => room).filter((room) => room === "bench-2")).toHaveLength(4);
    expect(forwardedPerSecond({ ...meeting, packetsPerSecond: 10, packetBytes: 1_000 })).toBe(3 * 4 * 3 * 60);
  });
});
