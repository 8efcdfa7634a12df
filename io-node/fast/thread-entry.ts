/**
 * The module that a shard's thread runs in production. It is a file of its own, so that a test can start a thread around
 * something else than a shard.
 */
import { createShardEngine } from "../shard-engine.ts";
import { runShardThread } from "./shard-thread.ts";

runShardThread(createShardEngine);
