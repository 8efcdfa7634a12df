/**
 * Where a worker thread begins: plain JavaScript, because a thread has no TypeScript before it has registered tsx.
 */
import { register } from "tsx/esm/api";

register();
await import("./search-worker.ts");
