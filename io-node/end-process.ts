/**
 * The end of a process one of whose threads does not come back from the kernel, as from a disk that stands still.
 *
 * Node ends in order: it waits for its threads, and would wait for that one for ever. `_exit` of C waits for nobody and
 * keeps the status. Where no C can be called a process has only the signal that can't be refused, and whoever started it
 * sees the status 137.
 */
import { loadNative } from "../io-crypto/native.ts";

/** Ends this process at once with this status, or by SIGKILL. Nothing that is still to be written gets out. */
export function endAtOnce(status: number): void {
  const native = loadNative();
  if (typeof native !== "string") native.find("_exit", "void", ["int"])(status);
  process.kill(process.pid, "SIGKILL");
}
