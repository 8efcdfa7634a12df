/**
 * Where a worker thread of a crew begins: plain JavaScript, because a thread has no TypeScript before it has registered tsx.
 */
import { parentPort, workerData } from "node:worker_threads";
import { register } from "tsx/esm/api";

register();
const { work } = (await import(workerData.module))[workerData.name];
parentPort.on("message", async (task) => {
  parentPort.postMessage(await work(task));
});
