/**
 * Who sends in the measurement of taking datagrams in: a socket for each participant, and rounds of 64 datagrams. A round goes
 * on where the last one has ended, so that all participants have their turn.
 */
import { CONTROL_BYTES, LINUX, type Libc, WORDS, writePointer } from "../../io-node/fast/libc.ts";
import { openBlock, type Piece, pieceBytes, takePiece } from "../../io-node/fast/memory.ts";
import { connectTo, type Kernel, openPort, portOf } from "./kernel.ts";

/** Datagrams of a round: what the fast host reads at once, and less than any socket has room for. */
export const ROUND = 64;

/** Participants that send; make them with {@link openSenders}. */
export interface Senders {
  readonly kernel: Kernel;
  readonly fds: readonly number[];
  readonly ports: readonly number[];
  /** Datagrams that one sends together. */
  readonly burst: number;
  /** Where they lie, and what one call hands over: a message for each of them, or a train of all. */
  readonly memory: { readonly address: number; readonly bytes: number };
  readonly messages: Piece;
  readonly messageCount: number;
  next: number;
}

/**
 * So many participants, who send datagrams of so many bytes, `burst` of them together: one by one, or as a train that the
 * kernel cuts where somebody wants them one by one. They still have nobody to send to.
 */
export function openSenders(
  kernel: Kernel,
  count: number,
  burst: number,
  datagramBytes: number,
  asTrain = false,
): Senders {
  const { native } = kernel.libc;
  const parts = [datagramBytes, burst * WORDS.VECTOR * 4, burst * WORDS.MESSAGE * 4, CONTROL_BYTES];
  const bytes = parts.reduce((sum, each) => sum + pieceBytes(each), 0);
  const address = native.allocate(bytes);
  const block = openBlock(native, address, bytes);
  const datagram = takePiece(block, datagramBytes);
  const vectors = takePiece(block, burst * WORDS.VECTOR * 4);
  const messages = takePiece(block, burst * WORDS.MESSAGE * 4);
  const control = takePiece(block, CONTROL_BYTES);
  // The first byte of RTP.
  datagram.bytes.fill(0x80);
  for (let i = 0; i < burst; i++) {
    writePointer(vectors.words, i * WORDS.VECTOR, datagram.address);
    vectors.words[i * WORDS.VECTOR + WORDS.VECTOR_LENGTH] = datagramBytes;
    const vector = vectors.address + i * WORDS.VECTOR * 4;
    writePointer(messages.words, i * WORDS.MESSAGE + WORDS.MESSAGE_VECTOR, vector);
    messages.words[i * WORDS.MESSAGE + WORDS.MESSAGE_VECTORS] = 1;
  }
  if (asTrain) {
    messages.words[WORDS.MESSAGE_VECTORS] = burst;
    writePointer(messages.words, WORDS.MESSAGE_CONTROL, control.address);
    messages.words[WORDS.MESSAGE_CONTROL_LENGTH] = CONTROL_BYTES;
    control.words[0] = WORDS.CONTROL_DATA * 4 + 2;
    control.words[WORDS.CONTROL_LEVEL] = LINUX.SOL_UDP;
    control.words[WORDS.CONTROL_TYPE] = LINUX.UDP_SEGMENT;
    control.words[WORDS.CONTROL_DATA] = datagramBytes;
  }
  const fds = Array.from({ length: count }, () => openPort(kernel, 0, false));
  const ports = fds.map((fd) => portOf(kernel, fd));
  const messageCount = asTrain ? 1 : burst;
  return { kernel, fds, ports, burst, memory: { address, bytes }, messages, messageCount, next: 0 };
}

/** Has a participant send to a port from now on. */
export function aim({ kernel, fds }: Senders, sender: number, port: number): void {
  connectTo(kernel, fds[sender]!, port);
}

/** Sends a round. */
export function sendRound(senders: Senders): void {
  const { kernel, fds, burst, messages, messageCount } = senders;
  const { libc } = kernel;
  for (let sent = 0; sent < ROUND; sent += burst) {
    libc.sendmmsg(fds[senders.next]!, messages.address, messageCount, LINUX.MSG_DONTWAIT);
    senders.next = (senders.next + 1) % fds.length;
  }
}

/** Closes their sockets. */
export function closeSenders({ kernel, fds, memory }: Senders): void {
  closeAll(kernel.libc, fds);
  kernel.libc.native.free(memory.address, memory.bytes);
}

/** Closes descriptors. */
export function closeAll(libc: Libc, fds: readonly number[]): void {
  for (const fd of fds) libc.close(fd);
}
