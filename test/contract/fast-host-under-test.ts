/** The loop of the fast host on loopback: system calls, kept OpenSSL contexts, the real clock. */
import { createClock } from "../../io-node/clock.ts";
import { fastCommand } from "../../io-node/fast/loop.ts";
import { requireOpensslCrypto } from "../support/crypto/openssl-crypto.ts";
import { startTurningLoop } from "../support/hosts/fast-loop.ts";
import type { HostUnderTest, Step } from "./host.ts";
import { clientsOf, createHearing, engineUnderTest } from "./shard-under-test.ts";

export async function createFastHostUnderTest(clients: number): Promise<HostUnderTest> {
  const clock = createClock();
  const crypto = requireOpensslCrypto();
  const steps: Step[] = [];
  const hearing = createHearing();
  const turning = startTurningLoop((port) => ({
    engine: engineUnderTest(crypto, clock, port, steps),
    crypto,
    clock,
    ...hearing.parts,
  }));
  const seen = await clientsOf(clients, turning.port);
  return {
    ...seen,
    steps,
    command: hearing.command((commandId, command) => fastCommand(turning.loop, commandId, command)),
    async stop() {
      turning.close();
      crypto.close();
      seen.leave();
    },
  };
}
