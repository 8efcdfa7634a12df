/**
 * What the ways of taking datagrams in need of Linux beyond the fast host's system calls: sockets that share a port, a filter
 * that chooses among them, sockets that hear one address alone, and a look at many of them at once.
 *
 *     struct sock_filter   code:16 jt:8 jf:8 | k:32                       (8 bytes)
 *     struct sock_fprog    length:16 pad | filter:64                      (16 bytes)
 *     struct epoll_event   events:32 | data:64                            (12 bytes on x64, 16 with a pad on arm64)
 */
import { LINUX, type Libc, loadLibc, SOCKADDR_BYTES, writePointer } from "../../io-node/fast/libc.ts";
import { openBlock, type Piece, takePiece } from "../../io-node/fast/memory.ts";

const SO_REUSEPORT = 15;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EVENT_WORDS = process.arch === "x64" ? 3 : 4;
const EVENT_DATA = EVENT_WORDS - 2;

/** Bytes asked of the kernel for each socket; it may grant less. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** Descriptors that one look finds ready at most. */
const READY_MAX = 64;

/** Bytes of the working memory, and where in it an option or a length, a program and its text stand. */
const SCRATCH_BYTES = 4_096;
const OPTION_AT = 64;
const PROGRAM_AT = 128;
const TEXT_AT = 192;
const BELL_AT = 960;
const EVENTS_AT = 1_024;

/** The system as the ways see it; make it with {@link openKernel}. */
export interface Kernel {
  readonly libc: Libc;
  readonly connect: Libc["bind"];
  readonly epollCreate: Libc["bind"];
  readonly epollControl: Libc["bind"];
  readonly epollWait: Libc["bind"];
  readonly scratch: Piece;
}

/** The system calls and some memory, or a sentence that says why they can't be had. */
export function openKernel(): Kernel | string {
  const libc = loadLibc();
  if (typeof libc === "string") return libc;
  const { native } = libc;
  return {
    libc,
    connect: native.find("connect", "int", ["int", "address", "int"]),
    epollCreate: native.find("epoll_create1", "int", ["int"]),
    epollControl: native.find("epoll_ctl", "int", ["int", "int", "int", "address"]),
    epollWait: native.find("epoll_wait", "int", ["int", "address", "int", "int"]),
    scratch: takePiece(openBlock(native, native.allocate(SCRATCH_BYTES), SCRATCH_BYTES), SCRATCH_BYTES),
  };
}

/** Gives the memory back. */
export function closeKernel({ libc, scratch }: Kernel): void {
  libc.native.free(scratch.address, SCRATCH_BYTES);
}

/** A socket on a port of loopback, or on a free one when it is 0; one that shares its port shares it with others that do. */
export function openPort(kernel: Kernel, port: number, shares: boolean): number {
  const { libc } = kernel;
  const fd = libc.socket(LINUX.AF_INET, LINUX.DATAGRAM_SOCKET, 0);
  if (fd < 0) throw new Error(`the system gives no more sockets (errno ${libc.native.errno()}); raise "ulimit -n"`);
  setOption(kernel, fd, LINUX.SOL_SOCKET, LINUX.SO_RCVBUF, BUFFER_BYTES);
  setOption(kernel, fd, LINUX.SOL_SOCKET, LINUX.SO_SNDBUF, BUFFER_BYTES);
  if (shares) setOption(kernel, fd, LINUX.SOL_SOCKET, SO_REUSEPORT, 1);
  writeAddress(kernel, port);
  if (libc.bind(fd, kernel.scratch.address, SOCKADDR_BYTES.IPV4) < 0) {
    throw new Error(`the system gives no port on loopback (errno ${libc.native.errno()})`);
  }
  return fd;
}

/** Has a socket speak with a port of loopback, and hear nobody else. */
export function connectTo(kernel: Kernel, fd: number, port: number): void {
  writeAddress(kernel, port);
  if (kernel.connect(fd, kernel.scratch.address, SOCKADDR_BYTES.IPV4) < 0) throw new Error(`no way to port ${port}`);
}

/** The port of a socket on this side. */
export function portOf({ libc, scratch }: Kernel, fd: number): number {
  scratch.words[OPTION_AT / 4] = SOCKADDR_BYTES.IPV4;
  libc.getsockname(fd, scratch.address, scratch.address + OPTION_AT);
  return (scratch.bytes[2]! << 8) | scratch.bytes[3]!;
}

/** Has a classic BPF program choose among the sockets that share a port with this one: its result is their index. */
export function attachFilter({ libc, scratch }: Kernel, fd: number, program: Uint32Array): void {
  scratch.words[PROGRAM_AT / 4] = program.length / 2;
  writePointer(scratch.words, PROGRAM_AT / 4 + 2, scratch.address + TEXT_AT);
  scratch.words.set(program, TEXT_AT / 4);
  const refused = libc.setsockopt(fd, LINUX.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, scratch.address + PROGRAM_AT, 16);
  if (refused < 0) throw new Error(`the kernel takes no filter (errno ${libc.native.errno()})`);
}

/** Sets an option that is a number; answers whether the kernel took it. */
export function setOption(
  { libc, scratch }: Kernel,
  fd: number,
  level: number,
  option: number,
  value: number,
): boolean {
  scratch.words[OPTION_AT / 4] = value;
  return libc.setsockopt(fd, level, option, scratch.address + OPTION_AT, 4) === 0;
}

/** Looks after sockets together: each is found by its index among them. */
export function watchAll({ libc, epollCreate, epollControl, scratch }: Kernel, fds: readonly number[]): number {
  const watch = epollCreate(0);
  fds.forEach((fd, index) => {
    scratch.words[EVENTS_AT / 4] = EPOLLIN;
    scratch.words[EVENTS_AT / 4 + EVENT_DATA] = index;
    const refused = epollControl(watch, EPOLL_CTL_ADD, fd, scratch.address + EVENTS_AT);
    if (refused < 0) throw new Error(`the kernel can't watch a socket (errno ${libc.native.errno()})`);
  });
  return watch;
}

/** How many of the sockets that are watched have something to read, some of them at a time; {@link readyIndex} says which. */
export function countReady({ epollWait, scratch }: Kernel, watch: number): number {
  return epollWait(watch, scratch.address + EVENTS_AT, READY_MAX, 0);
}

/** Which socket the i-th is that was found ready. */
export function readyIndex({ scratch }: Kernel, i: number): number {
  return scratch.words[EVENTS_AT / 4 + i * EVENT_WORDS + EVENT_DATA]!;
}

/** Rings a bell (an eventfd), as one shard does to wake another. */
export function ring({ libc, scratch }: Kernel, bell: number): void {
  scratch.words[BELL_AT / 4] = 1;
  scratch.words[BELL_AT / 4 + 1] = 0;
  libc.write(bell, scratch.address + BELL_AT, 8);
}

/** Takes note of a bell that has rung. */
export function hush({ libc, scratch }: Kernel, bell: number): void {
  libc.read(bell, scratch.address + BELL_AT, 8);
}

/** Processor time of this thread so far, in microseconds. */
export function threadMicros({ libc, scratch }: Kernel): number {
  libc.clockGettime(LINUX.THREAD_TIME, scratch.address);
  return scratch.words[0]! * 1_000_000 + scratch.words[2]! / 1_000;
}

function writeAddress({ scratch }: Kernel, port: number): void {
  scratch.words[0] = LINUX.AF_INET | ((port >>> 8) << 16) | ((port & 0xff) << 24);
  scratch.bytes.set([127, 0, 0, 1], 4);
}
