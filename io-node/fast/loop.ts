/**
 * The loop around a shard without an event loop underneath: wait, read a batch, feed it, send a batch.
 *
 * Whoever owns the thread calls {@link fastTurn} again and again. A turn waits in `ppoll` for a datagram, for room in a
 * full socket, for a knock on the wake-up descriptor or for the shard's next timeout; then it reads batches, feeds each
 * datagram as one input, and sends what came of them. Time is asked once a batch: its datagrams lay in the kernel together.
 * What other shards have relayed (relay/relay-ways.ts) is taken once a turn, and what is for them is shown with each sending.
 *
 * What the portable host promises (io-node/portable/udp-host.ts) holds here too: replies, events and released flows wait
 * until the shard has returned, and a shard that throws gets no more inputs. A released flow keeps its number until what was
 * queued for it has been sent.
 */
import {
  type Command,
  type CommandReply,
  createDatagramInput,
  type DatagramInput,
  FIRST_COME_FIRST_SERVED,
  type Micros,
  NEVER,
  type Outbox,
  type RelayInput,
  type ShardEvent,
  type ShardInput,
  type ShardPorts,
} from "../../core/index.ts";
import type { EngineParts } from "../engine.ts";
import { hostFails } from "../fault-sites.ts";
import type { ReceiveCounters } from "../portable/udp-host.ts";
import {
  closeWay,
  createRelayWays,
  openWay,
  type RelayPeer,
  type RelayWays,
  relayMail,
  relayPacket,
  settleWays,
  TAKE_BYTES,
  takeRelayed,
  waysHold,
} from "../relay/relay-ways.ts";
import { failingLibc } from "./failing-libc.ts";
import {
  createFastFlows,
  FAST_FLOWS_MAX,
  type FastFlows,
  flowNamesBytes,
  hasFastFlow,
  internFastFlow,
  releaseFastFlow,
} from "./flow-table.ts";
import { ERRNO, LINUX, type Libc, WORDS } from "./libc.ts";
import { type Block, type Piece, pieceBytes, takePiece } from "./memory.ts";
import {
  BATCH,
  createReceiveBatch,
  type ReceiveBatch,
  readBatch,
  receiveBatchBytes,
  takeLength,
} from "./receive-batch.ts";
import {
  createSendQueues,
  expectDatagrams,
  type FastSendCounters,
  flushAll,
  queueSlot,
  reservedOffset,
  type SendQueues,
  sendQueuesBytes,
} from "./send-queues.ts";

/** Batches read from one socket before others, timers and commands have their turn. */
const BATCHES_A_TURN = 4;

/** How long a turn waits at most while mail for another shard waits for room. */
const MAIL_MICROS = 1_000;

/** How often the thread's processor time is read. */
const CPU_READ_MICROS = 50_000;

/** Where in {@link FastLoop.time} the counter of an eventfd is read to, and where what is written into another's stands. */
const COUNTER_AT = 16;
const KNOCK_AT = 24;

/** What a loop is made of. */
export interface FastLoopParts extends EngineParts {
  readonly libc: Libc;
  /** Native memory of {@link fastLoopBytes} at least; lent. */
  readonly block: Block;
  /** The sockets; lent. */
  readonly fds: readonly number[];
  /** An eventfd that ends the waiting of a turn; lent. */
  readonly wakeFd: number;
  /** Secret 32 bits for the flow table. */
  readonly flowSeed: number;
}

/** A loop; make one with {@link createFastLoop}. */
export interface FastLoop {
  readonly parts: FastLoopParts;
  readonly ports: ShardPorts;
  readonly flows: FastFlows;
  readonly queues: SendQueues;
  readonly batch: ReceiveBatch;
  readonly relays: RelayWays;
  readonly received: ReceiveCounters;
  readonly sent: FastSendCounters;
  /** One `pollfd` for each socket, and one for the wake-up. */
  readonly polls: Piece;
  /** A `timespec`, and behind it what is read from an eventfd and what is written into another's. */
  readonly time: Piece;
  /** Every datagram comes to the shard in this one object. */
  readonly input: DatagramInput;
  /** Feeds what another shard has relayed, and wakes another shard: functions that are made once. */
  readonly takeIn: (input: RelayInput) => void;
  readonly wake: (peer: RelayPeer) => void;
  readonly waiting: Waiting;
  /** The shard is at work: what comes meanwhile waits. */
  busy: boolean;
  stopped: boolean;
  /**
   * The main thread has written into the wake-up descriptor; whoever owns the thread looks after that, and sets it back. It
   * adds 1, and other shards add 2^32, for which there is nothing to do but to look.
   */
  knocked: boolean;
  /** Turns so far. */
  turns: number;
  /** The time as it was asked last, after whatever takes long: a turn waits from there on, and does not ask again. */
  now: Micros;
  /** Processor time of the thread, as it was at the time beside it. */
  cpuMicros: number;
  cpuReadAt: Micros;
}

