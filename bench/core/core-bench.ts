/**
 * All figures of `lockstep bench core`: forwarding with cryptography stubbed and with the real one, at each fan-out, and
 * the speed of simulated rooms.
 *
 * The real ciphers cost some ten times what the core does, so a tenth of the packets is enough for them.
 */
import { createNodeCrypto } from "../../io-crypto/index.ts";
import type { Progress } from "../words.ts";
import type { CallCrypto } from "./call.ts";
import { type ForwardingFigure, measureForwarding } from "./forwarding.ts";
import type { Meter } from "./meter.ts";
import { createNullCrypto } from "./null-crypto.ts";
import { measureRooms, type RoomFigure, type RoomShape } from "./simulated-room.ts";

/** What is to be measured. */
export interface CoreBenchOptions {
  readonly fanOuts: readonly number[];
  /** Packets that leave the shard for each figure with cryptography stubbed; a tenth of it with the real one. */
  readonly packets: number;
  /** Bytes of an RTP packet before it is sealed. */
  readonly packetBytes: number;
  /** Simulated seconds of each room. */
  readonly seconds: number;
}

/** What was measured. */
export interface CoreBenchFigures {
  readonly forwarding: readonly (ForwardingFigure & { readonly crypto: CryptoKind })[];
  readonly rooms: readonly RoomFigure[];
}

/** "stubbed" copies and believes everything; "node" is AES-128-GCM by `node:crypto`. */
export type CryptoKind = "stubbed" | "node";

const REAL_PACKETS_PART = 10;

/**
 * The worlds whose speed is measured. Those with the checksum come first: code that the engine has seen used with both ciphers
 * is slower, ten rooms by a twentieth, and who runs a story runs it with one.
 */
const ROOMS: readonly RoomShape[] = [
  { cipher: "checksum", rooms: 1, participants: 4, speakers: 1 },
  { cipher: "checksum", rooms: 1, participants: 4, speakers: 4 },
  { cipher: "checksum", rooms: 10, participants: 8, speakers: 1 },
  { cipher: "real", rooms: 1, participants: 4, speakers: 1 },
  { cipher: "real", rooms: 1, participants: 4, speakers: 4 },
];

/**
 * Measures everything, one figure after the other. The rooms come first: they are slower by a fifteenth in a process that has
 * seen the core used otherwise, and forwarding does not mind what was before it. `onProgress` hears what is being measured,
 * and how much is done, 0 to 1.
 */
export function measureCore(options: CoreBenchOptions, meter: Meter, onProgress: Progress): CoreBenchFigures {
  const { fanOuts, packetBytes, seconds } = options;
  const rooms = ROOMS.map((shape) => {
    const { cipher, participants, speakers } = shape;
    const report = (part: number) => {
      onProgress(`simulated rooms of ${participants}, ${speakers} speaking, cipher ${cipher}`, part);
    };
    return measureRooms(shape, seconds, meter, report);
  });
  const forwarding: CoreBenchFigures["forwarding"][number][] = [];
  for (const kind of ["stubbed", "node"] as const) {
    const crypto = kind === "stubbed" ? stubbed() : real();
    const packets = kind === "stubbed" ? options.packets : Math.ceil(options.packets / REAL_PACKETS_PART);
    for (const fanOut of fanOuts) {
      const report = (part: number) => onProgress(`forwarding to ${fanOut}, crypto ${kind}`, part);
      forwarding.push({ crypto: kind, ...measureForwarding({ fanOut, packets, packetBytes, crypto }, meter, report) });
    }
  }
  return { forwarding, rooms };
}

/** One provider for everyone: it keeps no keys that could get mixed up. */
function stubbed(): CallCrypto {
  const provider = createNullCrypto(createNodeCrypto());
  return { shard: provider, createClient: () => provider, cipher: "provider" };
}

function real(): CallCrypto {
  return { shard: createNodeCrypto(), createClient: createNodeCrypto, cipher: "real" };
}
