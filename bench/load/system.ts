/**
 * What the load generator asks of Linux beyond the fast host's system calls: connected sockets that stamp what comes in,
 * and the clock that those stamps are of.
 *
 * The kernel writes the time of arrival beside each datagram (SO_TIMESTAMPNS), so a delay is measured to the moment at
 * which the datagram was there, not to the moment at which a busy generator looked.
 *
 *     struct cmsghdr   length:64 | level:32 type:32 | struct timespec   (32 bytes)
 */
import { LIMITS } from "../../core/index.ts";
import type { NativeFunction } from "../../io-crypto/native.ts";
import { LINUX, type Libc, loadLibc, SOCKADDR_BYTES, WORDS, writePointer } from "../../io-node/fast/libc.ts";
import { type Block, openBlock, type Piece, pieceBytes, takePiece } from "../../io-node/fast/memory.ts";

const SO_TIMESTAMPNS = 35;
const CLOCK_REALTIME = 0;
const CONTROL_BYTES = 64;
const CONTROL_WORDS = CONTROL_BYTES / 4;
/** Where the seconds and nanoseconds of a stamp stand in its control message, in words. */
const STAMP_SECONDS = 4;
const STAMP_NANOSECONDS = 6;
const MESSAGE_CONTROL = 8;
const MESSAGE_CONTROL_LENGTH = 10;

/** Datagrams that one call reads or sends at most. */
export const BATCH = 64;

/** Bytes asked of the kernel for each direction of a socket; it may grant less. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** The system as the generator sees it; make one with {@link openSystem}. */
export interface System {
  readonly libc: Libc;
  readonly connect: NativeFunction;
  readonly clockGettime: NativeFunction;
  /** Slots that are filled by {@link readSocket}: datagram i stands at i times `LIMITS.datagramBytesMax`. */
  readonly inbound: Batch;
  readonly controls: Piece;
  /** Slots that {@link sendSlots} sends from. */
  readonly outbound: Batch;
  /** Working memory for addresses, options and the time. */
  readonly scratch: Piece;
}

interface Batch {
  readonly slots: Piece;
  readonly messages: Piece;
  readonly vectors: Piece;
}

/** The system calls and memory of a generator, or a sentence that says why they can't be had here. */
export function openSystem(): System | string {
  const libc = loadLibc();
  if (typeof libc === "string") return libc;
  const { native } = libc;
  const bytes = 2 * batchBytes() + pieceBytes(BATCH * CONTROL_BYTES) + pieceBytes(128);
  const block = openBlock(native, native.allocate(bytes), bytes);
  const inbound = createBatch(block);
  const controls = takePiece(block, BATCH * CONTROL_BYTES);
  for (let i = 0; i < BATCH; i++) {
    writePointer(inbound.messages.words, i * WORDS.MESSAGE + MESSAGE_CONTROL, controls.address + i * CONTROL_BYTES);
  }
  return {
    libc,
    connect: native.find("connect", "int", ["int", "address", "int"]),
    clockGettime: native.find("clock_gettime", "int", ["int", "address"]),
    inbound,
    controls,
    outbound: createBatch(block),
    scratch: takePiece(block, 128),
  };
}

/** Microseconds since 1970, by the clock that arrivals are stamped with. */
export function wallMicros({ clockGettime, scratch }: System): number {
  clockGettime(CLOCK_REALTIME, scratch.address);
  return scratch.words[0]! * 1_000_000 + scratch.words[1]! * 0x1_0000_0000 * 1_000_000 + scratch.words[2]! / 1_000;
}

/** A socket of its own that speaks with one IPv4 address alone. Throws when the system has none to give. */
export function openConnectedSocket(system: System, ip: string, port: number): number {
  const fd = openSocket(system);
  writeAddress(system, ip, port);
  if (system.connect(fd, system.scratch.address, SOCKADDR_BYTES.IPV4) < 0) {
    throw new Error(`there is no way to ${ip}:${port}`);
  }
  return fd;
}

/** A socket of its own on a free port of loopback, that hears whoever speaks to it. */
export function openListeningSocket(system: System): number {
  const fd = openSocket(system);
  writeAddress(system, "127.0.0.1", 0);
  if (system.libc.bind(fd, system.scratch.address, SOCKADDR_BYTES.IPV4) < 0) {
    throw new Error("the system gives no more ports on loopback");
  }
  return fd;
}

