/**
 * The priority of a shard's thread: before the other threads of the machine, as far as the system lets it.
 *
 * A shard sleeps between two packets, and whoever waits for the packet waits until the thread is given a core again. A busy
 * machine takes milliseconds for that, and the work itself takes a fraction of one. Two things help, and one system call
 * (`sched_setattr`) asks for both:
 *
 * - *nice*: a larger share of the cores. It counts among the threads of one session, container or service, and asks for a
 *   right (CAP_SYS_NICE, or RLIMIT_NICE: `LimitNICE=` of systemd).
 * - *short slices*: who asks for little at a time gets it sooner, also before what other sessions run. Everybody may ask,
 *   and Linux listens since 6.12; an older one takes the wish and forgets it.
 *
 * What is refused is done without. A thread of another class than the usual one (`chrt`) has an operator who knows what he
 * wants, and is left alone. The kernel's structure:
 *
 *     struct sched_attr   size:32 | policy:32 | flags:64 | nice:32 | priority:32 | runtime:64 | deadline:64 | period:64
 */
import type { Libc } from "./libc.ts";

/** How much nicer than the other threads of the process: as much as audio servers take. */
const NICE_STEPS = 10;
const NICE_LEAST = -20;

/** The slice that a shard asks for: what it takes for a packet to a few dozen receivers, and the least that Linux grants. */
const SLICE_NANOS = 100_000;

/** SCHED_OTHER. */
const USUAL_CLASS = 0;

/** Bytes of the structure in its first version, which every Linux knows, and where its fields are, in words. */
const ATTRIBUTES_BYTES = 48;
const ATTRIBUTES = { SIZE: 0, CLASS: 1, NICE: 4, SLICE: 6, SLICE_HIGH: 7 } as const;

/** Numbers of the system calls; glibc has had no functions for them for long. */
const CALLS = { x64: { set: 314, get: 315 }, arm64: { set: 274, get: 275 } } as const;

/** What a thread has: its nice value, and the slice that it was granted; 0 where it asked for none, or Linux keeps its own. */
export interface Priority {
  readonly nice: number;
  readonly sliceMicros: number;
}

/** Raises the priority of the thread that calls, as far as that is allowed; undefined where nothing has changed. */
export function raisePriority({ native, syscall }: Pick<Libc, "native" | "syscall">): Priority | undefined {
  const calls = CALLS[process.arch as keyof typeof CALLS];
  if (calls === undefined) return undefined;
  const address = native.allocate(ATTRIBUTES_BYTES);
  const bytes = native.view(address, ATTRIBUTES_BYTES);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, ATTRIBUTES_BYTES / 4);
  // 0 is the thread that calls.
  const read = () => syscall(calls.get, 0, address, ATTRIBUTES_BYTES, 0) === 0;
  const ask = (nice: number) => {
    words[ATTRIBUTES.NICE] = nice;
    words[ATTRIBUTES.SLICE] = SLICE_NANOS;
    words[ATTRIBUTES.SLICE_HIGH] = 0;
    return syscall(calls.set, 0, address, 0, 0) === 0;
  };
  try {
    if (!read() || words[ATTRIBUTES.CLASS] !== USUAL_CLASS) return undefined;
    const before = words[ATTRIBUTES.NICE]! | 0;
    if (!ask(Math.max(before - NICE_STEPS, NICE_LEAST)) && !ask(before)) return undefined;
    if (!read()) return undefined;
    const nice = words[ATTRIBUTES.NICE]! | 0;
    const sliceMicros = words[ATTRIBUTES.SLICE] === SLICE_NANOS ? SLICE_NANOS / 1_000 : 0;
    return nice === before && sliceMicros === 0 ? undefined : { nice, sliceMicros };
  } finally {
    native.free(address, ATTRIBUTES_BYTES);
  }
}
