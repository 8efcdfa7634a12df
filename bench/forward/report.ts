/**
 * What `lockstep bench forward` prints: one object for machines, a table for people, a plot as SVG.
 */

import { shapeWords } from "../load/shape.ts";
import { type Machine, machineLine } from "../machine.ts";
import { middleRun, type Reports, type RunFigure } from "../runs.ts";
import { type HalfLoad, halfLoadLines, halfLoadOf } from "./half-load.ts";
import { bestStep, type ForwardFigures, type ForwardOptions, type ForwardStep } from "./measure-forward.ts";

/** One report: what `--json` prints. The figures at the top are those of the last step without loss. */
export interface ForwardReport extends ForwardFigures {
  readonly benchmark: "forward";
  readonly machine: Machine;
  readonly options: ForwardOptions;
  readonly cpuMicrosPerForwardedPacket: number | null;
  readonly ratioToLimit: number | null;
  readonly ratioToLimitC: number | null;
  readonly packetsPerSecond: number;
  /** What one core carries at this price. */
  readonly packetsPerSecondPerCore: number | null;
  readonly lossRatio: number;
  readonly addedDelayMicros: ForwardStep["addedDelayMicros"];
  /** Of a ramp; null where there is none, or too little is known. */
  readonly halfLoad: HalfLoad | null;
}

/** Puts a report together. */
export function createForwardReport(machine: Machine, options: ForwardOptions, figures: ForwardFigures): ForwardReport {
  const best = bestStep(figures.steps);
  const cpu = best.cpuMicrosPerForwardedPacket;
  const ratio = (limit: number | null) => (cpu === null || limit === null ? null : cpu / limit);
  return {
    benchmark: "forward",
    machine,
    options,
    ...figures,
    cpuMicrosPerForwardedPacket: cpu,
    ratioToLimit: ratio(figures.limitMicrosPerPacket),
    ratioToLimitC: ratio(figures.limitCMicrosPerPacket),
    packetsPerSecond: best.packetsPerSecond,
    packetsPerSecondPerCore: cpu === null ? null : 1_000_000 / cpu,
    lossRatio: best.lossRatio,
    addedDelayMicros: best.addedDelayMicros,
    halfLoad: halfLoadOf(figures.steps),
  };
}

/** The report of the run in the middle, by its price a packet, or by its delay where that is not known. */
export function medianReport(reports: Reports<ForwardReport>): ForwardReport {
  return middleRun(
    reports,
    ({ cpuMicrosPerForwardedPacket, addedDelayMicros }) => cpuMicrosPerForwardedPacket ?? addedDelayMicros.p50,
  );
}

/** The figures of each run that a summary has. */
export function forwardFigures(reports: readonly ForwardReport[]): RunFigure[] {
  const figure = (name: string, digits: number, pick: (report: ForwardReport) => number | null): RunFigure => ({
    name,
    digits,
    values: reports.map(pick),
  });
  return [
    figure("µs a forwarded packet", 2, (report) => report.cpuMicrosPerForwardedPacket),
    figure("times the limit through the adapter", 2, (report) => report.ratioToLimit),
    figure("times the limit in C", 2, (report) => report.ratioToLimitC),
    figure("limit through the adapter, µs a packet", 2, (report) => report.limitMicrosPerPacket),
    figure("limit in C, µs a packet", 2, (report) => report.limitCMicrosPerPacket),
    figure("packets a second", 0, (report) => report.packetsPerSecond),
    figure("packets a second for each core", 0, (report) => report.packetsPerSecondPerCore),
    figure("loss, %", 3, (report) => report.lossRatio * 100),
    figure("delay p50, µs", 0, (report) => report.addedDelayMicros.p50),
    figure("delay p99, µs", 0, (report) => report.addedDelayMicros.p99),
    figure("delay p99.9, µs", 0, (report) => report.addedDelayMicros.p999),
    figure("delay p99 at half load, µs", 0, (report) => report.halfLoad?.p99Micros ?? null),
    figure("ms of processor time for each join", 2, (report) => report.joins.cpuMillisPerJoin),
    figure("KiB for each participant before media", 0, ({ bytesPerParticipant: bytes }) =>
      bytes === null ? null : bytes / 1_024,
    ),
  ];
}

