/**
 * What the kernel says of another process: processor time and memory, from /proc.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc (sysconf(_SC_CLK_TCK) on every Linux that Node runs on). */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/PID/stat behind the name, which may hold anything. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Processor time of all threads of a process so far. */
export interface CpuReading {
  readonly totalMicros: number;
  /** What the kernel found when it looked, once a tick: enough to say how the total is divided, too coarse to add up. */
  readonly userTicks: number;
  readonly systemTicks: number;
}

/** Processor time between two readings. */
export interface CpuTime {
  readonly userMicros: number;
  readonly systemMicros: number;
}

/**
 * Reads the processor time of a process, to the microsecond where the kernel counts for each thread (CONFIG_SCHED_INFO). What
 * threads that have ended had used is known by ticks alone. Throws when the process is gone.
 */
export function readCpu(pid: number): CpuReading {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const userTicks = Number(fields[USER_TICKS]);
  const systemTicks = Number(fields[SYSTEM_TICKS]);
  const ticksMicros = ((userTicks + systemTicks) * 1_000_000) / TICKS_PER_SECOND;
  return { totalMicros: Math.max(ticksMicros, threadsMicros(pid)), userTicks, systemTicks };
}

/** Processor time from one reading to a later one. */
export function cpuBetween(from: CpuReading, to: CpuReading): CpuTime {
  const totalMicros = Math.max(0, to.totalMicros - from.totalMicros);
  const userTicks = to.userTicks - from.userTicks;
  const ticks = userTicks + to.systemTicks - from.systemTicks;
  const userMicros = ticks > 0 ? (totalMicros * userTicks) / ticks : totalMicros;
  return { userMicros, systemMicros: totalMicros - userMicros };
}

function threadsMicros(pid: number): number {
  const threads = `/proc/${pid}/task`;
  let nanos = 0;
  for (const thread of readdirSync(threads)) {
    try {
      nanos += Number(readFileSync(`${threads}/${thread}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // The thread has ended since the folder was read, or this kernel does not count.
    }
  }
  return nanos / 1_000;
}

/** Bytes of a process that are in memory. */
export function readResidentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) * 1_024;
}
