/**
 * What `lockstep bench` prints for people: the machine and the conditions first, because figures mean nothing without them.
 */
import { availableParallelism, cpus, loadavg, release, type } from "node:os";
import type { CoreBenchFigures, CoreBenchOptions, CryptoKind } from "../bench/core-bench.ts";

/** The machine that the figures are of. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly v8: string;
  /** Programs that wanted to run, on average of the last minute, when the benchmark began. */
  readonly load: number;
}

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

/** The machine as it is now. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    system: `${type()} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
    load: Math.round(loadavg()[0]! * 10) / 10,
  };
}

/** The report as text. */
export function benchReport({ machine, options, forwarding, rooms }: BenchReport): string {
  const { cpu, cores, system, node, v8, load } = machine;
  const lines = [
    `Machine     ${cpu}, ${cores} cores, ${system}, Node ${node} (V8 ${v8}), load ${load.toFixed(1)}`,
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
  for (const { cipher, participants, simulatedSecondsPerCpuSecond, simulatedSeconds } of rooms) {
    const speed = simulatedSecondsPerCpuSecond.toFixed(2).padStart(8);
    lines.push(
      `  room of ${participants}, ${cipher.padEnd(8)} ${speed}   (${simulatedSeconds.toFixed(1)} s simulated)`,
    );
  }
  return `${lines.join("\n")}\n`;
}
