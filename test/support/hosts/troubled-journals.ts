/**
 * A journals' thread whose disk does what a test says by files in the directory LOCKSTEP_TEST_DISK: while there is one called
 * "hold" it stands still, and when there is one called "die" the thread fails at its next writing.
 */
import { existsSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { runWriterThread } from "../../../io-node/journal/writer-thread.ts";

const directory = process.env.LOCKSTEP_TEST_DISK!;
const nobody = new Int32Array(new SharedArrayBuffer(4));

runWriterThread((fd, bytes, offset, length) => {
  while (existsSync(join(directory, "hold"))) Atomics.wait(nobody, 0, 0, 5);
  const die = join(directory, "die");
  if (existsSync(die)) {
    rmSync(die);
    throw new Error("the test wants it so");
  }
  return writeSync(fd, bytes, offset, length);
});
