import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import {
  type CommandReply,
  type CryptoProvider,
  LIMITS,
  MICROS_ORIGIN,
  type Micros,
  NEVER,
  type ShardEvent,
  type ShardInput,
  type ShardPorts,
} from "../../../core/index.ts";
import { createClock } from "../../../io-node/clock.ts";
import { openUdpSockets } from "../../../io-node/portable/sockets.ts";
import { startUdpHost, type UdpHost } from "../../../io-node/portable/udp-host.ts";

type Handle = (ports: ShardPorts, input: ShardInput) => void;

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

/** A host on loopback around an engine that the test writes. */
async function createSubject(handle: Handle, nextTimeout: () => Micros = () => NEVER) {
  const udp = await openUdpSockets(0);
  const clock = createClock();
  const replies: CommandReply[] = [];
  const events: ShardEvent[] = [];
  const failures: unknown[] = [];
  const host: UdpHost = startUdpHost({
    engine: { handle, nextTimeout },
    crypto: {} as CryptoProvider,
    clock,
    udp,
    onReply: (reply) => replies.push(reply),
    onEvent: (event) => events.push(event),
    onFailure: (error) => failures.push(error),
  });
  opened.push({ close: () => host.close(100) });
  return { host, port: udp.port, families: udp.sockets.length, clock, replies, events, failures };
}

/** A client's socket, bound. */
async function createClient(type: "udp4" | "udp6" = "udp4"): Promise<Socket> {
  const socket = createSocket(type);
  socket.bind(0);
  await once(socket, "listening");
  opened.push({ close: () => socket.close() });
  return socket;
}

const send = (client: Socket, port: number, bytes: Uint8Array) =>
  new Promise<void>((resolve) =>
    client.send(bytes, port, client.address().family === "IPv6" ? "::1" : "127.0.0.1", () => resolve()),
  );

/** Sends every datagram back to where it came from. */
const echo: Handle = ({ outbox }, input) => {
  if (input.kind !== "datagram") return;
  const offset = outbox.reserve();
  outbox.sendBytes.set(input.bytes.subarray(input.offset, input.offset + input.length), offset);
  outbox.transmit(input.flow, offset, input.length);
};

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("a datagram", () => {
  it("comes to the shard with its flow, address and time, and an answer goes back to its sender", async () => {
    const seen: { flow: number; address: string; now: number; plain: boolean }[] = [];
    const { port, clock } = await createSubject((ports, input) => {
      if (input.kind === "datagram") {
        const { flow, now, bytes } = input;
        seen.push({ flow, now, address: input.address.join("."), plain: !Buffer.isBuffer(bytes) });
      }
      echo(ports, input);
    });
    const client = await createClient();
    const before = clock();
    await send(client, port, Uint8Array.of(1, 2, 3));
    const [answer] = (await once(client, "message")) as [Buffer];
    expect([...answer]).toEqual([1, 2, 3]);
    const from = client.address().port;
    expect(seen).toMatchObject([{ flow: 0, address: `127.0.0.1.${from >> 8}.${from & 0xff}`, plain: true }]);
    expect(seen[0]!.now).toBeGreaterThanOrEqual(before);
    expect(seen[0]!.now).toBeGreaterThanOrEqual(MICROS_ORIGIN);
  });

  it("of another sender has another flow", async () => {
    const flows: number[] = [];
    const { port } = await createSubject((_ports, input) => {
      if (input.kind === "datagram") flows.push(input.flow);
    });
    const [ana, bob] = [await createClient(), await createClient()];
    for (const client of [ana, bob, ana]) {
      const count = flows.length;
      await send(client, port, Uint8Array.of(1));
      await until(() => flows.length > count);
    }
    expect(flows).toEqual([0, 1, 0]);
  });

  it("comes over IPv6 where the machine has it", async () => {
    const { port, families } = await createSubject(echo);
    if (families === 1) return;
    const client = await createClient("udp6");
    await send(client, port, Uint8Array.of(6));
    expect([...((await once(client, "message")) as [Buffer])[0]]).toEqual([6]);
  });

  it("that is empty or too long is counted and not handed over", async () => {
    let handled = 0;
    const { port, host } = await createSubject(() => handled++);
    const client = await createClient();
    await send(client, port, new Uint8Array(0));
    await send(client, port, new Uint8Array(LIMITS.datagramBytesMax + 1));
    await send(client, port, new Uint8Array(LIMITS.datagramBytesMax));
    await until(() => handled === 1);
    expect(host.received).toMatchObject({ received: 1, receivedBytes: LIMITS.datagramBytesMax, badLength: 2 });
  });

  it("whose flow the shard releases leaves nothing behind", async () => {
    let handled = 0;
    const { port, host } = await createSubject((ports, input) => {
      if (input.kind !== "datagram") return;
      echo(ports, input);
      ports.outbox.releaseFlow(input.flow);
      handled++;
    });
    const client = await createClient();
    await send(client, port, Uint8Array.of(7));
    // The answer that was transmitted before still goes out.
    await once(client, "message");
    expect(handled).toBe(1);
    expect(host.flows.bySocket.map((addresses) => addresses.size).reduce((a, b) => a + b)).toBe(0);
  });

  it("to a flow that nobody has is dropped and counted", async () => {
    const { host } = await createSubject(({ outbox }) => outbox.transmit(99, outbox.reserve(), 5));
    host.command(1, { type: "drain" });
    expect(host.sent).toMatchObject({ sent: 0, dropped: 1 });
  });
});

