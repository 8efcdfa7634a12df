/**
 * How V8 is to be set for who simulates.
 *
 * Nothing that a run does depends on it, and its fingerprint does not: it is about time alone.
 */
import { setFlagsFromString } from "node:v8";

/** Each set for a reason that stands at {@link settleEngine}. */
const FLAGS = ["--no-allocation-site-pretenuring", "--no-parallel-scavenge", "--no-concurrent-array-buffer-sweeping"];

/**
 * Has the engine make all that is new where garbage is cheap to collect. It may come to believe otherwise by what it sees in
 * the first second, while its young generation is still small and a packet that takes 10 ms is old in it: then it makes each
 * event and packet among what lives for long, in about two runs of five, and such a run is slower by a fifth to its end.
 *
 * And has it collect what is new in the thread that made it. Of 16 MiB of packets next to nothing is left; to wake other
 * threads for that, and to wait for them, costs more processor time than they save, a twentieth of all in a large world; and
 * where many runs go on at once, no other core is free.
 *
 * For the whole process, before the code of worlds is compiled.
 */
export function settleEngine(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