function openSocket({ libc, scratch }: System): number {
  const fd = libc.socket(LINUX.AF_INET, LINUX.DATAGRAM_SOCKET, 0);
  if (fd < 0) throw new Error(`the system gives no more sockets (errno ${libc.native.errno()}); raise "ulimit -n"`);
  const setOption = (option: number, value: number) => {
    scratch.words[8] = value;
    libc.setsockopt(fd, LINUX.SOL_SOCKET, option, scratch.address + 32, 4);
  };
  setOption(LINUX.SO_RCVBUF, BUFFER_BYTES);
  setOption(LINUX.SO_SNDBUF, BUFFER_BYTES);
  setOption(SO_TIMESTAMPNS, 1);
  return fd;
}

/** Puts an address into the working memory. */
function writeAddress({ scratch }: System, ip: string, port: number): void {
  scratch.words[0] = LINUX.AF_INET | ((port >>> 8) << 16) | ((port & 0xff) << 24);
  scratch.bytes.set(ip.split(".").map(Number), 4);
}

/** The port of a socket on this side. */
export function localPort({ libc, scratch }: System, fd: number): number {
  scratch.words[8] = SOCKADDR_BYTES.IPV4;
  libc.getsockname(fd, scratch.address, scratch.address + 32);
  return (scratch.bytes[2]! << 8) | scratch.bytes[3]!;
}

/** Reads what has come to a socket into the inbound slots, without waiting; how many datagrams, 0 for none or an error. */
export function readSocket({ libc, inbound }: System, fd: number): number {
  const { words } = inbound.messages;
  for (let i = 0; i < BATCH; i++) {
    const control = i * WORDS.MESSAGE + MESSAGE_CONTROL_LENGTH;
    if (words[control] === CONTROL_BYTES) break;
    words[control] = CONTROL_BYTES;
  }
  const count = libc.recvmmsg(fd, inbound.messages.address, BATCH, LINUX.MSG_DONTWAIT, 0);
  return Math.max(count, 0);
}

/** The length of inbound datagram i. */
export function inboundLength({ inbound }: System, i: number): number {
  return inbound.messages.words[i * WORDS.MESSAGE + WORDS.MESSAGE_LENGTH]!;
}

/** When inbound datagram i arrived, in microseconds since 1970. */
export function inboundMicros({ controls }: System, i: number): number {
  const at = i * CONTROL_WORDS;
  const seconds = controls.words[at + STAMP_SECONDS]! + controls.words[at + STAMP_SECONDS + 1]! * 0x1_0000_0000;
  return seconds * 1_000_000 + controls.words[at + STAMP_NANOSECONDS]! / 1_000;
}

/** Says how long the datagram in outbound slot i is. */
export function setOutboundLength({ outbound }: System, i: number, length: number): void {
  outbound.vectors.words[i * WORDS.VECTOR + WORDS.VECTOR_LENGTH] = length;
}

/** Sends the first `count` outbound slots; answers how many the kernel took. */
export function sendSlots({ libc, outbound }: System, fd: number, count: number): number {
  return Math.max(libc.sendmmsg(fd, outbound.messages.address, count, LINUX.MSG_DONTWAIT), 0);
}

/** Sleeps for so many microseconds, and blocks the thread meanwhile. */
export function sleepMicros({ libc, scratch }: System, micros: number): void {
  scratch.words.fill(0, 0, WORDS.TIME);
  scratch.words[0] = micros / 1_000_000;
  scratch.words[2] = (micros % 1_000_000) * 1_000;
  libc.ppoll(0, 0, scratch.address, 0);
}

function batchBytes(): number {
  const small = pieceBytes(BATCH * WORDS.VECTOR * 4) + pieceBytes(BATCH * WORDS.MESSAGE * 4);
  return pieceBytes(BATCH * LIMITS.datagramBytesMax) + small;
}

function createBatch(block: Block): Batch {
  const slots = takePiece(block, BATCH * LIMITS.datagramBytesMax);
  const vectors = takePiece(block, BATCH * WORDS.VECTOR * 4);
  const messages = takePiece(block, BATCH * WORDS.MESSAGE * 4);
  for (let i = 0; i < BATCH; i++) {
    const message = i * WORDS.MESSAGE;
    const vector = i * WORDS.VECTOR;
    writePointer(messages.words, message + WORDS.MESSAGE_VECTOR, vectors.address + vector * 4);
    messages.words[message + WORDS.MESSAGE_VECTORS] = 1;
    writePointer(vectors.words, vector, slots.address + i * LIMITS.datagramBytesMax);
    vectors.words[vector + WORDS.VECTOR_LENGTH] = LIMITS.datagramBytesMax;
  }
  return { slots, messages, vectors };
}
