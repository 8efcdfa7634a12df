/**
 * The portable host: a shard on the main thread, over `node:dgram` and `node:crypto`.
 *
 * A shard that fails is put away with its rooms, and a fresh one begins on the same sockets.
 */
import type { CandidateAddress, CryptoProvider } from "../../core/index.ts";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { createClock } from "../clock.ts";
import type { JournalLife } from "../journal/life.ts";
import { finishJournals } from "../journal/sink.ts";
import { loneSeat, type MeshSeat, type ShardLife } from "../relay/relay-mesh.ts";
import { type Deaths, pauseAfterDeath } from "../restarts.ts";
import { type CreateEngine, createBootRecord, createShardEngine } from "../shard-engine.ts";
import type { ShardHost, ShardListeners } from "../shard-host.ts";
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
  running: Running;
  restart: NodeJS.Timeout | undefined;
}

/** A shard in its loop. */
interface Running {
  readonly life: ShardLife;
  readonly journals: JournalLife | undefined;
  readonly udp: UdpHost;
}

/** Starts a shard. The sockets belong to the host from now on. */
export function startPortableHost(parts: PortableHostParts): ShardHost {
  const seat = parts.seat ?? loneSeat();
  const running = run(parts, seat, (error) => replace(host, error));
  const host: Host = { parts, seat, deaths: [], running, restart: undefined };
  let closed: Promise<void> | undefined;
  return {
    get received() {
      return host.running.udp.received;
    },
    get sent() {
      return host.running.udp.sent;
    },
    get relayed() {
      return host.running.udp.relayed;
    },
    get number() {
      return host.running.life.number;
    },
    get journals() {
      return host.running.journals;
    },
    // Of the whole process: its shards share the main thread.
    get cpuMicros() {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    priority: undefined,
    wakeFd: -1,
    meet: (peer) => host.running.udp.meet(peer),
    part: (number) => host.running.udp.part(number),
    wake: () => host.running.udp.wake(),
    giveUp: () => host.running.udp.fail(new Error("the shard does not read what other shards tell it")),
    droppedUnread: 0,
    command: (commandId, command) => host.running.udp.command(commandId, command),
    close(waitMillis) {
      clearTimeout(host.restart);
      closed ??= end(host.running, waitMillis);
      return closed;
    },
  };
}

function run(parts: PortableHostParts, seat: MeshSeat, onFailure: (error: unknown) => void): Running {
  const { candidates, createEngine = createShardEngine } = parts;
  const clock = createClock();
  const crypto: CryptoProvider = createNodeCrypto();
  const life = seat.begin();
  const journals = parts.journals?.();
  const engine = createEngine(createBootRecord(clock, candidates, life), crypto, parts.onLook, journals);
  const wake = { onWake: seat.wake, onGivenUp: seat.giveUp };
  return { life, journals, udp: startUdpHost({ ...parts, ...wake, engine, crypto, clock, onFailure }) };
}

async function end({ udp, journals }: Running, waitMillis: number): Promise<void> {
  await udp.close(waitMillis);
  if (journals !== undefined) finishJournals(journals);
}

function replace(host: Host, error: unknown): void {
  const { parts, seat, running } = host;
  if (running.journals !== undefined) finishJournals(running.journals);
  parts.onLost(error);
  host.restart = setTimeout(
    () => {
      host.running = run(parts, seat, (next) => replace(host, next));
      parts.onServing();
    },
    pauseAfterDeath(host.deaths, performance.now()),
  );
}