/** What waits until the shard has returned; released flows wait until the queues are empty too. */
interface Waiting {
  replies: CommandReply[];
  events: ShardEvent[];
  released: number[];
  commands: { commandId: number; command: Command }[];
}

/** Native memory that a loop over `sockets` sockets needs. */
export function fastLoopBytes(sockets: number): number {
  const small = pieceBytes((sockets + 1) * WORDS.POLL * 4) + pieceBytes(2 * WORDS.TIME * 4) + pieceBytes(TAKE_BYTES);
  return sendQueuesBytes() + receiveBatchBytes() + pieceBytes(flowNamesBytes(FAST_FLOWS_MAX)) + small;
}

/** A loop that is ready for its first turn. */
export function createFastLoop(given: FastLoopParts): FastLoop {
  const { block, fds, wakeFd, faults } = given;
  const libc = faults === undefined ? given.libc : failingLibc(given.libc, faults);
  const parts: FastLoopParts = { ...given, libc };
  const batch = createReceiveBatch(libc, block);
  const flows = createFastFlows(takePiece(block, flowNamesBytes(FAST_FLOWS_MAX)), parts.flowSeed);
  const queues = createSendQueues(libc, block, fds, flows);
  const polls = takePiece(block, (fds.length + 1) * WORDS.POLL * 4);
  [...fds, wakeFd].forEach((fd, index) => {
    polls.words[index * WORDS.POLL] = fd;
    polls.words[index * WORDS.POLL + 1] = LINUX.POLLIN;
  });
  const time = takePiece(block, 2 * WORDS.TIME * 4);
  time.words[KNOCK_AT / 4 + 1] = 1;
  const relays = createRelayWays(queues.arena.bytes, takePiece(block, TAKE_BYTES).bytes, faults);
  const waiting: Waiting = { replies: [], events: [], released: [], commands: [] };
  const now = parts.clock();
  const outbox = createOutbox(flows, queues, relays, waiting);
  const loop: FastLoop = {
    parts,
    ports: { crypto: parts.crypto, outbox, scheduler: FIRST_COME_FIRST_SERVED },
    flows,
    queues,
    batch,
    relays,
    received: { received: 0, receivedBytes: 0, badLength: 0, noFlow: 0, socketErrors: 0 },
    sent: queues.counters,
    polls,
    time,
    input: createDatagramInput(batch.slots[0]!),
    takeIn: (input) => {
      if (!loop.stopped) feed(loop, input);
    },
    wake: ({ wakeFd: other }) => void libc.write(other, time.address + KNOCK_AT, 8),
    waiting,
    busy: false,
    stopped: false,
    knocked: true,
    turns: 0,
    now,
    cpuMicros: 0,
    cpuReadAt: now,
  };
  return loop;
}

/** Hands a command to the shard; its reply comes through `onReply`, perhaps before this returns. */
export function fastCommand(loop: FastLoop, commandId: number, command: Command): void {
  if (loop.stopped) return;
  if (loop.busy) loop.waiting.commands.push({ commandId, command });
  else feedBetween(loop, { kind: "command", now: loop.parts.clock(), commandId, command });
}

/** From now on another shard can be reached. */
export function fastMeet(loop: FastLoop, peer: RelayPeer): void {
  openWay(loop.relays, peer);
}

/** Another shard is gone for good. */
export function fastPart(loop: FastLoop, number: number): void {
  closeWay(loop.relays, number);
  if (!loop.stopped) feedBetween(loop, { kind: "shard-lost", now: loop.parts.clock(), shard: number });
}

