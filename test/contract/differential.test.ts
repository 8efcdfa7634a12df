/**
 * One recorded call, told to both real hosts: every byte that leaves them is the same. They have nothing in common but the
 * core: sockets of Node against system calls, `node:crypto` against kept contexts of OpenSSL, a table of texts against one
 * of raw addresses. Each address of the recording has a socket of its own on loopback, and talks to both hosts.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type BootRecord, createShard, type Micros, micros, shardHandle, shardNextTimeout } from "../../core/index.ts";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import type { Engine } from "../../io-node/engine.ts";
import { closeFastResources, openFastResources } from "../../io-node/fast/fast-host.ts";
import { createFastLoop, fastCommand, fastTurn } from "../../io-node/fast/loop.ts";
import { openBlock } from "../../io-node/fast/memory.ts";
import { openUdpSockets } from "../../io-node/portable/sockets.ts";
import { startUdpHost } from "../../io-node/portable/udp-host.ts";
import { requireOpensslCrypto } from "../support/crypto/openssl-crypto.ts";
import { type JournalLine, journalOf } from "../support/shards/recording.ts";

/** A real host that is told a recording. */
interface Subject {
  readonly port: number;
  /** Inputs that its shard was given, and datagrams that it wanted sent. */
  readonly counts: { inputs: number; sent: number };
  /** Lets the host do what it has to at this time; resolves when it has. */
  turn(now: Micros, kind: string): Promise<void>;
  command(now: Micros, line: JournalLine): void;
  stop(): Promise<void>;
}

const pause = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The shard of the recording, counted. */
function countedEngine(
  boot: BootRecord,
  crypto: ReturnType<typeof createNodeCrypto>,
  counts: Subject["counts"],
): Engine {
  const shard = createShard(boot, crypto);
  return {
    nextTimeout: () => shardNextTimeout(shard),
    handle(ports, input) {
      const { outbox } = ports;
      const transmit: typeof outbox.transmit = (flow, offset, length) => {
        counts.sent += 1;
        outbox.transmit(flow, offset, length);
      };
      shardHandle(shard, { ...ports, outbox: { ...outbox, transmit } }, input);
      counts.inputs += 1;
    },
  };
}

const nobody = {
  onReply() {},
  onEvent() {},
  onFailure(error: unknown) {
    throw error;
  },
};

async function createPortable(boot: BootRecord): Promise<Subject> {
  const udp = await openUdpSockets(0);
  const counts = { inputs: 0, sent: 0 };
  const crypto = createNodeCrypto();
  let time = boot.now;
  const engine = countedEngine(boot, crypto, counts);
  const host = startUdpHost({ ...nobody, engine, crypto, udp, clock: () => time });
  return {
    port: udp.port,
    counts,
    async turn(now, kind) {
      const before = counts.inputs;
      time = now;
      // Node's timers stand still, so that nothing but the recording says what time it is.
      if (kind === "timer" && engine.nextTimeout() <= now) vi.runOnlyPendingTimers();
      while (kind === "datagram" && counts.inputs === before) await pause();
    },
    command(now, { commandId, command }) {
      time = now;
      host.command(commandId, command);
    },
    stop: () => host.close(0),
  };
}

async function createFast(boot: BootRecord): Promise<Subject> {
  const resources = openFastResources(0);
  if (typeof resources === "string") throw new Error(resources);
  const { libc, sockets, wakeFd, block } = resources;
  const counts = { inputs: 0, sent: 0 };
  const crypto = requireOpensslCrypto();
  let time = boot.now;
  const loop = createFastLoop({
    ...nobody,
    libc,
    wakeFd,
    fds: sockets.fds,
    block: openBlock(libc.native, block.address, block.length),
    engine: countedEngine(boot, crypto, counts),
    crypto,
    clock: () => time,
    flowSeed: 1,
  });
  return {
    port: sockets.port,
    counts,
    async turn(now, kind) {
      const before = counts.inputs;
      time = now;
      // One turn does it, unless the datagram is still on its way.
      do fastTurn(loop, 10_000);
      while (kind === "datagram" && counts.inputs === before);
    },
    command(now, { commandId, command }) {
      time = now;
      fastCommand(loop, commandId, command);
      fastTurn(loop, 0);
    },
    async stop() {
      closeFastResources(resources);
      crypto.close();
    },
  };
}

/** Sockets for the addresses of a recording; what comes to them is kept by the port that it came from. */
function createClients() {
  const sockets = new Map<string, Socket>();
  const received = new Map<number, string[]>();
  return {
    received,
    async send(address: string, bytes: Uint8Array, port: number) {
      let socket = sockets.get(address);
      if (socket === undefined) {
        socket = createSocket("udp4");
        sockets.set(address, socket);
        socket.on("message", (message, sender) => {
          const own = received.get(sender.port) ?? [];
          received.set(sender.port, own);
          own.push(`${address} ${message.toString("base64")}`);
        });
        socket.bind(0, "127.0.0.1");
        await once(socket, "listening");
      }
      const from = socket;
      await new Promise<void>((resolve) => from.send(bytes, port, "127.0.0.1", () => resolve()));
    },
    close() {
      for (const socket of sockets.values()) socket.close();
    },
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describe.runIf(process.platform === "linux")("a recorded call", { timeout: 60_000 }, () => {
  it("has both hosts send the same bytes to the same addresses", async () => {
    const { boot, lines } = journalOf();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const clients = createClients();
    const hosts = [await createPortable(boot), await createFast(boot)];
    for (const host of hosts) {
      for (const line of lines) {
        const now = micros(line.now);
        if (line.type === "command") host.command(now, line);
        if (line.type === "datagram") await clients.send(line.address, Buffer.from(line.bytes, "base64"), host.port);
        if (line.type !== "command") await host.turn(now, line.type);
        // The buffers of the clients' sockets hold less than the whole call.
        while ((clients.received.get(host.port)?.length ?? 0) < host.counts.sent) await pause();
      }
    }
    const [portable, fast] = hosts.map((host) => clients.received.get(host.port)!);
    // What goes to different addresses may overtake on the way to this test; what goes to one may not.
    for (const address of new Set(portable!.map((each) => each.split(" ")[0]!))) {
      const of = (all: readonly string[]) => all.filter((each) => each.startsWith(`${address} `));
      expect(of(fast!)).toEqual(of(portable!));
    }
    expect(fast!.length).toBe(portable!.length);
    expect(portable!.length).toBeGreaterThan(300);
    expect(hosts[1]!.counts).toEqual(hosts[0]!.counts);
    clients.close();
    for (const host of hosts) await host.stop();
  });
});
