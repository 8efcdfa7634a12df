/**
 * The machine that figures are of: figures mean nothing without it.
 */
import { availableParallelism, cpus, loadavg, release, type } from "node:os";

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

/** The machine in one line. */
export function machineLine({ cpu, cores, system, node, v8, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${system}, Node ${node} (V8 ${v8}), load ${load.toFixed(1)}`;
}
