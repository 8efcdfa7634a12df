/**
 * The ways in which datagrams can come to the right one of two shards:
 *
 *     a port for each                  the sender's answer names the port of his shard; two sockets
 *     one port, by the sender          the kernel chooses by a filter (flow-filter.ts); what has come to the wrong shard is
 *                                      handed across through a ring, and the other is woken
 *     one port, a socket for each      whoever is known has a connected socket, which the kernel prefers to all others
 *
 * All is done on one thread, so what handing across costs is the least that it can: copying, and the call that wakes. The
 * other thread's waking up, and what its core has to fetch from the first one's caches, come on top.
 */
import { LINUX, WORDS } from "../../io-node/fast/libc.ts";
import { openBlock } from "../../io-node/fast/memory.ts";
import {
  BATCH,
  createReceiveBatch,
  type ReceiveBatch,
  readBatch,
  receiveBatchBytes,
  takeLength,
} from "../../io-node/fast/receive-batch.ts";
import {
  createRingMemory,
  entryWords,
  openRingReader,
  openRingWriter,
  ringPut,
  ringShow,
  ringTake,
} from "../../io-node/relay/shared-ring.ts";
import { flowFilter } from "./flow-filter.ts";
import {
  attachFilter,
  connectTo,
  countReady,
  hush,
  type Kernel,
  openPort,
  portOf,
  readyIndex,
  ring,
  watchAll,
} from "./kernel.ts";
import { aim, closeAll, closeSenders, openSenders, ROUND, type Senders, sendRound } from "./senders.ts";

/** What is sent. */
export interface ReceiveShape {
  /** Participants, half of them on either shard. */
  readonly flows: number;
  /** Datagrams that one sends together. */
  readonly burst: number;
  readonly datagramBytes: number;
}

/** A way, ready to be measured. */
export interface Way {
  readonly name: string;
  /** Sends a round of datagrams. */
  send(): void;
  /** Takes in what has come, and answers how many datagrams have got to their shard. */
  receive(): number;
  close(): void;
}

/** Makes a way. */
export type OpenWay = (kernel: Kernel, shape: ReceiveShape) => Way;

/** Shards among whom the participants are shared. */
export const SHARDS = 2;
const RING_BYTES = 1_048_576;
const TAKE_WORDS = 32_768;

/** A port for each shard. */
export const openOwnPorts: OpenWay = (kernel, shape) => openPorts(kernel, shape, "a port for each shard", false);

/** A port for each shard, and datagrams that are sent as trains: the kernel cuts them (trains.ts has those left whole). */
export const openCutTrains: OpenWay = (kernel, shape) => openPorts(kernel, shape, "sent as trains", true);

function openPorts(kernel: Kernel, shape: ReceiveShape, name: string, asTrain: boolean): Way {
  const { libc } = kernel;
  const fds = Array.from({ length: SHARDS }, () => openPort(kernel, 0, false));
  const senders = openSenders(kernel, shape.flows, shape.burst, shape.datagramBytes, asTrain);
  for (let flow = 0; flow < shape.flows; flow++) aim(senders, flow, portOf(kernel, fds[flow % SHARDS]!));
  const { batch, free } = openBatch(kernel);
  const receive = () => {
    let taken = 0;
    for (const fd of fds) {
      for (let count = BATCH; count === BATCH; ) {
        count = readBatch(batch, fd);
        for (let i = 0; i < count; i++) if (takeLength(batch, i) > 0) taken += 1;
      }
    }
    return taken;
  };
  return way(name, senders, receive, () => {
    closeAll(libc, fds);
    free();
  });
}

