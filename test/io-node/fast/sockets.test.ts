/** The sockets of the fast host, against the kernel of this machine. */
import { createSocket } from "node:dgram";
import { describe, expect, it } from "vitest";
import { loadLibc } from "../../../io-node/fast/libc.ts";
import { closeFastSockets, droppedUnread, openFastSockets } from "../../../io-node/fast/sockets.ts";

const libc = loadLibc();

describe("sockets that nobody reads", () => {
  if (typeof libc === "string") {
    it("are not there on this machine, which says why", () => expect(libc).toMatch(/\.$/));
    return;
  }

  it("say how many datagrams the kernel has dropped, and say none before they are full", async () => {
    const sockets = openFastSockets(libc, 0);
    const sender = createSocket("udp4");
    const send = (count: number) =>
      new Promise<void>((resolve) => {
        const bytes = new Uint8Array(1_400);
        for (let i = 1; i < count; i++) sender.send(bytes, sockets.port, "127.0.0.1");
        sender.send(bytes, sockets.port, "127.0.0.1", () => resolve());
      });
    try {
      await send(10);
      expect(droppedUnread(libc, sockets)).toBe(0);
      // More than the buffer asked for, twice over, as the kernel counts what a datagram takes.
      await send(8_000);
      const dropped = droppedUnread(libc, sockets);
      expect(dropped).toBeGreaterThan(0);
      expect(dropped).toBeLessThanOrEqual(8_000);
    } finally {
      sender.close();
      closeFastSockets(libc, sockets);
    }
  });
});
