/**
 * What the two real hosts have in common when the contract is asked of them: a shard with a record of what passes between it
 * and its host, commands that wait for their replies, and clients on loopback.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import {
  type Command,
  type CommandReply,
  type CryptoProvider,
  createShard,
  type Micros,
  shardHandle,
  shardNextTimeout,
  type WallMicros,
} from "../../core/index.ts";
import type { Clock } from "../../io-node/clock.ts";
import type { Engine } from "../../io-node/engine.ts";
import type { Step } from "./host.ts";

/** The engine of a shard that answers on `port`, which writes each input and what came of it into `steps`. */
export function engineUnderTest(crypto: CryptoProvider, clock: Clock, port: number, steps: Step[]): Engine {
  const boot = {
    entropySeed: new Uint8Array(32).fill(5),
    randomSeed: 5,
    now: clock(),
    wall: 1_800_000_000_000_000 as WallMicros,
    config: { candidates: [{ ip: "127.0.0.1", port }] },
  };
  const shard = createShard(boot, crypto);
  const engine: Engine = {
    handle: (ports, input) => shardHandle(shard, ports, input),
    nextTimeout: () => shardNextTimeout(shard),
  };
  return recorded(engine, steps);
}

/** What a host says to whom: replies find the command that they answer, and a failure ends the test. */
export function createHearing() {
  const waiting = new Map<number, (reply: CommandReply) => void>();
  let commands = 0;
  return {
    /** What a host is made with. */
    parts: {
      onReply: (reply: CommandReply) => waiting.get(reply.commandId)?.(reply),
      onEvent: () => {},
      onFailure: (error: unknown) => {
        throw error;
      },
    },
    /** Gives a command to the host by `send`, and waits for its reply. */
    command: (send: (commandId: number, command: Command) => void) => (command: Command) =>
      new Promise<CommandReply>((resolve) => {
        const commandId = ++commands;
        waiting.set(commandId, resolve);
        send(commandId, command);
      }),
  };
}

/** The same engine, with a record of each input and of what came of it. */
function recorded(engine: Engine, steps: Step[]): Engine {
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
