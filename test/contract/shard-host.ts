/**
 * What the server relies on in a shard's host, whichever kind it is: commands and datagrams are answered, a shard that dies
 * is replaced on the same port, and an end is an end. The shard inside fails when it is told to.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import type { CommandReply, Finding, ShardEvent } from "../../core/index.ts";
import { connectPlaces, createRelayMesh, losePlace, meshSeat, seatHost } from "../../io-node/relay/relay-mesh.ts";
import type { ShardHost, ShardListeners } from "../../io-node/shard-host.ts";

/** Starts a host around the failing shard on a free port. */
export type StartShardHost = (listeners: ShardListeners) => Promise<{ host: ShardHost; port: number }>;

/** Runs the suite on hosts that `start` makes. */
export function shardHostContract(start: StartShardHost): void {
  const hosts: ShardHost[] = [];

  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close(0)));
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
    hosts.push(started.host);
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

  /** Two hosts that can reach each other, with the rooms that their shards have said were joined. */
  async function createPair() {
    const mesh = createRelayMesh(2);
    const rooms: string[][] = [[], []];
    const lost: string[] = [];
    let served = 0;
    for (const place of [0, 1]) {
      const { host } = await start({
        seat: meshSeat(mesh, place),
        onReply: () => {},
        onLook: () => {},
        onEvent: (event) => event.type === "joined" && rooms[place]!.push(event.room),
        onLost(error) {
          lost.push(`${place}: ${String(error)}`);
          losePlace(mesh, place);
        },
        onServing: () => {
          served += 1;
        },
      });
      hosts.push(host);
      seatHost(mesh, place, host);
    }
    const connect = () => connectPlaces(mesh, 0, 1);
    connect();
    const say = (place: number, room: string) => hosts[place]!.command(1, { type: "join", room, name: "", offer: "" });
    return { hosts, rooms, lost, connect, say, served: () => served };
  }

  it("carries what its shard relays to another, in order, and counts it", async () => {
    const { hosts, rooms, say } = await createPair();
    say(0, "tell-1");
    say(1, "tell-0");
    await until(() => rooms.every((each) => each.length === 3));
    expect(rooms[0]!.filter((room) => room.startsWith("heard"))).toEqual(["heard-1000-from-1", "heard-40000-from-1"]);
    expect(rooms[1]!.filter((room) => room.startsWith("heard"))).toEqual(["heard-1000-from-0", "heard-40000-from-0"]);
    const relayed = { relayedPackets: 1, relayDropped: 0, relayedMail: 1 };
    await until(() => hosts.every((host) => host.relayed.relayedMail === 1));
    expect(hosts.map((host) => host.relayed)).toEqual([
      expect.objectContaining(relayed),
      expect.objectContaining(relayed),
    ]);
  });

  it("tells its shard of another's end; the fresh one has a number and ways of its own", async () => {
    const { hosts, rooms, connect, say, served } = await createPair();
    say(1, "throw");
    await until(() => served() === 1);
    expect(hosts[1]!.number).toBe(2);
    await until(() => rooms[0]!.includes("lost-1"));
    say(0, "tell-1");
    connect();
    say(0, "tell-2");
    await until(() => rooms[1]!.length === 2);
    expect(rooms[1]).toEqual(["heard-1000-from-0", "heard-40000-from-0"]);
  });

  it("has a shard ended that is told more than it reads, and lives on", async () => {
    const { rooms, lost, say, served } = await createPair();
    say(0, "flood-1");
    await until(() => served() === 1);
    expect(lost).toEqual([expect.stringMatching(/^1: .*does not read what other shards tell it/)]);
    await until(() => rooms[0]!.includes("lost-1"));
    say(0, "blue");
    await until(() => rooms[0]!.includes("blue"));
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
