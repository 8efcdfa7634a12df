/**
 * A shard in its host as the rest of the server sees it, and the choice between the two kinds.
 *
 * The portable host runs on the main thread over `node:dgram` and `node:crypto`, everywhere. The fast one runs on a thread
 * of its own over batches of system calls and kept OpenSSL contexts, on Linux. Both keep the same contract; which one
 * serves is said at the start, and why.
 */
import type { CandidateAddress, CommandReply, ShardEvent } from "../core/index.ts";
import { createNodeCrypto } from "../io-crypto/index.ts";
import { createOpensslCrypto } from "../io-crypto/openssl-crypto.ts";
import { createClock } from "./clock.ts";
import { openFastResources, startFastHost } from "./fast/fast-host.ts";
import type { IoChoice } from "./io-choice.ts";
import { createBootRecord, createShardEngine } from "./shard-engine.ts";
import { openUdpSockets, type UdpSockets } from "./sockets.ts";
import { startUdpHost, type UdpHost } from "./udp-host.ts";

/** A running shard. */
export type ShardHost = Pick<UdpHost, "received" | "sent" | "command" | "close">;

/** Who hears of what a shard does. */
export interface ShardListeners {
  readonly onReply: (reply: CommandReply) => void;
  readonly onEvent: (event: ShardEvent) => void;
  /** The shard has failed and a fresh one takes over: everybody in a call is gone, open commands get no reply. */
  readonly onLost: (error: unknown) => void;
  /** The shard has failed, and there is no other. */
  readonly onFailure: (error: unknown) => void;
}

/** Open sockets of one kind, before there is a shard. */
export interface MediaPort {
  readonly port: number;
  readonly hasIpv6: boolean;
  readonly io: "fast" | "portable";
  /** Why it is not fast, as a sentence; empty when nobody wanted that, or it is. */
  readonly why: string;
  /** Starts a shard that tells clients these candidates; the host closes the sockets at its end, or when it can't start. */
  start(candidates: readonly CandidateAddress[], listeners: ShardListeners): Promise<ShardHost>;
}

/** The fast kind was asked for and can't be had; the message is a sentence. */
export class NoFastIo extends Error {
  override readonly name = "NoFastIo";
}

/** Opens the media port. Rejects with {@link NoFastIo}, or with an error whose `code` says why the port can't be had. */
export async function openMediaPort(choice: IoChoice, udpPort: number): Promise<MediaPort> {
  if (choice === "portable") return portablePort(await openUdpSockets(udpPort), "");
  const crypto = createOpensslCrypto();
  if (typeof crypto !== "string") crypto.close();
  const resources = typeof crypto === "string" ? crypto : openFastResources(udpPort);
  if (typeof resources !== "string") {
    return {
      port: resources.sockets.port,
      hasIpv6: resources.sockets.fds.length > 1,
      io: "fast",
      why: "",
      start: (candidates, listeners) => startFastHost({ resources, candidates, ...listeners }),
    };
  }
  if (choice === "fast") throw new NoFastIo(resources);
  return portablePort(await openUdpSockets(udpPort), resources);
}

function portablePort(udp: UdpSockets, why: string): MediaPort {
  return {
    port: udp.port,
    hasIpv6: udp.sockets.length > 1,
    io: "portable",
    why,
    start: async (candidates, listeners) => startPortableHost(udp, candidates, listeners),
  };
}

/** A shard on this thread. */
function startPortableHost(
  udp: UdpSockets,
  candidates: readonly CandidateAddress[],
  listeners: ShardListeners,
): ShardHost {
  const clock = createClock();
  const crypto = createNodeCrypto();
  const boot = createBootRecord(clock, candidates);
  return startUdpHost({ engine: createShardEngine(boot, crypto), crypto, clock, udp, ...listeners });
}
