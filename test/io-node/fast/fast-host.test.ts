import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { CommandReply, ShardEvent } from "../../../core/index.ts";
import { type FastHostParts, openFastResources, startFastHost } from "../../../io-node/fast/fast-host.ts";
import type { ShardHost } from "../../../io-node/shard-host.ts";

const ENTRY = new URL("../../support/failing-shard.ts", import.meta.url);

let host: ShardHost | undefined;

afterEach(async () => {
  await host?.close(0);
  host = undefined;
});

/** A host around a thread that fails when it is told to. */
async function createSubject(over: Partial<FastHostParts> = {}) {
  const resources = openFastResources(0);
  if (typeof resources === "string") throw new Error(resources);
  const replies: CommandReply[] = [];
  const events: ShardEvent[] = [];
  const lost: unknown[] = [];
  const failures: unknown[] = [];
  host = await startFastHost({
    resources,
    candidates: [],
    entry: ENTRY,
    onReply: (reply) => replies.push(reply),
    onEvent: (event) => events.push(event),
    onLost: (error) => lost.push(error),
    onFailure: (error) => failures.push(error),
    ...over,
  });
  let commandId = 0;
  const join = (room: string) => host!.command(++commandId, { type: "join", room, name: "", offer: "" });
  return { host, join, replies, events, lost, failures, port: resources.sockets.port };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Sends one datagram until an answer comes: answers with how many bytes it has. */
async function ask(port: number): Promise<number> {
  const client = createSocket("udp4").bind(0);
  await once(client, "listening");
  client.send(new Uint8Array(33), port, "127.0.0.1");
  const [answer] = (await once(client, "message")) as [Buffer];
  client.close();
  return answer.length;
}

const openFiles = () => readdirSync("/proc/self/fd").length;

describe.skipIf(process.platform !== "linux")("the fast host's thread", { timeout: 120_000 }, () => {
  it("answers commands and datagrams, events first, and counts", async () => {
    const { join, replies, events, port, host } = await createSubject();
    join("blue");
    await until(() => replies.length === 1);
    expect(events).toEqual([{ type: "joined", room: "blue", participant: 1, name: "" }]);
    expect(await ask(port)).toBe(33);
    await until(() => host.sent.sent === 1);
    expect(host.received).toMatchObject({ received: 1, receivedBytes: 33, badLength: 0, noFlow: 0 });
  });

  it.each([
    ["throw", /assertion failed: on purpose/],
    ["exit", /ended without a word/],
  ])("that dies (%s) is replaced by a fresh one on the same port, after a word why", async (room, why) => {
    const { join, replies, lost, port } = await createSubject();
    join(room);
    await until(() => lost.length === 1);
    expect(String(lost[0])).toMatch(why);
    join("blue");
    await until(() => replies.length === 1);
    expect(replies[0]!.commandId).toBe(2);
    expect(await ask(port)).toBe(33);
  });

  it("is not replaced for ever when each one dies", async () => {
    const { join, lost, failures } = await createSubject();
    for (let death = 1; death <= 5; death++) {
      join("throw");
      await until(() => lost.length === death);
    }
    expect(failures).toHaveLength(1);
    await host!.close(0);
  });

  it("is ended when it hangs", async () => {
    const { host, join } = await createSubject();
    join("hang");
    const before = performance.now();
    await host.close(100);
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it("gives every descriptor back, whichever way it ends", async () => {
    const first = await createSubject();
    await first.host.close(0);
    const before = openFiles();
    const second = await createSubject();
    second.join("throw");
    await until(() => second.lost.length === 1);
    await second.host.close(0);
    await second.host.close(0);
    // A thread's own descriptors go a moment after the thread.
    await until(() => openFiles() <= before);
  });

  it("that can't begin is an error of the start, and holds no port", async () => {
    const resources = openFastResources(0);
    if (typeof resources === "string") throw new Error(resources);
    const entry = new URL("file:///no/such/module.ts");
    const nobody = { candidates: [], onReply() {}, onEvent() {}, onLost() {}, onFailure() {} };
    await expect(startFastHost({ ...nobody, resources, entry })).rejects.toThrow(/no\/such\/module/);
    const other = createSocket("udp4").bind(resources.sockets.port);
    await once(other, "listening");
    other.close();
  });

  it("finds out that a port is taken", async () => {
    const { port } = await createSubject();
    expect(() => openFastResources(port)).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  });
});