/** Waits for something to do, for `waitMicrosMax` at most, and does it. */
export function fastTurn(loop: FastLoop, waitMicrosMax: number): void {
  if (loop.stopped) return;
  loop.turns += 1;
  settle(loop);
  const ready = wait(loop, waitMicrosMax);
  if (ready > 0) attend(loop);
  if (waysHold(loop.relays)) {
    expectDatagrams(loop.queues, BATCH);
    takeRelayed(loop.relays, loop.parts.clock(), loop.takeIn);
    settle(loop);
  }
  if (loop.stopped) return;
  const now = loop.parts.clock();
  loop.now = now;
  if (loop.parts.engine.nextTimeout() <= now) {
    feedBetween(loop, { kind: "timer", now });
    settle(loop);
  }
  if (now - loop.cpuReadAt >= CPU_READ_MICROS) readCpu(loop, now);
}

/** Feeds nothing more. What is queued may still be sent by {@link fastFarewell}. */
export function stopFastLoop(loop: FastLoop): void {
  if (!loop.stopped) loop.parts.engine.end?.();
  loop.stopped = true;
}

/** Sends what is queued, and waits for `waitMillis` at most until full sockets have taken it. */
export function fastFarewell(loop: FastLoop, waitMillis: number): void {
  const deadline = performance.now() + waitMillis;
  while (!flushAll(loop.queues) && performance.now() < deadline) {
    if (poll(loop, 5_000) > 0) unblock(loop);
  }
}

function createOutbox(flows: FastFlows, queues: SendQueues, relays: RelayWays, waiting: Waiting): Outbox {
  return {
    sendBytes: queues.arena.bytes,
    reserve: () => reservedOffset(queues),
    transmit(flow, _offset, length) {
      if (!hasFastFlow(flows, flow)) {
        queues.counters.dropped += 1;
        return;
      }
      queueSlot(queues, flows.sockets[flow]!, flow, length);
    },
    reply: (reply) => waiting.replies.push(reply),
    event: (event) => waiting.events.push(event),
    relayPacket: (shard, offset, length) => relayPacket(relays, shard, offset, length),
    relayMail: (shard, record) => relayMail(relays, shard, record),
    releaseFlow(flow) {
      if (!hasFastFlow(flows, flow) || flows.releasing[flow] === 1) return;
      flows.releasing[flow] = 1;
      waiting.released.push(flow);
    },
  };
}

/** Sends what is queued, and shows what was relayed; then released flows may go. */
function settle(loop: FastLoop): void {
  settleWays(loop.relays, loop.wake);
  const empty = flushAll(loop.queues);
  const { waiting, flows } = loop;
  if (!empty || waiting.released.length === 0) return;
  const { released } = waiting;
  waiting.released = [];
  // A datagram may have come from there in the meantime: then the flow stays.
  for (const flow of released) if (flows.releasing[flow] === 1) releaseFastFlow(flows, flow);
}

/** Waits for descriptors or the shard's next timeout; answers how many descriptors are ready. */
function wait(loop: FastLoop, waitMicrosMax: number): number {
  const next = loop.parts.engine.nextTimeout();
  const most = loop.relays.unsettled ? Math.min(waitMicrosMax, MAIL_MICROS) : waitMicrosMax;
  const micros = next === NEVER ? most : Math.min(next - loop.now, most);
  const { queues } = loop.queues;
  for (let i = 0; i < queues.length; i++) {
    loop.polls.words[i * WORDS.POLL + 1] = LINUX.POLLIN | (queues[i]!.blocked ? LINUX.POLLOUT : 0);
  }
  return poll(loop, waysHold(loop.relays) ? 0 : Math.max(micros, 0));
}

/** `ppoll` with a timeout in microseconds. A signal that interrupts it counts as nothing ready. */
function poll({ parts, polls, time }: FastLoop, micros: number): number {
  time.words[0] = micros / 1_000_000;
  time.words[2] = (micros % 1_000_000) * 1_000;
  return parts.libc.ppoll(polls.address, polls.words.length / WORDS.POLL, time.address, 0);
}

