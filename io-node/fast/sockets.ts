/**
 * The sockets of the fast host: file descriptors, bound as the portable ones are (io-node/portable/sockets.ts says why).
 *
 * The main thread opens and closes them, and a shard's thread borrows them. So a port stays ours when a shard's thread
 * dies: what arrives meanwhile waits in the kernel for the next one.
 */
import { ERRNO, LINUX, type Libc, SOCKADDR_BYTES } from "./libc.ts";

/** Bytes asked of the kernel for each direction of a socket. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** Words that SO_MEMINFO answers with; behind them stands how many bytes there are. */
const MEMINFO_WORDS = 9;

/** How often another free port is looked for when the operator left the choice to the system. */
const ANY_PORT_TRIES = 5;

/** Open sockets, all on one port. */
export interface FastSockets {
  readonly port: number;
  /** IPv4 first; IPv6 when the machine has it. */
  readonly fds: readonly number[];
}

/** A system call that has failed, with the name of its error in `code` as Node's own errors have it. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;

  constructor(call: string, errno: number) {
    const known = Object.entries(ERRNO).find(([, value]) => value === errno);
    const code = known?.[0] ?? `error ${errno}`;
    super(`${call} has failed with ${code}`);
    this.code = code;
  }
}

/** Opens the sockets on `port`, or on a free one when it is 0. Throws a {@link SystemError} as `bind` does. */
export function openFastSockets(libc: Libc, port: number): FastSockets {
  for (let attempt = 1; ; attempt++) {
    const v4 = openSocket(libc, LINUX.AF_INET, port);
    try {
      const v6 = openSocket(libc, LINUX.AF_INET6, v4.port);
      return { port: v4.port, fds: [v4.fd, v6.fd] };
    } catch (error) {
      const isTaken = error instanceof SystemError && error.code === "EADDRINUSE";
      if (!isTaken) return { port: v4.port, fds: [v4.fd] };
      libc.close(v4.fd);
      if (port !== 0 || attempt === ANY_PORT_TRIES) throw error;
    }
  }
}

/** How many datagrams the kernel has dropped so far because nobody read them in time. */
export function droppedUnread(libc: Libc, sockets: FastSockets): number {
  const { native } = libc;
  const memory = native.allocate(64);
  try {
    const bytes = native.view(memory, 64);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 16);
    let dropped = 0;
    for (const fd of sockets.fds) {
      words.fill(0);
      words[MEMINFO_WORDS] = MEMINFO_WORDS * 4;
      libc.getsockopt(fd, LINUX.SOL_SOCKET, LINUX.SO_MEMINFO, memory, memory + MEMINFO_WORDS * 4);
      dropped += words[MEMINFO_WORDS - 1]!;
    }
    return dropped;
  } finally {
    native.free(memory, 64);
  }
}

/** Closes the sockets. */
export function closeFastSockets(libc: Libc, sockets: FastSockets): void {
  for (const fd of sockets.fds) libc.close(fd);
}

function openSocket(libc: Libc, family: number, port: number): { fd: number; port: number } {
  const { native } = libc;
  const fd = libc.socket(family, LINUX.DATAGRAM_SOCKET, 0);
  if (fd < 0) throw new SystemError("socket", native.errno());
  const memory = native.allocate(64);
  try {
    const bytes = native.view(memory, 64);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 16);
    const setOption = (level: number, option: number, value: number) => {
      words[8] = value;
      libc.setsockopt(fd, level, option, memory + 32, 4);
    };
    // The kernel may grant smaller buffers; they then have to do.
    setOption(LINUX.SOL_SOCKET, LINUX.SO_RCVBUF, BUFFER_BYTES);
    setOption(LINUX.SOL_SOCKET, LINUX.SO_SNDBUF, BUFFER_BYTES);
    if (family === LINUX.AF_INET6) setOption(LINUX.IPPROTO_IPV6, LINUX.IPV6_V6ONLY, 1);
    const length = family === LINUX.AF_INET6 ? SOCKADDR_BYTES.IPV6 : SOCKADDR_BYTES.IPV4;
    // The address of zeros is every address; the port stands in network order.
    words[0] = family | ((port >>> 8) << 16) | ((port & 0xff) << 24);
    if (libc.bind(fd, memory, length) < 0) throw new SystemError("bind", native.errno());
    words[8] = length;
    if (libc.getsockname(fd, memory, memory + 32) < 0) throw new SystemError("getsockname", native.errno());
    return { fd, port: (bytes[2]! << 8) | bytes[3]! };
  } catch (error) {
    libc.close(fd);
    throw error;
  } finally {
    native.free(memory, 64);
  }
}
