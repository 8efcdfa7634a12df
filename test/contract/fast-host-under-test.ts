/** The loop of the fast host on loopback: system calls, kept OpenSSL contexts, the real clock. */
import { type CommandReply, createShard, shardHandle, shardNextTimeout, type WallMicros } from "../../core/index.ts";
import { createClock } from "../../io-node/clock.ts";
import { fastCommand } from "../../io-node/fast/loop.ts";
import { startTurningLoop } from "../support/fast-loop.ts";
import { requireOpensslCrypto } from "../support/openssl-crypto.ts";
import type { HostUnderTest, Step } from "./host.ts";
import { clientsOf, recorded } from "./udp-host-under-test.ts";

export async function createFastHostUnderTest(clients: number): Promise<HostUnderTest> {
  const clock = createClock();
  const crypto = requireOpensslCrypto();
  const steps: Step[] = [];
  const waiting = new Map<number, (reply: CommandReply) => void>();
  const turning = startTurningLoop((port) => {
    const boot = {
      entropySeed: new Uint8Array(32).fill(5),
      randomSeed: 5,
      now: clock(),
      wall: 1_800_000_000_000_000 as WallMicros,
      config: { candidates: [{ ip: "127.0.0.1", port }] },
    };
    const shard = createShard(boot, crypto);
    return {
      engine: recorded(
        { handle: (ports, input) => shardHandle(shard, ports, input), nextTimeout: () => shardNextTimeout(shard) },
        steps,
      ),
      crypto,
      clock,
      onReply: (reply) => waiting.get(reply.commandId)?.(reply),
      onEvent: () => {},
      onFailure: (error) => {
        throw error;
      },
    };
  });
  const seen = await clientsOf(clients, turning.port);
  let commands = 0;
  return {
    ...seen,
    steps,
    command: (command) =>
      new Promise((resolve) => {
        const commandId = ++commands;
        waiting.set(commandId, resolve);
        fastCommand(turning.loop, commandId, command);
      }),
    async stop() {
      turning.close();
      crypto.close();
      seen.leave();
    },
  };
}