/** The report as text. */
export function forwardText(report: ForwardReport): string {
  const { machine, options, io, joins, bytesPerParticipant, steps } = report;
  const lines = [
    `Machine     ${machineLine(machine)}`,
    `Load        ${shapeWords(options)}; ${options.seconds} s each step`,
    `Server      io ${io}; processor time of all its threads`,
    `Joins       ${joins.count} in ${joins.seconds.toFixed(1)} s, ${fixed(joins.cpuMillisPerJoin, 1)} ms of processor time each`,
    `Memory      ${bytesPerParticipant === null ? "unknown" : Math.round(bytesPerParticipant / 1_024)} KiB for each participant before media`,
    "",
    "  packets/s    packets/s       loss   µs/packet    user   system     delay µs: p50      p99    p99.9   gc ms  load's core",
    "   a stream    forwarded          %",
    ...steps.map(stepLine),
    "",
    ...halfLoadLines(report.halfLoad),
    ...limitLines(report),
    ...warnings(steps),
  ];
  return `${lines.join("\n")}\n`;
}

function stepLine(step: ForwardStep): string {
  const { addedDelayMicros: delay, garbage } = step;
  return [
    String(step.packetsPerSecondPerStream).padStart(11),
    Math.round(step.packetsPerSecond).toLocaleString("en").padStart(13),
    (step.lossRatio * 100).toFixed(3).padStart(11),
    fixed(step.cpuMicrosPerForwardedPacket, 2).padStart(12),
    fixed(step.userMicrosPerForwardedPacket, 2).padStart(8),
    fixed(step.systemMicrosPerForwardedPacket, 2).padStart(9),
    String(Math.round(delay.p50)).padStart(18),
    String(Math.round(delay.p99)).padStart(9),
    String(Math.round(delay.p999)).padStart(9),
    fixed(garbage === null ? null : garbage.totalMicros / 1_000, 1).padStart(8),
    `${Math.round(step.generatorBusy * 100)} %`.padStart(13),
  ].join("");
}

function limitLines(report: ForwardReport): string[] {
  const { limitMicrosPerPacket, limitCMicrosPerPacket, limitWhy, ratioToLimit, ratioToLimitC } = report;
  const lines: string[] = [];
  const line = (what: string, limit: number | null, ratio: number | null) => {
    if (limit !== null)
      lines.push(`${what}  ${limit.toFixed(2)} µs a packet; the server needs ${fixed(ratio, 2)} times that`);
  };
  line("Limit, adapter", limitMicrosPerPacket, ratioToLimit);
  line("Limit in C    ", limitCMicrosPerPacket, ratioToLimitC);
  if (limitWhy !== "") lines.push(limitWhy);
  return lines;
}

/** What makes figures worth less than they look. */
function warnings(steps: readonly ForwardStep[]): string[] {
  const lines: string[] = [];
  const of = (count: number, total: number) => `${count} of ${total}`;
  for (const step of steps) {
    const rate = `at ${step.packetsPerSecondPerStream} packets/s`;
    if (step.wrong > 0)
      lines.push(`Wrong: ${of(step.wrong, step.verified)} opened packets were not what was sent, ${rate}.`);
    if (step.slotsServed < step.slots)
      lines.push(`Silent: only ${of(step.slotsServed, step.slots)} slots received, ${rate}.`);
    if (step.generatorBusy > 0.9) lines.push(`The load generator was at its limit ${rate}: the figures are its own.`);
  }
  return lines;
}

function fixed(value: number | null, digits: number): string {
  return value === null ? "-" : value.toFixed(digits);
}
