/**
 * What `lockstep bench overload` prints for people, and its plot.
 */
import { shapeWords } from "../load/shape.ts";
import { type Machine, machineLine } from "../machine.ts";
import { linePlot } from "../plot.ts";
import type { OverloadFigures, OverloadOptions, OverloadStep } from "./measure-overload.ts";

/** One report: what `--json` prints. */
export interface OverloadReport extends OverloadFigures {
  readonly benchmark: "overload";
  readonly machine: Machine;
  readonly options: OverloadOptions;
}

const MEBIBYTE = 1_024 * 1_024;

/** The report as text. */
export function overloadText(report: OverloadReport): string {
  const { machine, options, io, capacity, capacityPacketsPerSecond, steps, recovery, residentBytesAfter } = report;
  const after = (seconds: number | null) => (seconds === null ? "never" : `after ${seconds.toFixed(1)} s`);
  const lines = [
    `Machine     ${machineLine(machine)}`,
    `Load        ${shapeWords(options)}; ${options.settleSeconds} s before each step, ${options.seconds} s measured`,
    `Server      io ${io}; it carries ${capacity} packets/s a stream, ${round(capacityPacketsPerSecond)} forwarded`,
    "",
    "   load   packets/s   packets/s   joins      audio   video   video slots   delay ms:  p99   memory   server's   load's",
    "           a stream   forwarded   refused        %       %         with any               MiB      cores     core",
    ...steps.map(stepLine),
    "",
    `At half of what it carries: joins are taken again ${after(recovery.joinsSeconds)}, all video is back ${after(recovery.videoSeconds)}; memory ${round(residentBytesAfter / MEBIBYTE)} MiB`,
  ];
  if (steps.every(({ joins }) => joins.refused === 0)) {
    lines.push("The server was never so busy that it refused anything: ask for more with --capacity.");
  }
  lines.push(...report.broken);
  return `${lines.join("\n")}\n`;
}

/** What became of joins, audio and video, and of memory, against the load. */
export function overloadPlot({ machine, options, io, steps }: OverloadReport): string {
  const curve = (name: string, pick: (step: OverloadStep) => number) => ({
    name,
    points: steps.map((step) => [step.load, pick(step)] as const),
  });
  const share = [
    curve("audio that comes, %", ({ audioRatio }) => 100 * audioRatio),
    curve("video that comes, %", ({ videoRatio }) => 100 * videoRatio),
    curve("joins taken, %", ({ joins }) =>
      joins.tried === 0 ? 0 : (100 * (joins.tried - joins.refused)) / joins.tried,
    ),
  ];
  const memory = [curve("memory of the server, MiB", ({ residentBytes }) => residentBytes / MEBIBYTE)];
  const delay = [curve("delay p99, ms", ({ addedDelayMicros }) => addedDelayMicros.p99 / 1_000)];
  const panels = [share, memory, delay].map((curves) => ({ curves, xLabel: "load, in times what the server carries" }));
  return linePlot(panels, `${shapeWords(options)} · ${machine.cpu}, Node ${machine.node}, io ${io}`);
}

function stepLine(step: OverloadStep): string {
  const { joins, addedDelayMicros, videoSlotsServed, videoSlots } = step;
  return [
    step.load.toFixed(1).padStart(7),
    String(step.packetsPerSecondPerStream).padStart(12),
    round(step.packetsPerSecond).padStart(12),
    `${joins.refused} of ${joins.tried}`.padStart(10),
    (100 * step.audioRatio).toFixed(1).padStart(9),
    (100 * step.videoRatio).toFixed(1).padStart(8),
    `${videoSlotsServed} of ${videoSlots}`.padStart(14),
    (addedDelayMicros.p99 / 1_000).toFixed(1).padStart(16),
    round(step.residentBytes / MEBIBYTE).padStart(9),
    step.coresBusy.toFixed(2).padStart(11),
    `${Math.round(step.generatorBusy * 100)} %`.padStart(9),
  ].join("");
}

function round(value: number): string {
  return Math.round(value).toLocaleString("en");
}