/** One port; the kernel chooses by the sender, and half of the datagrams are handed across. */
export function openFiltered(kernel: Kernel, shape: ReceiveShape): Way {
  const { libc } = kernel;
  const { fds, port } = openGroup(kernel);
  const senders = openSenders(kernel, shape.flows, shape.burst, shape.datagramBytes);
  const shardOf = new Uint8Array(0x1_0000);
  senders.ports.forEach((from, flow) => {
    shardOf[from] = flow % SHARDS;
    aim(senders, flow, port);
  });
  const { batch, free } = openBatch(kernel);
  const words = new Int32Array(batch.slots[0]!.buffer);
  const taken = new Int32Array(TAKE_WORDS);
  const rings = fds.map(() => {
    const memory = createRingMemory(RING_BYTES);
    return { writer: openRingWriter(memory), reader: openRingReader(memory), bell: libc.eventfd(0, LINUX.EVENT_FLAGS) };
  });
  const read = (shard: number) => {
    const other = rings[1 - shard]!;
    let own = 0;
    for (let count = BATCH; count === BATCH; ) {
      count = readBatch(batch, fds[shard]!);
      for (let i = 0; i < count; i++) {
        const length = takeLength(batch, i);
        const from = batch.names.words[i * WORDS.SOCKADDR]! >>> 16;
        if (shardOf[((from & 0xff) << 8) | (from >>> 8)] === shard) own += 1;
        else ringPut(other.writer, words, batch.slots[i]!.byteOffset >>> 2, length, false, 0);
      }
    }
    if (ringShow(other.writer)) ring(kernel, other.bell);
    return own;
  };
  const take = ({ reader, bell }: (typeof rings)[number]) => {
    let handed = 0;
    hush(kernel, bell);
    for (let length = ringTake(reader, taken); length > 0; length = ringTake(reader, taken)) {
      for (let at = 0; at < length; at += entryWords(taken, at)) handed += 1;
    }
    return handed;
  };
  const receive = () => read(0) + read(1) + take(rings[0]!) + take(rings[1]!);
  return way("one port, by the sender", senders, receive, () => {
    closeAll(libc, [...fds, ...rings.map(({ bell }) => bell)]);
    free();
  });
}

/** One port, and for each participant a socket that hears him alone; each shard watches its own. */
export function openConnected(kernel: Kernel, shape: ReceiveShape): Way {
  const { libc } = kernel;
  const { fds, port } = openGroup(kernel);
  const senders = openSenders(kernel, shape.flows, shape.burst, shape.datagramBytes);
  const ofShards: number[][] = Array.from({ length: SHARDS }, () => []);
  senders.ports.forEach((from, flow) => {
    const fd = openPort(kernel, port, true);
    connectTo(kernel, fd, from);
    ofShards[flow % SHARDS]!.push(fd);
    aim(senders, flow, port);
  });
  const watches = ofShards.map((each) => watchAll(kernel, each));
  const { batch, free } = openBatch(kernel);
  const ready = new Int32Array(ROUND);
  const receiveOf = (shard: number) => {
    const count = countReady(kernel, watches[shard]!);
    for (let i = 0; i < count; i++) ready[i] = readyIndex(kernel, i);
    let taken = 0;
    for (let i = 0; i < count; i++) {
      const got = readBatch(batch, ofShards[shard]![ready[i]!]!);
      for (let k = 0; k < got; k++) if (takeLength(batch, k) > 0) taken += 1;
    }
    return taken;
  };
  return way(
    "one port, a socket for each",
    senders,
    () => receiveOf(0) + receiveOf(1),
    () => {
      closeAll(libc, [...watches, ...ofShards.flat(), ...fds]);
      free();
    },
  );
}

/** A socket for each shard, all on one port, and the filter that chooses among them. */
function openGroup(kernel: Kernel): { fds: number[]; port: number } {
  const first = openPort(kernel, 0, true);
  const port = portOf(kernel, first);
  const fds = [first, openPort(kernel, port, true)];
  attachFilter(kernel, first, flowFilter(SHARDS));
  return { fds, port };
}

function openBatch({ libc }: Kernel): { batch: ReceiveBatch; free: () => void } {
  const bytes = receiveBatchBytes();
  const address = libc.native.allocate(bytes);
  const batch = createReceiveBatch(libc, openBlock(libc.native, address, bytes));
  return { batch, free: () => libc.native.free(address, bytes) };
}

function way(name: string, senders: Senders, receive: () => number, close: () => void): Way {
  return {
    name,
    send: () => sendRound(senders),
    receive,
    close() {
      closeSenders(senders);
      close();
    },
  };
}
