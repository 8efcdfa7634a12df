/**
 * Cost and delay of forwarding against load.
 */
import { shapeWords } from "../load/shape.ts";
import { linePlot } from "../plot.ts";
import type { ForwardReport } from "./report.ts";

/** The plot of a report. */
export function forwardPlot(report: ForwardReport): string {
  const { steps, options, machine } = report;
  type Step = (typeof steps)[number];
  const curve = (name: string, pick: (step: Step) => number) => ({
    name,
    points: steps.map((step) => [step.packetsPerSecond, pick(step)] as const),
  });
  const xLabel = "packets/s forwarded";
  const cost = [
    // Of another machine's server nobody here knows what a packet costs.
    ...(steps.some((step) => step.cpuMicrosPerForwardedPacket === null)
      ? []
      : [curve("µs of processor time for each forwarded packet", (step) => step.cpuMicrosPerForwardedPacket!)]),
    curve("loss in ‰", (step) => step.lossRatio * 1_000),
  ];
  const delay = [
    curve("delay p50, µs", (step) => step.addedDelayMicros.p50),
    curve("p99", (step) => step.addedDelayMicros.p99),
    curve("p99.9", (step) => step.addedDelayMicros.p999),
  ];
  const panels = [cost, delay].map((curves) => ({ curves, xLabel }));
  return linePlot(panels, `${shapeWords(options)} · ${machine.cpu}, Node ${machine.node}, io ${report.io}`);
}
