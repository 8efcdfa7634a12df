/**
 * A thread of the fast host around a shard that obeys the names of rooms: "throw" finds a mistake of its own, "exit" ends
 * the thread without a word, "hang" never returns.
 */
import { NEVER, type ShardInput, type ShardPorts } from "../../core/index.ts";
import { runShardThread } from "../../io-node/fast/shard-thread.ts";

runShardThread(() => ({
  nextTimeout: () => NEVER,
  handle({ outbox }: ShardPorts, input: ShardInput) {
    if (input.kind === "datagram") {
      outbox.transmit(input.flow, outbox.reserve(), input.length);
      return;
    }
    if (input.kind !== "command") return;
    const { commandId, command } = input;
    const room = command.type === "join" ? command.room : "";
    if (room === "throw") throw new Error("assertion failed: on purpose");
    if (room === "exit") process.exit(3);
    while (room === "hang");
    outbox.event({ type: "joined", room, participant: 1, name: "" });
    outbox.reply({ commandId, type: "drained", sessions: 1 });
  },
}));
