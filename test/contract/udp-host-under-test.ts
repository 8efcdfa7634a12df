/** The host of io-node on loopback: real sockets, the real clock, and a record of what passes between it and its shard. */
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { createClock } from "../../io-node/clock.ts";
import { openUdpSockets } from "../../io-node/portable/sockets.ts";
import { startUdpHost } from "../../io-node/portable/udp-host.ts";
import type { HostUnderTest, Step } from "./host.ts";
import { clientsOf, createHearing, engineUnderTest } from "./shard-under-test.ts";

export async function createUdpHostUnderTest(clients: number): Promise<HostUnderTest> {
  const udp = await openUdpSockets(0);
  const clock = createClock();
  const crypto = createNodeCrypto();
  const steps: Step[] = [];
  const hearing = createHearing();
  const engine = engineUnderTest(crypto, clock, udp.port, steps);
  const host = startUdpHost({ engine, crypto, clock, udp, ...hearing.parts });
  const seen = await clientsOf(clients, udp.port);
  return {
    ...seen,
    steps,
    command: hearing.command((commandId, command) => host.command(commandId, command)),
    async stop() {
      await host.close(100);
      seen.leave();
    },
  };
}
