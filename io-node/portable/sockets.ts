/**
 * The UDP sockets of a shard: one for IPv4 and, where the machine has it, one for IPv6 on the same port.
 *
 * Two sockets rather than one that maps IPv4 into IPv6: a container without IPv6 has no address family for the mapped kind
 * at all, and some systems are configured not to map. IPv4 is a must, IPv6 a gift. Both ask for large kernel buffers, so
 * that a keyframe to many receivers, or a pause of the garbage collector, loses nothing; the kernel may grant less.
 */
import { createSocket, type Socket } from "node:dgram";

/** Bytes asked of the kernel for each direction of a socket. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** How often another free port is looked for when the operator left the choice to the system. */
const ANY_PORT_TRIES = 5;

/** The sockets of a shard, all on one port. */
export interface UdpSockets {
  readonly port: number;
  /** IPv4 first; IPv6 when the machine has it. */
  readonly sockets: readonly Socket[];
}

/** Opens the sockets on `port`, or on a free one when it is 0. Rejects as `bind` does, with `code` EADDRINUSE or EACCES. */
export async function openUdpSockets(port: number): Promise<UdpSockets> {
  for (let attempt = 1; ; attempt++) {
    const v4 = await bindSocket("udp4", port);
    const bound = v4.address().port;
    try {
      const v6 = await bindSocket("udp6", bound);
      return { port: bound, sockets: [v4, v6] };
    } catch (error) {
      if (!isTaken(error)) return { port: bound, sockets: [v4] };
      await closeSocket(v4);
      if (port !== 0 || attempt === ANY_PORT_TRIES) throw error;
    }
  }
}

/** Closes a socket; answers when it's closed. */
export function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

function bindSocket(type: "udp4" | "udp6", port: number): Promise<Socket> {
  // The host sends to addresses alone: answering a look-up at once saves a turn of the event loop for each datagram.
  const family = type === "udp4" ? 4 : 6;
  const socket = createSocket({
    type,
    ipv6Only: type === "udp6",
    lookup: (hostname, _options, callback) => callback(null, hostname, family),
  });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, exclusive: true }, () => {
      socket.removeAllListeners("error");
      growBuffers(socket);
      resolve(socket);
    });
  });
}

function growBuffers(socket: Socket): void {
  for (const grow of ["setRecvBufferSize", "setSendBufferSize"] as const) {
    try {
      socket[grow](BUFFER_BYTES);
    } catch {
      // Some systems refuse what they could have cut; the default size then has to do.
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
