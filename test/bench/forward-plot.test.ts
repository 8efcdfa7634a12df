import { describe, expect, it } from "vitest";
import { forwardPlot } from "../../bench/forward/plot.ts";
import type { ForwardReport } from "../../bench/forward/report.ts";

/** What a plot needs of a report: two steps, each packet at this price. */
function report(cpuMicrosPerForwardedPacket: number | null): ForwardReport {
  const step = { cpuMicrosPerForwardedPacket, lossRatio: 0, addedDelayMicros: { p50: 1, p99: 2, p999: 3 } };
  const room = { kind: "fan-out", publishers: 1, subscribers: 3 };
  return {
    steps: [1, 2].map((packetsPerSecond) => ({ ...step, packetsPerSecond })),
    options: { rooms: 1, room, packetsPerSecond: 1, packetBytes: 1_200 },
    machine: { cpu: "any", node: "any" },
    io: "fast",
  } as unknown as ForwardReport;
}

describe("the plot of a forwarding server", () => {
  it("has the price of a packet", () => {
    expect(forwardPlot(report(4))).toContain("µs of processor time");
  });

  it("claims no price that nobody knows, as of a server elsewhere", () => {
    const plot = forwardPlot(report(null));
    expect(plot).not.toContain("µs of processor time");
    expect(plot).toContain("loss in ‰");
  });
});
