/**
 * What forwarding costs through the fast host's adapter when there is no SFU behind it: read a batch, open a packet, seal
 * it for each subscriber, send a batch. limit.c does the same in C, and reads and prints the same lines.
 */
import { createInterface } from "node:readline";
import { readU16, writeU32 } from "../../core/base/bytes.ts";
import { KEY_HANDLE, keyHandleBase } from "../../core/crypto/handles.ts";
import { rtpHeaderLength } from "../../core/wire/rtp.ts";
import { createOpensslCrypto, type OpensslCrypto } from "../../io-crypto/openssl-crypto.ts";
import { LINUX, type Libc, loadLibc, SOCKADDR_BYTES, WORDS } from "../../io-node/fast/libc.ts";
import { openBlock, type Piece, pieceBytes, takePiece } from "../../io-node/fast/memory.ts";
import {
  createReceiveBatch,
  type ReceiveBatch,
  readBatch,
  receiveBatchBytes,
  takeLength,
} from "../../io-node/fast/receive-batch.ts";
import {
  createSendQueues,
  expectDatagrams,
  flushAll,
  queueSlot,
  reservedOffset,
  type SendQueues,
  sendQueuesBytes,
} from "../../io-node/fast/send-queues.ts";
import { openFastSockets } from "../../io-node/fast/sockets.ts";
import { type End, readEnd } from "./ends.ts";

const TAG_BYTES = 16;
const SECONDS_MAX = 600;
const WAIT_SECONDS = 1;
const SSRC_AT = 8;

interface Bare {
  readonly libc: Libc;
  readonly crypto: OpensslCrypto;
  readonly fd: number;
  readonly batch: ReceiveBatch;
  readonly queues: SendQueues;
  /** A `sockaddr` for each subscriber. */
  readonly names: Piece;
  readonly polls: Piece;
  readonly nonce: Uint8Array;
  readonly publisher: End;
  readonly subscribers: readonly End[];
  index: number;
}

async function main(): Promise<void> {
  const libc = loadLibc();
  const crypto = createOpensslCrypto();
  if (typeof libc === "string" || typeof crypto === "string") throw new Error(String(libc) + String(crypto));
  const sockets = openFastSockets(libc, 0);
  process.stdout.write(`${sockets.port}\n`);
  const ends: End[] = [];
  for await (const line of createInterface({ input: process.stdin })) ends.push(readEnd(line));
  const [publisher, ...subscribers] = ends;
  if (publisher === undefined) throw new Error("there is no publisher");
  ends.forEach(({ key }, index) => {
    crypto.setAeadKey(handleOf(index), key);
  });
  const nameBytes = subscribers.length * WORDS.SOCKADDR * 4;
  const bytes = receiveBatchBytes() + sendQueuesBytes() + pieceBytes(nameBytes) + pieceBytes(64);
  const block = openBlock(libc.native, libc.native.allocate(bytes), bytes);
  const names = takePiece(block, nameBytes);
  const nameLengths = new Uint8Array(subscribers.length).fill(SOCKADDR_BYTES.IPV4);
  const bare: Bare = {
    libc,
    crypto,
    fd: sockets.fds[0]!,
    batch: createReceiveBatch(libc, block),
    queues: createSendQueues(libc, block, [sockets.fds[0]!], { names, nameLengths }),
    names,
    polls: takePiece(block, 64),
    nonce: crypto.workspace.nonce,
    publisher,
    subscribers,
    index: 0,
  };
  writeNames(bare);
  const deadline = performance.now() + SECONDS_MAX * 1_000;
  while (performance.now() < deadline) turn(bare);
}

function writeNames({ names, subscribers }: Bare): void {
  subscribers.forEach(({ port }, index) => {
    names.words[index * WORDS.SOCKADDR] = LINUX.AF_INET | ((port >>> 8) << 16) | ((port & 0xff) << 24);
    names.bytes.set([127, 0, 0, 1], index * WORDS.SOCKADDR * 4 + 4);
  });
}

function turn(bare: Bare): void {
  const { libc, batch, fd, polls, queues } = bare;
  polls.words[0] = fd;
  polls.words[1] = LINUX.POLLIN;
  polls.words[4] = WAIT_SECONDS;
  queues.queues[0]!.blocked = false;
  if (libc.ppoll(polls.address, 1, polls.address + 16, 0) <= 0) return;
  const count = readBatch(batch, fd);
  expectDatagrams(queues, count);
  for (let i = 0; i < count; i++) forward(bare, batch.slots[i]!, takeLength(batch, i));
  flushAll(queues);
}

function forward(bare: Bare, bytes: Uint8Array, length: number): void {
  const { crypto, queues, nonce, publisher, subscribers } = bare;
  bare.index += (readU16(bytes, 2) - (bare.index & 0xffff)) & 0xffff;
  const header = rtpHeaderLength(bytes, 0);
  writeNonce(nonce, publisher, bare.index);
  if (!crypto.openAead(handleOf(0), nonce, bytes, 0, header, bytes, header, length - header, bytes, header)) return;
  const target = queues.arena.bytes;
  const plain = length - header - TAG_BYTES;
  for (let i = 0; i < subscribers.length; i++) {
    const at = reservedOffset(queues);
    for (let k = 0; k < header; k++) target[at + k] = bytes[k]!;
    writeU32(target, at + SSRC_AT, subscribers[i]!.ssrc);
    writeNonce(nonce, subscribers[i]!, bare.index);
    crypto.sealAead(handleOf(i + 1), nonce, target, at, header, bytes, header, plain, target, at + header);
    queueSlot(queues, 0, i, length);
  }
}

/** The handle of an end's key, as the core would number it: keys lie by their handles. */
function handleOf(index: number): number {
  return keyHandleBase(index) + KEY_HANDLE.SRTP_WRITE;
}

/** RFC 7714 §8.1: zeros, SSRC, rollover counter and sequence number, over the salt. */
function writeNonce(nonce: Uint8Array, { salt, ssrc }: End, index: number): void {
  const roc = Math.floor(index / 0x1_0000);
  for (let i = 0; i < 12; i++) nonce[i] = salt[i]!;
  for (let i = 0; i < 4; i++) {
    nonce[2 + i]! ^= ssrc >>> (24 - 8 * i);
    nonce[6 + i]! ^= roc >>> (24 - 8 * i);
  }
  nonce[10]! ^= index >>> 8;
  nonce[11]! ^= index;
}

await main();
