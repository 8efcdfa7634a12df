/** The host of io-node on loopback: real sockets, the real clock, and a record of what passes between it and its shard. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import {
  type CommandReply,
  createShard,
  type Micros,
  shardHandle,
  shardNextTimeout,
  type WallMicros,
} from "../../core/index.ts";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { createClock } from "../../io-node/clock.ts";
import { openUdpSockets } from "../../io-node/sockets.ts";
import { type Engine, startUdpHost } from "../../io-node/udp-host.ts";
import type { HostUnderTest, Step } from "./host.ts";

export async function createUdpHostUnderTest(clients: number): Promise<HostUnderTest> {
  const udp = await openUdpSockets(0);
  const clock = createClock();
  const crypto = createNodeCrypto();
  const shard = createShard(
    {
      entropySeed: new Uint8Array(32).fill(5),
      randomSeed: 5,
      now: clock(),
      wall: 1_800_000_000_000_000 as WallMicros,
      config: { candidates: [{ ip: "127.0.0.1", port: udp.port }] },
    },
    crypto,
  );
  const steps: Step[] = [];
  const waiting = new Map<number, (reply: CommandReply) => void>();
  const host = startUdpHost({
    engine: recorded(
      { handle: (ports, input) => shardHandle(shard, ports, input), nextTimeout: () => shardNextTimeout(shard) },
      steps,
    ),
    crypto,
    clock,
    udp,
    onReply: (reply) => waiting.get(reply.commandId)?.(reply),
    onEvent: () => {},
    onFailure: (error) => {
      throw error;
    },
  });
  const seen = await clientsOf(clients, udp.port);
  let commands = 0;
  return {
    ...seen,
    steps,
    command: (command) =>
      new Promise((resolve) => {
        const commandId = ++commands;
        waiting.set(commandId, resolve);
        host.command(commandId, command);
      }),
    async stop() {
      await host.close(100);
      seen.leave();
    },
  };
}

/** Clients with a socket each, and the time that passes for them and a host on `port`. */
export async function clientsOf(count: number, port: number) {
  const received: Uint8Array[][] = Array.from({ length: count }, () => []);
  const sockets = await Promise.all(received.map(openClient));
  const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
  return {
    send: (client: number, bytes: Uint8Array) => sockets[client]!.send(bytes, port, "127.0.0.1"),
    received: (client: number): readonly Uint8Array[] => received[client]!,
    addressOf(client: number) {
      const own = sockets[client]!.address().port;
      return Uint8Array.of(127, 0, 0, 1, own >> 8, own & 0xff);
    },
    async until(condition: () => boolean) {
      while (!condition()) await pause(2);
    },
    pass: (span: Micros) => pause(span / 1_000),
    /** They stay for a moment, to hear what a stopped host might still say. */
    leave() {
      setTimeout(() => {
        for (const socket of sockets) socket.close();
      }, 400);
    },
  };
}

async function openClient(received: Uint8Array[]): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes) => received.push(Uint8Array.from(bytes)));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/** The same engine, with a record of each input and of what came of it. */
export function recorded(engine: Engine, steps: Step[]): Engine {
  return {
    nextTimeout: () => engine.nextTimeout(),
    handle(ports, input) {
      const { outbox } = ports;
      const step: Step = {
        kind: input.kind,
        now: input.now,
        askedFor: engine.nextTimeout(),
        flow: input.kind === "datagram" ? input.flow : -1,
        address: input.kind === "datagram" ? input.address.join() : "",
        commandId: input.kind === "command" ? input.commandId : 0,
        transmitted: [],
        released: [],
        replies: [],
      };
      steps.push(step);
      engine.handle(
        {
          ...ports,
          outbox: {
            ...outbox,
            transmit(flow, offset, length) {
              step.transmitted.push({ flow, bytes: outbox.sendBytes.slice(offset, offset + length) });
              outbox.transmit(flow, offset, length);
            },
            releaseFlow(flow) {
              step.released.push(flow);
              outbox.releaseFlow(flow);
            },
            reply(reply) {
              step.replies.push(reply);
              outbox.reply(reply);
            },
          },
        },
        input,
      );
    },
  };
}
