/**
 * A call over the fast loop: a speaker's packets come in through the kernel, and what is forwarded leaves through it.
 *
 * Everybody has joined in memory before (bench/core/call.ts). Then the shard moves into a fast loop on this thread: a socket
 * for each client has introduced itself in their order, so the loop's flows have the numbers that the shard knows.
 */

import { BATCH_PACKETS, type Call, createCall, runClients } from "../../../bench/core/call.ts";
import { createSpeaker, fillBatch, type Speaker } from "../../../bench/core/speaker.ts";
import { micros, shardHandle, shardNextTimeout } from "../../../core/index.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import type { OpensslCrypto } from "../../../io-crypto/openssl-crypto.ts";
import { closeFastResources, type FastResources, openFastResources } from "../../../io-node/fast/fast-host.ts";
import { LINUX, type Libc, loadLibc, SOCKADDR_BYTES } from "../../../io-node/fast/libc.ts";
import { createFastLoop, type FastLoop, fastTurn } from "../../../io-node/fast/loop.ts";
import { openBlock } from "../../../io-node/fast/memory.ts";
import { closeFastSockets, type FastSockets, openFastSockets } from "../../../io-node/fast/sockets.ts";
import { requireOpensslCrypto } from "../crypto/openssl-crypto.ts";

/** Bytes of a client's receive buffer: nobody reads, and what doesn't fit is dropped at once. */
const CLIENT_BUFFER_BYTES = 2_048;

/** Between two of the speaker's packets. */
const INTERVAL_MICROS = 100;

/** A call; make it with {@link createFastCall}. */
export interface FastCall {
  readonly call: Call;
  readonly loop: FastLoop;
  readonly speaker: Speaker;
  /** Lets time pass, as it does for nothing else; makes the speaker's next packets; does what is due. */
  prepare(): void;
  /** Sends this one of them to the loop's socket. */
  send(index: number): void;
  close(): void;
}

/** A call of so many viewers, ready for the first packet. */
export function createFastCall(viewers: number, packetBytes: number): FastCall {
  const crypto: OpensslCrypto = requireOpensslCrypto();
  const call = createCall(viewers, { shard: crypto, createClient: createNodeCrypto, cipher: "real" });
  const speaker = createSpeaker(call, packetBytes);
  const resources = openFastResources(0);
  const libc = loadLibc();
  if (typeof resources === "string" || typeof libc === "string") throw new Error("this machine has no fast host");
  let introduced = false;
  const loop = createFastLoop({
    ...resources,
    block: openBlock(libc.native, resources.block.address, resources.block.length),
    fds: resources.sockets.fds,
    engine: {
      nextTimeout: () => shardNextTimeout(call.shard),
      handle: (ports, input) => {
        if (introduced) shardHandle(call.shard, ports, input);
      },
    },
    crypto,
    clock: () => call.loop.now,
    flowSeed: 1,
    onReply: () => {},
    onEvent: () => {},
    onFailure: (error) => {
      throw error;
    },
  });
  const clients = createClients(libc, resources, viewers + 1);
  for (let client = 0; client <= viewers; client++) {
    clients.send(client, call.slots[0]!, 1);
    fastTurn(loop, 1_000_000);
  }
  introduced = true;
  return {
    call,
    loop,
    speaker,
    prepare() {
      call.loop.now = micros(call.loop.now + BATCH_PACKETS * INTERVAL_MICROS);
      runClients(call);
      fillBatch(speaker);
      fastTurn(loop, 0);
    },
    send: (index) => clients.send(0, call.slots[index]!, call.lengths[index]!),
    close() {
      clients.close();
      closeFastResources(resources);
      crypto.close();
    },
  };
}

/** How many packets {@link FastCall.prepare} makes. */
export const PREPARED = BATCH_PACKETS;

/** Sockets that send from a piece of native memory. */
function createClients(libc: Libc, resources: FastResources, count: number) {
  const { native } = libc;
  const memory = native.allocate(4_096);
  const bytes = native.view(memory, 4_096);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 1_024);
  const { port } = resources.sockets;
  const target = Uint8Array.of(LINUX.AF_INET, 0, port >> 8, port, 127, 0, 0, 1);
  bytes.set(target, 0);
  words[8] = CLIENT_BUFFER_BYTES;
  const sockets: FastSockets[] = Array.from({ length: count }, () => openFastSockets(libc, 0));
  for (const { fds } of sockets) libc.setsockopt(fds[0]!, LINUX.SOL_SOCKET, LINUX.SO_RCVBUF, memory + 32, 4);
  const sendto = native.find("sendto", "int", ["int", "address", "size_t", "int", "address", "int"]);
  return {
    send(client: number, from: Uint8Array, length: number) {
      for (let i = 0; i < length; i++) bytes[64 + i] = from[i]!;
      sendto(sockets[client]!.fds[0]!, memory + 64, length, 0, memory, SOCKADDR_BYTES.IPV4);
    },
    close() {
      for (const each of sockets) closeFastSockets(libc, each);
      native.free(memory, 4_096);
    },
  };
}
