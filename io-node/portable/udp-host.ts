/**
 * The loop around a shard: sockets and a timer on one side, the shard's doors on the other.
 *
 * Each datagram, command and timeout becomes one input, handled to its end. What the shard wants sent leaves at once, as it
 * is written; replies, events and released flows wait until the shard has returned, so that whoever hears of them may ask
 * the shard for something again. This is the portable host, over `node:dgram`; it allocates for each datagram what that
 * module allocates, and no more.
 *
 * When the shard throws, it has found a mistake of its own, and its state can't be trusted any more: the host stops feeding
 * it and hands the error to `onFailure`.
 */
import type { RemoteInfo } from "node:dgram";
import {
  type Command,
  type CommandInput,
  type CommandReply,
  createDatagramInput,
  type DatagramInput,
  FIRST_COME_FIRST_SERVED,
  LIMITS,
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
import {
  closeWay,
  createRelayWays,
  openWay,
  type RelayCounters,
  type RelayPeer,
  type RelayWays,
  relayMail,
  relayPacket,
  settleWays,
  TAKE_BYTES,
  takeRelayed,
  waysHold,
} from "../relay/relay-ways.ts";
import { createFlowTable, type FlowTable, flowAt, internFlow, releaseFlow } from "./flow-table.ts";
import {
  createSendArena,
  reserveSlot,
  type SendArena,
  type SendCounters,
  sendSlot,
  slotsUnderWay,
} from "./send-arena.ts";
import { closeSocket, type UdpSockets } from "./sockets.ts";

/** What a host is made of. */
export interface UdpHostParts extends EngineParts {
  readonly udp: UdpSockets;
  /** The shard with this number, which shares the thread, has been told something, or does not read what it is told. */
  readonly onWake?: (number: number) => void;
  readonly onGivenUp?: (number: number) => void;
}

/** What has happened to the datagrams that came in. */
export interface ReceiveCounters {
  received: number;
  receivedBytes: number;
  /** Empty, or longer than `LIMITS.datagramBytesMax`. */
  badLength: number;
  /** From a new address while the flow table was full. */
  noFlow: number;
  /** Errors that a socket reported by itself. */
  socketErrors: number;
}

/** A running host. */
export interface UdpHost {
  readonly flows: FlowTable;
  readonly received: ReceiveCounters;
  readonly sent: SendCounters;
  readonly relayed: RelayCounters;
  /** Hands a command to the shard; its reply comes through `onReply`, perhaps before this returns. */
  command(commandId: number, command: Command): void;
  /** From now on another shard can be reached. */
  meet(peer: RelayPeer): void;
  /** Another shard is gone for good. */
  part(number: number): void;
  /** Another shard has shown something: it is taken in the next turn of the event loop. */
  wake(): void;
  /** Ends the shard as if it had thrown this. */
  fail(error: unknown): void;
  /** Waits until what was sent has left, or for `waitMillis`, and closes the sockets. */
  close(waitMillis: number): Promise<void>;
}

/** The loop's own state. */
interface Loop {
  readonly parts: UdpHostParts;
  readonly ports: ShardPorts;
  readonly flows: FlowTable;
  readonly arena: SendArena;
  readonly relays: RelayWays;
  readonly received: ReceiveCounters;
  /** Every datagram comes to the shard in this one object and this one array. */
  readonly input: DatagramInput;
  readonly deferred: Deferred;
  /** A turn for what is relayed will come. */
  relayTurn: NodeJS.Immediate | undefined;
  timer: NodeJS.Timeout | undefined;
  /** When the timer goes off. */
  timerAt: Micros;
  /** The shard is at work: what comes meanwhile waits in `deferred`. */
  busy: boolean;
  stopped: boolean;
}

/** What waits until the shard has returned. */
interface Deferred {
  replies: CommandReply[];
  events: ShardEvent[];
  released: number[];
  commands: { commandId: number; command: Command }[];
  parted: number[];
}

/** Starts to feed a shard. */
export function startUdpHost(parts: UdpHostParts): UdpHost {
  const flows = createFlowTable(parts.udp.sockets.length);
  const arena = createSendArena();
  const relays = createRelayWays(arena.bytes, new Uint8Array(TAKE_BYTES), parts.faults);
  const deferred: Deferred = { replies: [], events: [], released: [], commands: [], parted: [] };
  const outbox = createOutbox(parts, flows, arena, relays, deferred);
  const loop: Loop = {
    parts,
    ports: { crypto: parts.crypto, outbox, scheduler: FIRST_COME_FIRST_SERVED },
    flows,
    arena,
    relays,
    received: { received: 0, receivedBytes: 0, badLength: 0, noFlow: 0, socketErrors: 0 },
    input: createDatagramInput(new Uint8Array(LIMITS.datagramBytesMax)),
    deferred,
    relayTurn: undefined,
    timer: undefined,
    timerAt: NEVER,
    busy: false,
    stopped: false,
  };
  parts.udp.sockets.forEach((socket, index) => {
    // Whoever listened before has stopped.
    socket.removeAllListeners("message").removeAllListeners("error");
    socket.on("message", (message, sender) => {
      if (hostFails(parts.faults, "udp/receive-dropped")) return;
      if (hostFails(parts.faults, "udp/socket-error")) socket.emit("error", new Error("an injected failure"));
      receive(loop, index, message, sender);
      if (hostFails(parts.faults, "udp/received-twice")) receive(loop, index, message, sender);
    });
    socket.on("error", () => {
      loop.received.socketErrors += 1;
    });
  });
  armTimer(loop);
  return {
    flows,
    received: loop.received,
    sent: arena.counters,
    relayed: relays.counters,
    command: (commandId, command) => giveCommand(loop, commandId, command),
    meet: (peer) => openWay(relays, peer),
    part: (number) => part(loop, number),
    wake: () => planRelayTurn(loop),
    fail: (error) => fail(loop, error),
    close: (waitMillis) => close(loop, waitMillis),
  };
}

function createOutbox(
  parts: UdpHostParts,
  flows: FlowTable,
  arena: SendArena,
  relays: RelayWays,
  deferred: Deferred,
): Outbox {
  const { faults } = parts;
  const { sockets } = parts.udp;
  return {
    sendBytes: arena.bytes,
    reserve: () => reserveSlot(arena),
    transmit(index, _offset, length) {
      const flow = flowAt(flows, index);
      if (flow === undefined || hostFails(faults, "udp/slots-exhausted")) {
        arena.counters.dropped += 1;
        return;
      }
      if (hostFails(faults, "udp/send-refused")) {
        arena.counters.failed += 1;
        return;
      }
      sendSlot(arena, sockets[flow.socket]!, length, flow.port, flow.ip);
    },
    reply: (reply) => deferred.replies.push(reply),
    event: (event) => deferred.events.push(event),
    relayPacket: (shard, offset, length) => relayPacket(relays, shard, offset, length),
    relayMail: (shard, record) => relayMail(relays, shard, record),
    releaseFlow: (index) => deferred.released.push(index),
  };
}

function receive(loop: Loop, socket: number, message: Uint8Array, sender: RemoteInfo): void {
  const { input, received } = loop;
  if (loop.stopped) return;
  if (message.length === 0 || message.length > LIMITS.datagramBytesMax) {
    received.badLength += 1;
    return;
  }
  const flow = internFlow(loop.flows, socket, sender.address, sender.port);
  if (flow === undefined || hostFails(loop.parts.faults, "udp/flow-table-full")) {
    received.noFlow += 1;
    return;
  }
  received.received += 1;
  received.receivedBytes += message.length;
  input.now = loop.parts.clock();
  input.flow = flow.index;
  input.address = flow.address;
  // A copy of 1,200 bytes costs 0.05 µs; reading through a Buffer would make every byte access of the core polymorphic.
  input.bytes.set(message, 0);
  input.length = message.length;
  feed(loop, input);
  // A busy socket must not starve the clock: timers run only between two turns of the event loop.
  if (!loop.stopped && loop.parts.engine.nextTimeout() <= input.now) feed(loop, { kind: "timer", now: input.now });
  armTimer(loop);
}

function giveCommand(loop: Loop, commandId: number, command: Command): void {
  if (loop.stopped) return;
  if (loop.busy) {
    loop.deferred.commands.push({ commandId, command });
    return;
  }
  const input: CommandInput = { kind: "command", now: loop.parts.clock(), commandId, command };
  feed(loop, input);
  armTimer(loop);
}

function part(loop: Loop, number: number): void {
  if (loop.stopped) return;
  if (loop.busy) {
    loop.deferred.parted.push(number);
    return;
  }
  closeWay(loop.relays, number);
  feed(loop, { kind: "shard-lost", now: loop.parts.clock(), shard: number });
  armTimer(loop);
}

/** What others show while datagrams are read is taken together. */
function planRelayTurn(loop: Loop): void {
  if (loop.stopped) return;
  loop.relayTurn ??= setImmediate(() => {
    loop.relayTurn = undefined;
    takeRelayed(loop.relays, loop.parts.clock(), (input: RelayInput) => {
      if (!loop.stopped) feed(loop, input);
    });
    settleRelays(loop);
    armTimer(loop);
    if (waysHold(loop.relays)) planRelayTurn(loop);
  });
}

/** Shows what was relayed. Mail that waits for room gets it once the others have had their turn. */
function settleRelays(loop: Loop): void {
  const { relays, parts } = loop;
  if (!relays.unsettled || loop.stopped) return;
  if (settleWays(relays, ({ number }) => parts.onWake?.(number))) planRelayTurn(loop);
  for (const number of relays.givenUp.splice(0)) parts.onGivenUp?.(number);
}

function fail(loop: Loop, error: unknown): void {
  if (loop.stopped) return;
  stop(loop);
  loop.parts.onFailure(error);
}

/** Feeds one input and whatever comes of it. */
function feed(loop: Loop, input: ShardInput): void {
  loop.busy = true;
  try {
    loop.parts.engine.handle(loop.ports, input);
  } catch (error) {
    fail(loop, error);
    return;
  }
  const { replies, events, released, commands, parted } = loop.deferred;
  settleRelays(loop);
  if (replies.length + events.length + released.length > 0) carryOut(loop);
  loop.busy = false;
  for (const number of parted.splice(0)) part(loop, number);
  const next = commands.length > 0 ? commands.shift() : undefined;
  if (next !== undefined) giveCommand(loop, next.commandId, next.command);
}

function carryOut(loop: Loop): void {
  const { parts, deferred } = loop;
  const { replies, events, released } = deferred;
  deferred.replies = [];
  deferred.events = [];
  deferred.released = [];
  for (const flow of released) releaseFlow(loop.flows, flow);
  for (const event of events) parts.onEvent(event);
  for (const reply of replies) parts.onReply(reply);
}

/** Sees to it that the timer goes off in time. One that goes off too early costs less than one set anew for each packet. */
function armTimer(loop: Loop): void {
  if (loop.stopped) return;
  const next = loop.parts.engine.nextTimeout();
  if (next >= loop.timerAt) return;
  clearTimeout(loop.timer);
  loop.timerAt = next;
  // setTimeout counts whole milliseconds and takes none above 2^31-1; an early call asks again.
  const { clock, faults } = loop.parts;
  const late = hostFails(faults, "udp/timer-late") ? 20 : hostFails(faults, "udp/timer-early") ? -5 : 0;
  const waitMillis = Math.min(Math.max(Math.ceil((next - clock()) / 1_000) + late, 0), 60_000);
  loop.timer = setTimeout(timeout, waitMillis, loop);
}

function timeout(loop: Loop): void {
  loop.timerAt = NEVER;
  const now = loop.parts.clock();
  if (loop.parts.engine.nextTimeout() <= now) feed(loop, { kind: "timer", now });
  armTimer(loop);
}

function stop(loop: Loop): void {
  loop.stopped = true;
  clearTimeout(loop.timer);
  clearImmediate(loop.relayTurn);
  loop.timerAt = NEVER;
}

async function close(loop: Loop, waitMillis: number): Promise<void> {
  if (!loop.stopped) loop.parts.engine.end?.();
  stop(loop);
  const deadline = performance.now() + waitMillis;
  while (slotsUnderWay(loop.arena) > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(loop.parts.udp.sockets.map(closeSocket));
}
