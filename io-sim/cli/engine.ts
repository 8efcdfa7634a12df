/**
 * How V8 is to be set for who simulates.
 *
 * Nothing that a run does depends on it, and its fingerprint does not: it is about time alone.
 */
import { setFlagsFromString } from "node:v8";

/**
 * Has the engine make all that is new where garbage is cheap to collect. It may come to believe otherwise by what it sees in
 * the first second, while its young generation is still small and a packet that takes 10 ms is old in it: then it makes each
 * event and packet among what lives for long, in about two runs of five, and such a run is slower by a fifth to its end. For
 * the whole process, before the code of worlds is compiled.
 */
export function settleEngine(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
