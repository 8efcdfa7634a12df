/** A thread of the fast host around a shard that fails when it is told to. */
import { runShardThread } from "../../../io-node/fast/shard-thread.ts";
import { createFailingEngine } from "./failing-engine.ts";

runShardThread(createFailingEngine);
