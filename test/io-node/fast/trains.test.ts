/** Trains of datagrams over the real kernel: what is sent as one arrives as many. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { LINUX, type Libc, loadLibc, SOCKADDR_BYTES, WORDS } from "../../../io-node/fast/libc.ts";
import { openBlock, pieceBytes, takePiece } from "../../../io-node/fast/memory.ts";
import {
  createSendQueues,
  expectDatagrams,
  flushAll,
  queueSlot,
  reservedOffset,
  sendQueuesBytes,
} from "../../../io-node/fast/send-queues.ts";
import { closeFastSockets, openFastSockets } from "../../../io-node/fast/sockets.ts";
import { CAPTURES, readCapture } from "../../support/wire/captures.ts";

const NAME_BYTES = WORDS.SOCKADDR * 4;
const LENGTH = sendQueuesBytes() + pieceBytes(2 * NAME_BYTES);

let closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing) close();
  closing = [];
});

function requireLibc(): Libc {
  const libc = loadLibc();
  if (typeof libc === "string") throw new Error(libc);
  return libc;
}

/** A socket of Node's, its port, and what it gets: the length and first byte of each datagram. */
async function openReceiver(ip: string) {
  const socket = createSocket(ip === "::1" ? "udp6" : "udp4");
  const received: string[] = [];
  socket.on("message", (bytes) => received.push(`${bytes[0]}: ${bytes.length}`));
  socket.bind(0, ip);
  await once(socket, "listening");
  closing.push(() => socket.close());
  return { port: socket.address().port, received };
}

/** Queues over sockets of their own, which know the ports of two receivers on this machine as flows 0 and 1. */
function openQueues(ip: string, ports: readonly number[]) {
  const libc = requireLibc();
  const sockets = openFastSockets(libc, 0);
  const address = libc.native.allocate(LENGTH);
  closing.push(() => {
    closeFastSockets(libc, sockets);
    libc.native.free(address, LENGTH);
  });
  const block = openBlock(libc.native, address, LENGTH);
  const names = takePiece(block, 2 * NAME_BYTES);
  const isIpv6 = ip === "::1";
  ports.forEach((port, flow) => {
    const family = isIpv6 ? LINUX.AF_INET6 : LINUX.AF_INET;
    names.words[flow * WORDS.SOCKADDR] = family | ((port >>> 8) << 16) | ((port & 0xff) << 24);
    if (isIpv6) names.bytes[flow * NAME_BYTES + 23] = 1;
    else names.bytes.set([127, 0, 0, 1], flow * NAME_BYTES + 4);
  });
  const nameLengths = new Uint8Array(2).fill(isIpv6 ? SOCKADDR_BYTES.IPV6 : SOCKADDR_BYTES.IPV4);
  const queues = createSendQueues(libc, block, sockets.fds, { names, nameLengths });
  return { queues, socket: isIpv6 ? 1 : 0 };
}

const LOOPBACKS = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .map(({ address }) => address)
  .filter((address) => address === "127.0.0.1" || address === "::1");

describe.each(LOOPBACKS)("trains to %s", (ip) => {
  it("arrive as the datagrams that they were put together from, in order", async () => {
    const receivers = [await openReceiver(ip), await openReceiver(ip)];
    const { queues, socket } = openQueues(
      ip,
      receivers.map(({ port }) => port),
    );
    const lengths = [1_200, 1_200, 1_200, 500, 1_400, 1_400, 90, 90, 90];
    expectDatagrams(queues, lengths.length);
    for (const [number, length] of lengths.entries()) {
      for (const flow of [0, 1]) {
        queues.arena.bytes[reservedOffset(queues)] = number;
        queueSlot(queues, socket, flow, length);
      }
    }
    const messages = queues.queues[socket]!.tail;
    expect(flushAll(queues)).toBe(true);
    expect(queues.counters).toMatchObject({ sent: 18, sentBytes: 2 * 7_170, failed: 0 });
    const expected = lengths.map((length, number) => `${number}: ${length}`);
    for (const { received } of receivers) await expect.poll(() => received).toEqual(expected);
    // Where the kernel has no trains, each datagram is a message of its own.
    expect([6, 18]).toContain(messages);
  });
});

/** How close together packets may come and still be read as one message. */
const MOMENT_MICROS = 500;

describe.each(CAPTURES)("what Chromium sends (%s)", (name) => {
  it("comes hardly ever so that the kernel could hand several packets out as one message", () => {
    const packets = readCapture(name);
    let messages = 0;
    // Of the train so far: the length of its packets, and when the last one came. A shorter one ends it.
    let [segment, last] = [0, 0];
    for (const { micros, bytes } of packets) {
      const joins = bytes.length <= segment && micros - last <= MOMENT_MICROS;
      if (!joins) messages += 1;
      segment = joins && bytes.length < segment ? 0 : bytes.length;
      last = micros;
    }
    expect(packets.length).toBeGreaterThan(1_000);
    expect(messages / packets.length).toBeGreaterThan(0.93);
  });
});
