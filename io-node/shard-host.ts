/**
 * Shards in their hosts as the rest of the server sees them, and the choice between the two kinds of host.
 *
 * The portable one (portable-host.ts) runs on the main thread over `node:dgram` and `node:crypto`, everywhere. The fast one
 * (fast/fast-host.ts) runs on a thread of its own over batches of system calls and kept OpenSSL contexts, on Linux. Both
 * keep the same contract; which one serves is said at the start, and why.
 *
 * Each shard has a UDP port of its own: docs/decisions.md says why they don't share one.
 */
import { availableParallelism } from "node:os";
import type { CandidateAddress, CommandReply, ShardEvent } from "../core/index.ts";
import { createOpensslCrypto } from "../io-crypto/openssl-crypto.ts";
import { closeFastResources, openFastResources, startFastHost } from "./fast/fast-host.ts";
import type { Priority } from "./fast/priority.ts";
import type { IoChoice, PriorityChoice } from "./io-choice.ts";
import type { JournalLife } from "./journal/life.ts";
import { startPortableHost } from "./portable/portable-host.ts";
import { closeSocket, openUdpSockets } from "./portable/sockets.ts";
import type { UdpHost } from "./portable/udp-host.ts";
import type { MeshedHost, MeshSeat } from "./relay/relay-mesh.ts";
import type { OnLook } from "./shard-engine.ts";

/** A running shard. */
export interface ShardHost extends MeshedHost, Pick<UdpHost, "received" | "sent" | "relayed" | "command" | "close"> {
  /** The shard's number; a fresh shard has another one. */
  readonly number: number;
  /** The priority that its thread has of its own; undefined where it has that of the process. */
  readonly priority: Priority | undefined;
  /** Processor time of its thread so far; it begins anew with a fresh shard. */
  readonly cpuMicros: number;
  /** The journals of its life; undefined where none are written. */
  readonly journals: JournalLife | undefined;
  /** Datagrams that the system has dropped because the shard did not read them in time; 0 where it does not say. */
  readonly droppedUnread: number;
}

/** Who hears of what a shard does. */
export interface ShardListeners {
  /** The shard's place among others; left out, it has none beside it. */
  readonly seat?: MeshSeat | undefined;
  /** Begins the journals of a shard that is about to be born; left out, none are written. */
  readonly journals?: (() => JournalLife) | undefined;
  readonly onReply: (reply: CommandReply) => void;
  readonly onEvent: (event: ShardEvent) => void;
  /** The shard was looked at. */
  readonly onLook: OnLook;
  /** The shard has failed: everybody in a call is gone, open commands get no reply, and new ones must wait. */
  readonly onLost: (error: unknown) => void;
  /** After that: a fresh shard takes commands. */
  readonly onServing: () => void;
}

/** Open sockets on one port, before there is a shard. */
export interface MediaPort {
  readonly port: number;
  readonly hasIpv6: boolean;
  /** Starts a shard that tells clients these candidates; the host closes the sockets at its end, or when it can't start. */
  start(candidates: readonly CandidateAddress[], listeners: ShardListeners): Promise<ShardHost>;
  /** Closes the sockets of a port on which nothing was started. */
  close(): Promise<void>;
}

/** The ports of all shards. */
export interface MediaPorts {
  readonly io: "fast" | "portable";
  /** Why it is not fast, as a sentence; empty when nobody wanted that, or it is. */
  readonly why: string;
  readonly ports: readonly MediaPort[];
}

/** The fast kind was asked for and can't be had; the message is a sentence. */
export class NoFastIo extends Error {
  override readonly name = "NoFastIo";
}

/** A port can't be had; the cause has a `code` that says why. */
export class NoPort extends Error {
  override readonly name = "NoPort";
  readonly port: number;

  constructor(port: number, cause: unknown) {
    super(`UDP port ${port} can't be opened`, { cause });
    this.port = port;
  }
}

/**
 * Opens a port for each shard: `udpPort` and those after it, or free ones when it is 0. Without a number of shards, the
 * fast kind has one for each core, less one for the rest of the server where there are four or more; the portable kind,
 * whose shards share a thread, has one. Rejects with {@link NoFastIo} or {@link NoPort}; then nothing stays open.
 */
export async function openMediaPorts(
  choice: IoChoice,
  udpPort: number,
  shards?: number,
  priority: PriorityChoice = "raised",
): Promise<MediaPorts> {
  const why = choice === "portable" ? "" : whyNotFast();
  if (choice === "fast" && why !== "") throw new NoFastIo(why);
  const io = choice === "portable" || why !== "" ? "portable" : "fast";
  const open = io === "fast" ? (wanted: number) => openFastPort(wanted, priority) : openPortablePort;
  const count = shards ?? (io === "fast" ? shardsOf(availableParallelism()) : 1);
  if (udpPort + count - 1 > PORT_MAX) throw new NoPort(PORT_MAX + 1, { code: "ERANGE" });
  const ports: MediaPort[] = [];
  for (let shard = 0; shard < count; shard++) {
    const wanted = udpPort === 0 ? 0 : udpPort + shard;
    try {
      ports.push(await open(wanted));
    } catch (cause) {
      await Promise.all(ports.map((port) => port.close()));
      throw new NoPort(wanted, cause);
    }
  }
  return { io, why, ports };
}

/** The last port that there is. */
const PORT_MAX = 65_535;

/** How many shards a machine with so many cores has, when nobody says otherwise. */
export function shardsOf(cores: number): number {
  return cores >= 4 ? cores - 1 : cores;
}

/** Why this machine can't have the fast kind, as a sentence; empty when it can. */
function whyNotFast(): string {
  const crypto = createOpensslCrypto();
  if (typeof crypto === "string") return crypto;
  crypto.close();
  // One port is tried: sandboxes may forbid single system calls.
  const resources = openFastResources(0);
  if (typeof resources === "string") return resources;
  closeFastResources(resources);
  return "";
}

async function openFastPort(udpPort: number, priority: PriorityChoice): Promise<MediaPort> {
  const resources = openFastResources(udpPort);
  if (typeof resources === "string") throw new Error(resources);
  return {
    port: resources.sockets.port,
    hasIpv6: resources.sockets.fds.length > 1,
    start: (candidates, listeners) =>
      startFastHost({ resources, candidates, raised: priority === "raised", ...listeners }),
    close: async () => closeFastResources(resources),
  };
}

async function openPortablePort(udpPort: number): Promise<MediaPort> {
  const udp = await openUdpSockets(udpPort);
  return {
    port: udp.port,
    hasIpv6: udp.sockets.length > 1,
    start: async (candidates, listeners) => startPortableHost({ udp, candidates, ...listeners }),
    close: async () => void (await Promise.all(udp.sockets.map(closeSocket))),
  };
}
