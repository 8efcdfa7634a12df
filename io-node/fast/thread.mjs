/**
 * The first file of a shard's thread. A new thread knows no TypeScript, so this one is plain JavaScript: it brings in tsx,
 * as lockstep.mjs does for the main thread, and then the module that it was told.
 */
import { workerData } from "node:worker_threads";
import { register } from "tsx/esm/api";

register();
await import(workerData.entry);
