/** Whether the times in what oracles say come in units that people read. */
import { describe, expect, it } from "vitest";
import { readableTimes } from "../../../io-sim/base/readable-times.ts";

describe("a sentence with times in it", () => {
  it.each([
    ["0 µs", "0 µs"],
    ["999 µs", "999 µs"],
    ["1000 µs", "1 ms"],
    ["1540 µs", "1.5 ms"],
    ["120499 µs", "120 ms"],
    ["999400 µs", "999 ms"],
    ["1000000 µs", "1 s"],
    ["-2806854 µs", "-2.81 s"],
    ["3600000000 µs", "3600 s"],
  ])("has %s told as %s", (exact, told) => {
    expect(readableTimes(exact)).toBe(told);
  });

  it("has all of them told, and nothing else changed", () => {
    const exact = "ana#2/camera stood still for 5593000 µs before bob; 5000000 µs are too many, as are 20 packets.";
    const told = "ana#2/camera stood still for 5.59 s before bob; 5 s are too many, as are 20 packets.";
    expect(readableTimes(exact)).toBe(told);
  });
});
