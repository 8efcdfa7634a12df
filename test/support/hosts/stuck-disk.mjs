/**
 * A disk that stands still as a dead file server does: once there is a file called "hold" in the directory
 * LOCKSTEP_TEST_DISK, whoever writes in a thread of the process that imports this first never comes back from the kernel.
 * There the FIFO "nobody" is opened, which nobody reads.
 */
import { syncBuiltinESMExports } from "node:module";
import threads from "node:worker_threads";

const directory = JSON.stringify(process.env.LOCKSTEP_TEST_DISK);
const HOLD = `{
  const fs = require("node:fs");
  const { writeSync } = fs;
  fs.writeSync = (...words) => {
    if (fs.existsSync(${directory} + "/hold")) fs.openSync(${directory} + "/nobody", "w");
    return writeSync(...words);
  };
}`;

const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(code, options) {
    super(options.eval ? `${HOLD};${code}` : code, options);
  }
};
syncBuiltinESMExports();