function attend(loop: FastLoop): void {
  const { parts, polls, time } = loop;
  unblock(loop);
  if (revents(loop, parts.fds.length) !== 0) {
    parts.libc.read(parts.wakeFd, time.address + COUNTER_AT, 8);
    if (time.words[COUNTER_AT / 4] !== 0) loop.knocked = true;
  }
  polls.words[parts.fds.length * WORDS.POLL + 1] = LINUX.POLLIN;
  for (let socket = 0; socket < parts.fds.length && !loop.stopped; socket++) {
    // An error of the socket makes it readable too, and reading takes the error away.
    if ((revents(loop, socket) & ~LINUX.POLLOUT) !== 0) receive(loop, socket);
  }
}

function readCpu(loop: FastLoop, now: Micros): void {
  const { parts, time } = loop;
  loop.cpuReadAt = now;
  if (parts.libc.clockGettime(LINUX.THREAD_TIME, time.address) !== 0) return;
  loop.cpuMicros = time.words[0]! * 1_000_000 + Math.floor(time.words[2]! / 1_000);
}

/** What `ppoll` has said about a descriptor. */
function revents({ polls }: FastLoop, index: number): number {
  return polls.words[index * WORDS.POLL + 1]! >>> 16;
}

function unblock(loop: FastLoop): void {
  const { queues } = loop.queues;
  for (let i = 0; i < queues.length; i++) if ((revents(loop, i) & ~LINUX.POLLIN) !== 0) queues[i]!.blocked = false;
}

function receive(loop: FastLoop, socket: number): void {
  const { batch, parts } = loop;
  for (let i = 0; i < BATCHES_A_TURN && !loop.stopped; i++) {
    const count = readBatch(batch, parts.fds[socket]!);
    if (count < 0) {
      const errno = parts.libc.native.errno();
      if (errno !== ERRNO.EAGAIN && errno !== ERRNO.EINTR) loop.received.socketErrors += 1;
      return;
    }
    const now = parts.clock();
    expectDatagrams(loop.queues, count);
    for (let datagram = 0; datagram < count; datagram++) receiveOne(loop, socket, now, datagram);
    settle(loop);
    if (count < BATCH) return;
  }
}

function receiveOne(loop: FastLoop, socket: number, now: Micros, datagram: number): void {
  const { batch, flows, input, received } = loop;
  const { faults } = loop.parts;
  const length = takeLength(batch, datagram);
  if (loop.stopped) return;
  if (length <= 0 || hostFails(faults, "fast/datagram-cut")) {
    received.badLength += 1;
    return;
  }
  const isFull = hostFails(faults, "fast/flow-table-full");
  const flow = isFull ? -1 : internFastFlow(flows, socket, batch.names.words, datagram * WORDS.SOCKADDR);
  if (flow < 0) {
    received.noFlow += 1;
    return;
  }
  received.received += 1;
  received.receivedBytes += length;
  input.now = now;
  input.flow = flow;
  input.address = flows.addresses[flow]!;
  input.bytes = batch.slots[datagram]!;
  input.length = length;
  feed(loop, input);
}

/** Feeds what is not part of a batch: it may take long, and the next wait is shorter by that. */
function feedBetween(loop: FastLoop, input: ShardInput): void {
  feed(loop, input);
  loop.now = loop.parts.clock();
}

/** Feeds one input and whatever comes of it. */
function feed(loop: FastLoop, input: ShardInput): void {
  loop.busy = true;
  try {
    loop.parts.engine.handle(loop.ports, input);
  } catch (error) {
    loop.stopped = true;
    loop.parts.onFailure(error);
    return;
  }
  const { replies, events, commands } = loop.waiting;
  if (replies.length + events.length > 0) carryOut(loop);
  loop.busy = false;
  const next = commands.length > 0 ? commands.shift() : undefined;
  if (next !== undefined) fastCommand(loop, next.commandId, next.command);
}

function carryOut(loop: FastLoop): void {
  const { waiting, parts } = loop;
  const { replies, events } = waiting;
  waiting.replies = [];
  waiting.events = [];
  for (const event of events) parts.onEvent(event);
  for (const reply of replies) parts.onReply(reply);
}
