/**
 * The portable host: a shard on the main thread, over `node:dgram` and `node:crypto`.
 *
 * A shard that fails is put away with its rooms, and a fresh one begins on the same sockets.
 */
import type { CandidateAddress, CryptoProvider } from "../core/index.ts";
import { createNodeCrypto } from "../io-crypto/index.ts";
import { createClock } from "./clock.ts";
import { type Deaths, pauseAfterDeath } from "./restarts.ts";
import { type CreateEngine, createBootRecord, createShardEngine } from "./shard-engine.ts";
import type { ShardHost, ShardListeners } from "./shard-host.ts";
import type { UdpSockets } from "./sockets.ts";
import { startUdpHost, type UdpHost } from "./udp-host.ts";

/** What a host is made of. */
export interface PortableHostParts extends ShardListeners {
  readonly udp: UdpSockets;
  readonly candidates: readonly CandidateAddress[];
  /** What makes the shard; tests have others. */
  readonly createEngine?: CreateEngine;
}

/** The host's own state. */
interface Host {
  readonly parts: PortableHostParts;
  readonly deaths: Deaths;
  running: UdpHost;
  restart: NodeJS.Timeout | undefined;
}

/** Starts a shard. The sockets belong to the host from now on. */
export function startPortableHost(parts: PortableHostParts): ShardHost {
  const host: Host = { parts, deaths: [], running: run(parts, (error) => replace(host, error)), restart: undefined };
  let closed: Promise<void> | undefined;
  return {
    get received() {
      return host.running.received;
    },
    get sent() {
      return host.running.sent;
    },
    // Of the whole process: its shards share the main thread.
    get cpuMicros() {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    command: (commandId, command) => host.running.command(commandId, command),
    close(waitMillis) {
      clearTimeout(host.restart);
      closed ??= host.running.close(waitMillis);
      return closed;
    },
  };
}

function run(parts: PortableHostParts, onFailure: (error: unknown) => void): UdpHost {
  const { candidates, createEngine = createShardEngine } = parts;
  const clock = createClock();
  const crypto: CryptoProvider = createNodeCrypto();
  const engine = createEngine(createBootRecord(clock, candidates), crypto);
  return startUdpHost({ ...parts, engine, crypto, clock, onFailure });
}

function replace(host: Host, error: unknown): void {
  const { parts } = host;
  parts.onLost(error);
  host.restart = setTimeout(
    () => {
      host.running = run(parts, (next) => replace(host, next));
      parts.onServing();
    },
    pauseAfterDeath(host.deaths, performance.now()),
  );
}
