/**
 * The benchmark as a command: what it prints, and how it takes wrong use. Nothing here depends on how fast the machine is.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { type BenchReport, coreFigures } from "../../bench/core/report.ts";

const LOCKSTEP = fileURLToPath(new URL("../../lockstep.mjs", import.meta.url));

/** Enough packets for V8 to have compiled the packet path. */
const FLAGS = ["--fanout", "2,50", "--packets", "200000", "--size", "1000", "--seconds", "2"];

function bench(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [LOCKSTEP, "bench", ...words], { encoding: "utf8" });
}

describe("a benchmark of the core", () => {
  let report: BenchReport;
  let lines: string[];

  beforeAll(() => {
    const { status, stdout, stderr } = bench("core", "--json", ...FLAGS);
    expect([status, stderr]).toEqual([0, ""]);
    lines = stdout.trim().split("\n");
    report = JSON.parse(stdout) as BenchReport;
  }, 240_000);

  it("prints one object and nothing else", () => {
    expect(lines.length).toBe(1);
    expect(Object.keys(report)).toEqual(["benchmark", "machine", "options", "forwarding", "rooms"]);
  });

  it("names the machine and what was asked for", () => {
    expect(report.machine).toMatchObject({ node: process.version, v8: process.versions.v8 });
    expect(report.machine.cpu).toMatch(/\S/);
    expect(report.machine.cores).toBeGreaterThan(0);
    expect(report.options).toEqual({ fanOuts: [2, 50], packets: 200_000, packetBytes: 1_000, seconds: 2 });
  });

  it("has a figure for each fan-out, with cryptography stubbed and real", () => {
    expect(report.forwarding.map(({ crypto, fanOut }) => [crypto, fanOut])).toEqual([
      ["stubbed", 2],
      ["stubbed", 50],
      ["node", 2],
      ["node", 50],
    ]);
    for (const { forwarded, ...figure } of report.forwarding) {
      expect(forwarded).toBeGreaterThanOrEqual(figure.crypto === "stubbed" ? 200_000 : 20_000);
      expect(figure.microsPerPacket).toBeGreaterThan(0);
      expect(figure.timerMicrosPerPacket).toBeGreaterThanOrEqual(0);
      expect(figure.packetsPerSecond).toBeCloseTo(1e6 / (figure.microsPerPacket + figure.timerMicrosPerPacket), 0);
    }
  });

  it("finds that forwarding leaves next to nothing on the heap, and real ciphers do", () => {
    const [two, fifty, , real] = report.forwarding;
    // One timestamp above 2^31 that is handed on as an object costs more than 8; a time that is copied for each packet that
    // comes in costs 8 for each of two that go out.
    expect(two!.bytesPerPacket).toBeLessThan(4);
    expect(fifty!.bytesPerPacket).toBeLessThan(4);
    expect(real!.bytesPerPacket).toBeGreaterThan(100);
  });

  it("has a name of its own for each figure of several runs", () => {
    const names = coreFigures([report, report]).map(({ name }) => name);
    expect(names).toContain("10 rooms of 8, 1 speaking in each, checksum: seconds a second");
    expect(new Set(names).size).toBe(names.length);
  });

  it("simulates a room in which one speaks and one in which all do, with either cipher, and ten rooms of eight", () => {
    const shapes = report.rooms.map(({ cipher, ...shape }) => [
      cipher,
      shape.rooms,
      shape.participants,
      shape.speakers,
    ]);
    expect(shapes).toEqual([
      ["checksum", 1, 4, 1],
      ["checksum", 1, 4, 4],
      ["checksum", 10, 8, 1],
      ["real", 1, 4, 1],
      ["real", 1, 4, 4],
    ]);
    for (const { simulatedSeconds, cpuSeconds, simulatedSecondsPerCpuSecond } of report.rooms) {
      expect(simulatedSeconds).toBeCloseTo(2, 0);
      expect(simulatedSecondsPerCpuSecond).toBeCloseTo(simulatedSeconds / cpuSeconds, 6);
    }
  });
});

describe("the command bench", () => {
  it("prints the machine and a table for people", () => {
    const { status, stdout } = bench("core", "--fanout", "1", "--packets", "1", "--seconds", "1");
    expect(status).toBe(0);
    expect(stdout).toContain(`Node ${process.version}`);
    expect(stdout).toMatch(/fan-out +packets\/s +µs\/packet +of timers +bytes allocated\/packet\n +1 /);
    expect(stdout).toMatch(/a room of 4, 1 speaking +checksum +\d/);
    expect(stdout).toMatch(/10 rooms of 8, 1 speaking in each +checksum +\d/);
  });

  it("shows its help and exits with 0", () => {
    expect(bench("--help").stdout).toMatch(/core +the core alone/);
    const { status, stdout } = bench("core", "--help");
    expect(status).toBe(0);
    for (const flag of ["--fanout", "--packets", "--size", "--seconds", "--json"]) expect(stdout).toContain(flag);
  });

  it.each([
    ["no subject", [], /one of core/],
    ["an unknown subject", ["host"], /no benchmark called "host"/],
    ["two subjects", ["core", "core"], /too many arguments/],
    ["an unknown flag", ["core", "--fast"], /--fast/],
    ["a fan-out of nobody", ["core", "--fanout", "1,0"], /--fanout takes whole numbers of 1 to 1023, not "0"/],
    ["a fan-out that no room has", ["core", "--fanout", "1024"], /--fanout/],
    ["an empty list", ["core", "--fanout", ""], /--fanout/],
    ["no packets", ["core", "--packets", "0"], /--packets/],
    ["packets that are no number", ["core", "--packets", "1e3"], /--packets takes whole numbers .* not "1e3"/],
    ["packets too short for their header", ["core", "--size", "99"], /--size takes whole numbers of 100 to/],
    ["packets longer than the shard takes", ["core", "--size", "1585"], /--size/],
    ["no time", ["core", "--seconds", "0"], /--seconds/],
  ])("answers %s with one sentence and exits with 2", (_what, words, sentence) => {
    const { status, stdout, stderr } = bench(...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });
});
