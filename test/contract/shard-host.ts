/**
 * What the server relies on in a shard's host, whichever kind it is: commands and datagrams are answered, a shard that dies
 * is replaced on the same port, and an end is an end. The shard inside fails when it is told to.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import type { CommandReply, Finding, ShardEvent } from "../../core/index.ts";
import type { ShardHost, ShardListeners } from "../../io-node/shard-host.ts";

/** Starts a host around the failing shard on a free port. */
export type StartShardHost = (listeners: ShardListeners) => Promise<{ host: ShardHost; port: number }>;

/** Runs the suite on hosts that `start` makes. */
export function shardHostContract(start: StartShardHost): void {
  let host: ShardHost | undefined;

  afterEach(async () => {
    await host?.close(0);
    host = undefined;
  });

  async function createSubject() {
    const replies: CommandReply[] = [];
    const events: ShardEvent[] = [];
    const lives: string[] = [];
    const findings: Finding[] = [];
    const started = await start({
      onReply: (reply) => replies.push(reply),
      onEvent: (event) => events.push(event),
      onLook: (found) => findings.push(...found),
      onLost: (error) => lives.push(String(error)),
      onServing: () => lives.push("serving"),
    });
    host = started.host;
    let commandId = 0;
    const join = (room: string) => started.host.command(++commandId, { type: "join", room, name: "", offer: "" });
    return { ...started, join, replies, events, lives, findings };
  }

  it("answers commands and datagrams, events first, and counts", async () => {
    const { join, replies, events, port, host } = await createSubject();
    join("blue");
    await until(() => replies.length === 1);
    expect(events).toEqual([{ type: "joined", room: "blue", participant: 1, name: "" }]);
    expect(await ask(port)).toBe(33);
    await until(() => host.sent.sent === 1);
    // Long enough for the host to look at its processor time.
    await until(() => host.cpuMicros > 0);
    expect(host.received).toMatchObject({ received: 1, receivedBytes: 33, badLength: 0, noFlow: 0 });
  });

  it("says what a look at the shard has found", async () => {
    const { join, findings } = await createSubject();
    join("look");
    await until(() => findings.length === 1);
    expect(findings).toEqual([{ promise: "S15", trouble: "Nobody is at home" }]);
  });

  it("says why a shard has died, and goes on with a fresh one on the same port", async () => {
    const { join, replies, lives, port } = await createSubject();
    join("throw");
    await until(() => lives.length === 2);
    expect(lives).toEqual([expect.stringMatching(/assertion failed: on purpose/), "serving"]);
    join("blue");
    await until(() => replies.length === 1);
    expect(replies[0]!.commandId).toBe(2);
    expect(await ask(port)).toBe(33);
  });

  it("does so again and again", async () => {
    const { join, lives } = await createSubject();
    for (let death = 1; death <= 3; death++) {
      join("throw");
      await until(() => lives.length === 2 * death);
    }
    expect(lives.filter((each) => each === "serving")).toHaveLength(3);
  });

  it("ends while it is about to start a fresh shard, and none comes", async () => {
    const { host, join, lives } = await createSubject();
    join("throw");
    await until(() => lives.length === 2);
    join("throw");
    await until(() => lives.length === 3);
    await host.close(0);
    // Longer than the pause before the second fresh one.
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(lives).toHaveLength(3);
  });
}

/** Waits until something holds. */
export async function until(condition: () => boolean): Promise<void> {
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
