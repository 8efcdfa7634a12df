/**
 * A shard that obeys the names of rooms: "throw" finds a mistake of its own, "exit" ends the thread without a word, "hang"
 * never returns, "look" finds a promise broken, "keys" makes cipher contexts and keeps them; "tell-5" relays a packet of
 * 1,000 bytes and mail of 40,000 to shard 5, and "flood-5" more mail than anybody reads at once. Any other room is joined.
 * Datagrams are sent back. What other shards relay, and their end, it tells as rooms that somebody has joined:
 * "heard-1000-from-3", "lost-3".
 */
import {
  type BootRecord,
  type CryptoProvider,
  NEVER,
  type Outbox,
  type ShardInput,
  type ShardPorts,
} from "../../../core/index.ts";
import type { Engine } from "../../../io-node/engine.ts";
import type { OnLook } from "../../../io-node/shard-engine.ts";

const KEYS = 16_000;
const FLOOD_BYTES = 72 * 1_048_576;

export function createFailingEngine(_boot: BootRecord, crypto: CryptoProvider, onLook: OnLook): Engine {
  return {
    nextTimeout: () => NEVER,
    handle({ outbox }: ShardPorts, input: ShardInput) {
      switch (input.kind) {
        case "datagram": {
          const { bytes, offset, length } = input;
          const at = outbox.reserve();
          outbox.sendBytes.set(bytes.subarray(offset, offset + length), at);
          outbox.transmit(input.flow, at, length);
          return;
        }
        case "relay":
          joined(outbox, `heard-${input.length}-from-${input.shard}`);
          return;
        case "shard-lost":
          joined(outbox, `lost-${input.shard}`);
          return;
        case "command": {
          const { commandId, command } = input;
          const room = command.type === "join" ? command.room : "";
          if (room === "look") onLook([{ promise: "S15", trouble: "Nobody is at home" }]);
          for (let handle = 0; room === "keys" && handle < KEYS; handle++)
            crypto.setAeadKey(handle, new Uint8Array(16));
          obey(outbox, room);
          joined(outbox, room);
          outbox.reply({ commandId, type: "drained", sessions: 1 });
        }
      }
    },
  };
}

function obey(outbox: Outbox, room: string): void {
  if (room === "throw") throw new Error("assertion failed: on purpose");
  if (room === "exit") process.exit(3);
  while (room === "hang");
  const [what, number] = room.split("-");
  if (what === "tell") {
    outbox.relayPacket(Number(number), outbox.reserve(), 1_000);
    outbox.relayMail(Number(number), new Uint8Array(40_000));
  }
  for (let told = 0; what === "flood" && told < FLOOD_BYTES; told += 4_194_304) {
    outbox.relayMail(Number(number), new Uint8Array(4_194_304));
  }
}

function joined(outbox: Outbox, room: string): void {
  outbox.event({ type: "joined", room, participant: 1, name: "" });
}
