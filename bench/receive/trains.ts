/**
 * Datagrams that come together, and whether the kernel hands them out together (`UDP_GRO`): one message is then a *train*,
 * several datagrams of one sender in a row, equally long but for a shorter last one, with their length beside it. The shard
 * wants each in a slot of its own, so a train that was read has to be cut, which is a copy for each datagram.
 *
 *     struct cmsghdr   length:64 | level:32 type:32 | length of each datagram:32 pad:32   (24 bytes)
 */
import { LIMITS } from "../../core/index.ts";
import type { NativeFunction } from "../../io-crypto/native.ts";
import { LINUX, WORDS, writePointer } from "../../io-node/fast/libc.ts";
import { openBlock, type Piece, pieceBytes, takePiece } from "../../io-node/fast/memory.ts";
import { type Kernel, openPort, portOf, setOption } from "./kernel.ts";
import { aim, closeAll, closeSenders, openSenders, ROUND, sendRound } from "./senders.ts";
import { type OpenWay, type ReceiveShape, SHARDS, type Way } from "./ways.ts";

const UDP_GRO = 104;
/** Trains read by one call, the most bytes of one, and those of the control message beside it. */
const TRAINS = 16;
const TRAIN_BYTES_MAX = 65_536;
const CONTROL_BYTES = 32;

/** What a call reads trains into, and the slots that they are cut into. */
interface TrainBatch {
  readonly messages: Piece;
  readonly controls: Piece;
  readonly trains: Piece;
  readonly slots: Piece;
  readonly memcpy: NativeFunction;
  free(): void;
}

/** Datagrams that are sent one by one to sockets which would take trains. */
export const openHopefulSingles: OpenWay = (kernel, shape) => openTakingTrains(kernel, shape, "with UDP_GRO", false);

/** Datagrams that are sent as trains and read as trains. */
export const openWholeTrains: OpenWay = (kernel, shape) =>
  openTakingTrains(kernel, shape, "sent as trains, with UDP_GRO", true);

function openTakingTrains(kernel: Kernel, shape: ReceiveShape, name: string, asTrain: boolean): Way {
  const { libc } = kernel;
  const fds = Array.from({ length: SHARDS }, () => openPort(kernel, 0, false));
  for (const fd of fds)
    if (!setOption(kernel, fd, LINUX.SOL_UDP, UDP_GRO, 1)) throw new Error("the kernel has no UDP_GRO");
  const senders = openSenders(kernel, shape.flows, shape.burst, shape.datagramBytes, asTrain);
  for (let flow = 0; flow < shape.flows; flow++) aim(senders, flow, portOf(kernel, fds[flow % SHARDS]!));
  const batch = createTrainBatch(kernel);
  const receive = () => readTrains(kernel, fds[0]!, batch) + readTrains(kernel, fds[1]!, batch);
  const close = () => {
    closeSenders(senders);
    closeAll(libc, fds);
    batch.free();
  };
  return { name, send: () => sendRound(senders), receive, close };
}

function createTrainBatch({ libc: { native } }: Kernel): TrainBatch {
  const parts = [
    TRAINS * TRAIN_BYTES_MAX,
    ROUND * LIMITS.datagramBytesMax,
    TRAINS * CONTROL_BYTES,
    TRAINS * WORDS.VECTOR * 4,
    TRAINS * WORDS.MESSAGE * 4,
  ];
  const bytes = parts.reduce((sum, each) => sum + pieceBytes(each), 0);
  const address = native.allocate(bytes);
  const block = openBlock(native, address, bytes);
  const [trains, slots, controls, vectors, messages] = parts.map((each) => takePiece(block, each)) as [
    Piece,
    Piece,
    Piece,
    Piece,
    Piece,
  ];
  for (let i = 0; i < TRAINS; i++) {
    const message = i * WORDS.MESSAGE;
    writePointer(vectors.words, i * WORDS.VECTOR, trains.address + i * TRAIN_BYTES_MAX);
    vectors.words[i * WORDS.VECTOR + WORDS.VECTOR_LENGTH] = TRAIN_BYTES_MAX;
    writePointer(messages.words, message + WORDS.MESSAGE_VECTOR, vectors.address + i * WORDS.VECTOR * 4);
    messages.words[message + WORDS.MESSAGE_VECTORS] = 1;
    writePointer(messages.words, message + WORDS.MESSAGE_CONTROL, controls.address + i * CONTROL_BYTES);
    messages.words[message + WORDS.MESSAGE_CONTROL_LENGTH] = CONTROL_BYTES;
  }
  const memcpy = native.find("memcpy", "address", ["address", "address", "size_t"]);
  return { messages, controls, trains, slots, memcpy, free: () => native.free(address, bytes) };
}

/** Reads what has come, cuts it into slots, and answers how many datagrams it was. */
function readTrains({ libc }: Kernel, fd: number, batch: TrainBatch): number {
  const { messages, controls, trains, slots, memcpy } = batch;
  let datagrams = 0;
  for (let count = TRAINS; count === TRAINS; ) {
    count = libc.recvmmsg(fd, messages.address, TRAINS, LINUX.MSG_DONTWAIT, 0);
    for (let i = 0; i < count; i++) {
      const message = i * WORDS.MESSAGE;
      const length = messages.words[message + WORDS.MESSAGE_LENGTH]!;
      // Without a control message it is one datagram.
      const isTrain = messages.words[message + WORDS.MESSAGE_CONTROL_LENGTH] !== 0;
      const each = isTrain ? controls.words[(i * CONTROL_BYTES) / 4 + WORDS.CONTROL_DATA]! : length;
      messages.words[message + WORDS.MESSAGE_CONTROL_LENGTH] = CONTROL_BYTES;
      datagrams += 1;
      // The first one may stay where it is.
      for (let at = each; at < length; at += each) {
        const slot = slots.address + (datagrams % ROUND) * LIMITS.datagramBytesMax;
        memcpy(slot, trains.address + i * TRAIN_BYTES_MAX + at, Math.min(each, length - at));
        datagrams += 1;
      }
    }
  }
  return datagrams;
}
