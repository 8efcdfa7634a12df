/**
 * A shard that obeys the names of rooms: "throw" finds a mistake of its own, "exit" ends the thread without a word, "hang"
 * never returns, "look" finds a promise broken. Any other room is joined. Datagrams are sent back.
 */
import { type BootRecord, type CryptoProvider, NEVER, type ShardInput, type ShardPorts } from "../../core/index.ts";
import type { OnLook } from "../../io-node/shard-engine.ts";
import type { Engine } from "../../io-node/udp-host.ts";

export function createFailingEngine(_boot: BootRecord, _crypto: CryptoProvider, onLook: OnLook): Engine {
  return {
    nextTimeout: () => NEVER,
    handle({ outbox }: ShardPorts, input: ShardInput) {
      if (input.kind === "datagram") {
        const { bytes, offset, length } = input;
        const at = outbox.reserve();
        outbox.sendBytes.set(bytes.subarray(offset, offset + length), at);
        outbox.transmit(input.flow, at, length);
        return;
      }
      if (input.kind !== "command") return;
      const { commandId, command } = input;
      const room = command.type === "join" ? command.room : "";
      if (room === "throw") throw new Error("assertion failed: on purpose");
      if (room === "exit") process.exit(3);
      while (room === "hang");
      if (room === "look") onLook([{ promise: "S15", trouble: "Nobody is at home" }]);
      outbox.event({ type: "joined", room, participant: 1, name: "" });
      outbox.reply({ commandId, type: "drained", sessions: 1 });
    },
  };
}