describe("a command", () => {
  it("brings its reply and events, events first", async () => {
    const order: string[] = [];
    const udp = await openUdpSockets(0);
    const host = startUdpHost({
      engine: {
        handle({ outbox }, input) {
          if (input.kind !== "command") return;
          outbox.reply({ commandId: input.commandId, type: "drained", sessions: 0 });
          outbox.event({ type: "room-closed", room: "blue" });
        },
        nextTimeout: () => NEVER,
      },
      crypto: {} as CryptoProvider,
      clock: createClock(),
      udp,
      onReply: ({ commandId }) => order.push(`reply ${commandId}`),
      onEvent: ({ type }) => order.push(type),
      onFailure: () => order.push("failure"),
    });
    opened.push({ close: () => host.close(0) });
    host.command(5, { type: "drain" });
    expect(order).toEqual(["room-closed", "reply 5"]);
  });

  it("that is given from within an event waits until the shard has returned", async () => {
    const depths: number[] = [];
    let depth = 0;
    let again = true;
    const udp = await openUdpSockets(0);
    const host: UdpHost = startUdpHost({
      engine: {
        handle({ outbox }) {
          depths.push(++depth);
          outbox.event({ type: "room-closed", room: "blue" });
          depth--;
        },
        nextTimeout: () => NEVER,
      },
      crypto: {} as CryptoProvider,
      clock: createClock(),
      udp,
      onReply: () => {},
      onEvent() {
        if (again) host.command(2, { type: "drain" });
        again = false;
      },
      onFailure: () => {},
    });
    opened.push({ close: () => host.close(0) });
    host.command(1, { type: "drain" });
    expect(depths).toEqual([1, 1]);
  });
});

describe("the timer", () => {
  it("wakes the shard at its timeout and not before", async () => {
    let wanted = NEVER;
    const woken: number[] = [];
    const { host, clock } = await createSubject(
      (_ports, input) => {
        if (input.kind === "command") wanted = (clock() + 20_000) as Micros;
        if (input.kind !== "timer") return;
        woken.push(input.now - wanted);
        wanted = NEVER;
      },
      () => wanted,
    );
    host.command(1, { type: "drain" });
    await until(() => woken.length === 1);
    expect(woken[0]).toBeGreaterThanOrEqual(0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(woken).toHaveLength(1);
  });

  it("does not wait for a busy socket to fall silent", async () => {
    const kinds: string[] = [];
    let wanted = NEVER;
    const { port } = await createSubject(
      (_ports, input) => {
        kinds.push(input.kind);
        if (input.kind === "datagram") process.nextTick(() => kinds.push("next turn"));
        wanted = input.kind === "datagram" ? input.now : NEVER;
      },
      () => wanted,
    );
    await send(await createClient(), port, Uint8Array.of(1));
    await until(() => kinds.length >= 3);
    expect(kinds).toEqual(["datagram", "timer", "next turn"]);
  });
});

describe("a shard that throws", () => {
  it("is reported once and gets nothing more", async () => {
    let handled = 0;
    const { host, failures, port } = await createSubject(() => {
      handled++;
      throw new Error("assertion failed: no");
    });
    host.command(1, { type: "drain" });
    host.command(2, { type: "drain" });
    await send(await createClient(), port, Uint8Array.of(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(failures).toEqual([new Error("assertion failed: no")]);
    expect(handled).toBe(1);
  });
});

describe("the sockets", () => {
  it("say when a port is taken", async () => {
    const { port } = await createSubject(() => {});
    await expect(openUdpSockets(port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
