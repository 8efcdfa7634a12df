import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import type { CryptoProvider, Faults } from "../../core/index.ts";
import { createClock } from "../../io-node/clock.ts";
import { UDP_SITES } from "../../io-node/fault-sites.ts";
import { flowCount } from "../../io-node/portable/flow-table.ts";
import { openUdpSockets } from "../../io-node/portable/sockets.ts";
import { startUdpHost } from "../../io-node/portable/udp-host.ts";
import { createEcho, every3rd } from "../support/hosts/failing-host.ts";

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

/** A host whose shard echoes. */
async function createSubject(faults: Faults) {
  const udp = await openUdpSockets(0);
  const { engine, seen } = createEcho();
  let failures = 0;
  const host = startUdpHost({
    engine,
    crypto: {} as CryptoProvider,
    clock: createClock(),
    udp,
    onReply: () => {},
    onEvent: () => {},
    onFailure: () => failures++,
    faults,
  });
  opened.push({ close: () => host.close(100) });
  return { host, seen, port: udp.port, failures: () => failures };
}

/** Sends a datagram and waits a little for its echo; answers how many came. */
async function ask(client: Socket, port: number, id: number): Promise<number> {
  let answers = 0;
  const count = (bytes: Buffer) => {
    if (bytes[0] === id) answers++;
  };
  client.on("message", count);
  client.send(Uint8Array.of(id), port, "127.0.0.1");
  for (let wait = 0; wait < 40 && answers === 0; wait++) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, 5));
  client.off("message", count);
  return answers;
}

describe("a failing host", () => {
  it.each(Object.keys(UDP_SITES))("%s: goes on, and is as before once it works again", async (site) => {
    const { state, faults } = every3rd(site);
    const { host, seen, port, failures } = await createSubject(faults);
    const client = createSocket("udp4");
    client.bind(0);
    await once(client, "listening");
    opened.push({ close: () => client.close() });
    for (let id = 1; id <= 6; id++) await ask(client, port, id);
    expect(state.fired).toBeGreaterThan(0);
    const timers = seen.timers;
    state.on = false;
    for (let id = 11; id <= 13; id++) expect(await ask(client, port, id)).toBe(1);
    const until = async (holds: () => boolean) => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    await until(() => seen.timers > timers);
    expect([failures(), seen.earliest, flowCount(host.flows)]).toEqual([0, 0, 1]);
    const { noFlow, socketErrors } = host.received;
    const counted = { "udp/flow-table-full": noFlow, "udp/socket-error": socketErrors }[site];
    if (counted !== undefined) expect(counted).toBe(state.fired);
    if (site === "udp/send-refused") expect(host.sent.failed).toBe(state.fired);
    if (site === "udp/slots-exhausted") expect(host.sent.dropped).toBe(state.fired);
  });
});
