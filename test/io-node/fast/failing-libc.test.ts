/**
 * Whether the fast host goes on when the system fails it, one site after the other: what the system only puts off comes all
 * the same, what it takes away is counted, and once it works again all is as before.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import type { CryptoProvider } from "../../../core/index.ts";
import { createClock } from "../../../io-node/clock.ts";
import { fastFlowCount } from "../../../io-node/fast/flow-table.ts";
import { FAST_SITES, type FastSite } from "../../../io-node/fault-sites.ts";
import { createEcho, every3rd } from "../../support/hosts/failing-host.ts";
import { startTurningLoop } from "../../support/hosts/fast-loop.ts";

/** Datagrams of one burst: they come in one batch, and go back as a train. */
const BURST = 8;

/** Sites that only put off what is to be done. A train that is refused goes in pieces, but a datagram alone is lost. */
const HARMLESS: ReadonlySet<string> = new Set<FastSite>([
  "fast/receive-again",
  "fast/receive-interrupted",
  "fast/receive-failed",
  "fast/send-again",
  "fast/send-interrupted",
  "fast/send-half",
  "fast/wait-interrupted",
]);

const opened: { close(): unknown }[] = [];

afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

/** Sends a burst and waits a little for its echoes; answers how many came. Datagrams that grow go back one by one. */
async function ask(client: Socket, port: number, growing: boolean): Promise<number> {
  let answers = 0;
  const count = () => answers++;
  client.on("message", count);
  for (let id = 0; id < BURST; id++) {
    client.send(new Uint8Array(growing ? 100 + id : 100), port, "127.0.0.1");
  }
  for (let wait = 0; wait < 60 && answers < BURST; wait++) await new Promise((resolve) => setTimeout(resolve, 2));
  client.off("message", count);
  return answers;
}

describe("a failing fast host", () => {
  it.each(Object.keys(FAST_SITES))("%s: goes on, and is as before once it works again", async (site) => {
    const { state, faults } = every3rd(site);
    const { engine, seen } = createEcho();
    let failures = 0;
    const { loop, port, close } = startTurningLoop(() => ({
      engine,
      crypto: {} as CryptoProvider,
      clock: createClock(),
      onReply: () => {},
      onEvent: () => {},
      onFailure: () => failures++,
      faults,
    }));
    opened.push({ close });
    const client = createSocket("udp4");
    client.bind(0);
    await once(client, "listening");
    opened.push(client);
    const growing = site === "fast/send-half";
    let answered = 0;
    for (let burst = 0; burst < 4; burst++) answered += await ask(client, port, growing);
    expect(state.fired).toBeGreaterThan(0);
    if (HARMLESS.has(site)) expect(answered).toBe(4 * BURST);
    else if (site !== "fast/trains-refused") expect(answered).toBeLessThan(4 * BURST);
    const timers = seen.timers;
    state.on = false;
    expect(await ask(client, port, growing)).toBe(BURST);
    while (seen.timers === timers) await new Promise((resolve) => setTimeout(resolve, 2));
    expect([failures, seen.earliest, fastFlowCount(loop.flows)]).toEqual([0, 0, 1]);
    // Nothing is lost without a trace: what came was echoed, or is counted.
    const { received, sent } = loop;
    expect(sent.sent + sent.failed + sent.dropped).toBe(seen.datagrams);
    expect(seen.datagrams + received.badLength + received.noFlow).toBe(5 * BURST);
    const counted = {
      "fast/receive-failed": received.socketErrors,
      "fast/datagram-cut": received.badLength,
      "fast/flow-table-full": received.noFlow,
    }[site];
    if (counted !== undefined) expect(counted).toBe(state.fired);
    if (site === "fast/send-no-buffers") expect(sent.noBuffers).toBe(sent.failed);
  });
});
