/**
 * What `lockstep bench` prints for people: the machine and the conditions first, because figures mean nothing without them.
 */
import { type Machine, machineLine } from "../machine.ts";
import type { RunFigure } from "../runs.ts";
import type { CoreBenchFigures, CoreBenchOptions, CryptoKind } from "./core-bench.ts";
import type { RoomShape } from "./simulated-room.ts";

/** One report: what `--json` prints. */
export interface BenchReport extends CoreBenchFigures {
  readonly benchmark: "core";
  readonly machine: Machine;
  readonly options: CoreBenchOptions;
}

const CRYPTO_TITLE: Readonly<Record<CryptoKind, string>> = {
  stubbed: "Forwarding, host and cryptography stubbed",
  node: "Forwarding, host stubbed, AES-128-GCM by node:crypto",
};

/** The figures of each run that a summary has. */
export function coreFigures(runs: readonly CoreBenchFigures[]): RunFigure[] {
  const figures: RunFigure[] = [];
  for (const [index, { crypto, fanOut }] of (runs[0]?.forwarding ?? []).entries()) {
    const of = (pick: (figure: CoreBenchFigures["forwarding"][number]) => number) =>
      runs.map(({ forwarding }) => pick(forwarding[index]!));
    const what = `crypto ${crypto}, fan-out ${fanOut}`;
    figures.push(
      { name: `${what}: µs a packet`, digits: 2, values: of(({ microsPerPacket }) => microsPerPacket) },
      { name: `${what}: packets a second`, digits: 0, values: of(({ packetsPerSecond }) => packetsPerSecond) },
      { name: `${what}: bytes a packet`, digits: 2, values: of(({ bytesPerPacket }) => bytesPerPacket) },
    );
  }
  for (const [index, shape] of (runs[0]?.rooms ?? []).entries()) {
    const values = runs.map(({ rooms }) => rooms[index]!.simulatedSecondsPerCpuSecond);
    figures.push({ name: `${roomsText(shape)}, ${shape.cipher}: seconds a second`, digits: 1, values });
  }
  return figures;
}

/** The report as text. */
export function benchReport({ machine, options, forwarding, rooms }: BenchReport): string {
  const lines = [
    `Machine     ${machineLine(machine)}`,
    `Conditions  one core, processor time of the process; packets of ${options.packetBytes} bytes`,
  ];
  for (const crypto of ["stubbed", "node"] as const) {
    lines.push("", CRYPTO_TITLE[crypto], "   fan-out     packets/s   µs/packet   of timers   bytes allocated/packet");
    for (const figure of forwarding) {
      if (figure.crypto !== crypto) continue;
      lines.push(
        [
          String(figure.fanOut).padStart(10),
          Math.round(figure.packetsPerSecond).toLocaleString("en").padStart(14),
          figure.microsPerPacket.toFixed(2).padStart(12),
          figure.timerMicrosPerPacket.toFixed(3).padStart(12),
          figure.bytesPerPacket.toFixed(2).padStart(25),
        ].join(""),
      );
    }
  }
  lines.push("", "Simulated seconds per second of processor time, with everything that a run does");
  for (const figure of rooms) {
    const { cipher, simulatedSecondsPerCpuSecond, simulatedSeconds } = figure;
    const speed = simulatedSecondsPerCpuSecond.toFixed(2).padStart(8);
    lines.push(
      `  ${roomsText(figure).padEnd(34)} ${cipher.padEnd(8)} ${speed}   (${simulatedSeconds.toFixed(1)} s simulated)`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function roomsText({ rooms, participants, speakers }: RoomShape): string {
  const one = rooms === 1;
  return `${one ? "a room" : `${rooms} rooms`} of ${participants}, ${speakers} speaking${one ? "" : " in each"}`;
}
