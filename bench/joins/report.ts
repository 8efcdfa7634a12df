/**
 * What `lockstep bench joins` prints for people.
 */
import type { Percentiles } from "../load/messages.ts";
import { type Machine, machineLine } from "../machine.ts";
import type { RunFigure } from "../runs.ts";
import type { JoinsFigures, JoinsOptions } from "./measure-joins.ts";

/** One report: what `--json` prints. */
export interface JoinsReport extends JoinsFigures {
  readonly benchmark: "joins";
  readonly machine: Machine;
  readonly options: JoinsOptions;
}

/** The figures of each run that a summary has. */
export function joinsFigures(runs: readonly JoinsFigures[]): RunFigure[] {
  const figure = (name: string, digits: number, pick: (run: JoinsFigures) => number): RunFigure => ({
    name,
    digits,
    values: runs.map(pick),
  });
  return [
    figure("ms of processor time for each join", 2, ({ price }) => price.cpuMillisPerJoin),
    figure("joins a second for each core", 0, ({ price }) => price.joinsPerSecondPerCore),
    figure("joins a second", 0, ({ price }) => price.joinsPerSecond),
    figure("storm: seconds until all were connected", 1, ({ storm }) => storm.seconds),
    figure("storm: first packet p50, ms", 1, ({ storm }) => storm.firstPacketMicros.p50 / 1_000),
    figure("storm: first packet p99, ms", 1, ({ storm }) => storm.firstPacketMicros.p99 / 1_000),
    figure(
      "storm: those who hear and see, %",
      1,
      ({ storm }) => (100 * Math.min(storm.hearing, storm.seeing)) / storm.peers,
    ),
  ];
}

/** The report as text. */
export function joinsText({ machine, options, io, price, storm, everybodyHearsAndSees }: JoinsReport): string {
  const { participants, people, speakers, withinSeconds } = options;
  const count = (got: number) => (got === storm.peers ? "all" : `${got} of ${storm.peers}`);
  const refused = storm.refused === 0 ? "" : `; asked to come later ${storm.refused} times`;
  const lines = [
    `Machine     ${machineLine(machine)}`,
    `Load        ${participants} participants in rooms of ${people}, ${speakers} of whom speak`,
    `Server      io ${io}; processor time of all its threads`,
    "",
    `As fast as they come, without media: ${price.joinsPerSecond.toFixed(0)} joins a second`,
    `  a join costs         ${price.cpuMillisPerJoin.toFixed(2)} ms of processor time: ${price.joinsPerSecondPerCore.toFixed(0)} a second on each core`,
    `  until connected      ${percentiles(price.connectedMicros)}`,
    "",
    `Within ${withinSeconds} s, with media: the last one was connected after ${storm.seconds.toFixed(1)} s${refused}`,
    `  hear all speakers    ${count(storm.hearing)}`,
    `  see all speakers     ${count(storm.seeing)}`,
    `  until connected      ${percentiles(storm.connectedMicros)}`,
    `  until first packet   ${percentiles(storm.firstPacketMicros)}`,
    `  until all are there  ${percentiles(storm.allSlotsMicros)}`,
  ];
  if (!everybodyHearsAndSees) lines.push("", "Not everybody hears and sees.");
  return `${lines.join("\n")}\n`;
}

function percentiles({ p50, p99 }: Percentiles): string {
  const millis = (micros: number) => (micros / 1_000).toFixed(1);
  return `p50 ${millis(p50)} ms, p99 ${millis(p99)} ms`;
}
