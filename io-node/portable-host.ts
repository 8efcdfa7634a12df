/**
 * The portable host: a shard on the main thread, over `node:dgram` and `node:crypto`.
 *
 * A shard that fails is put away with its rooms, and a fresh one begins on the same sockets.
 */
import type { CandidateAddress, CryptoProvider } from "../core/index.ts";
import { createNodeCrypto } from "../io-crypto/index.ts";
import { createClock } from "./clock.ts";
import { loneSeat, type MeshSeat, type ShardLife } from "./relay-mesh.ts";
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
  readonly seat: MeshSeat;
  readonly deaths: Deaths;
  life: ShardLife;
  running: UdpHost;
  restart: NodeJS.Timeout | undefined;
}

/** Starts a shard. The sockets belong to the host from now on. */
export function startPortableHost(parts: PortableHostParts): ShardHost {
  const seat = parts.seat ?? loneSeat();
  const life = seat.begin();
  const running = run(parts, seat, life, (error) => replace(host, error));
  const host: Host = { parts, seat, deaths: [], life, running, restart: undefined };
  let closed: Promise<void> | undefined;
  return {
    get received() {
      return host.running.received;
    },
    get sent() {
      return host.running.sent;
    },
    get relayed() {
      return host.running.relayed;
    },
    get number() {
      return host.life.number;
    },
    // Of the whole process: its shards share the main thread.
    get cpuMicros() {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    wakeFd: -1,
    meet: (peer) => host.running.meet(peer),
    part: (number) => host.running.part(number),
    wake: () => host.running.wake(),
    giveUp: () => host.running.fail(new Error("the shard does not read what other shards tell it")),
    droppedUnread: 0,
    command: (commandId, command) => host.running.command(commandId, command),
    close(waitMillis) {
      clearTimeout(host.restart);
      closed ??= host.running.close(waitMillis);
      return closed;
    },
  };
}

function run(parts: PortableHostParts, seat: MeshSeat, life: ShardLife, onFailure: (error: unknown) => void): UdpHost {
  const { candidates, createEngine = createShardEngine } = parts;
  const clock = createClock();
  const crypto: CryptoProvider = createNodeCrypto();
  const engine = createEngine(createBootRecord(clock, candidates, life), crypto, parts.onLook);
  return startUdpHost({ ...parts, engine, crypto, clock, onFailure, onWake: seat.wake, onGivenUp: seat.giveUp });
}

function replace(host: Host, error: unknown): void {
  const { parts, seat } = host;
  parts.onLost(error);
  host.restart = setTimeout(
    () => {
      host.life = seat.begin();
      host.running = run(parts, seat, host.life, (next) => replace(host, next));
      parts.onServing();
    },
    pauseAfterDeath(host.deaths, performance.now()),
  );
}
