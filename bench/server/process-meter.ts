/**
 * What the kernel says of another process: processor time and memory, from /proc.
 */
import { readFileSync } from "node:fs";

/** Clock ticks a second in /proc (sysconf(_SC_CLK_TCK) on every Linux that Node runs on). */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/PID/stat behind the name, which may hold anything. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Processor time of all threads of a process so far. */
export interface CpuTime {
  readonly userMicros: number;
  readonly systemMicros: number;
}

/** Processor time of a process. Throws when it is gone. */
export function readCpu(pid: number): CpuTime {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const micros = (field: number) => (Number(fields[field]) * 1_000_000) / TICKS_PER_SECOND;
  return { userMicros: micros(USER_TICKS), systemMicros: micros(SYSTEM_TICKS) };
}

/** Processor time from one reading to a later one. */
export function cpuBetween(from: CpuTime, to: CpuTime): CpuTime {
  return { userMicros: to.userMicros - from.userMicros, systemMicros: to.systemMicros - from.systemMicros };
}

/** Bytes of a process that are in memory. */
export function readResidentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) * 1_024;
}
